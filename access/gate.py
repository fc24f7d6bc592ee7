"""The gate: signing in and out, and who is behind a secret. One place that knows all stores of access.

In: names, passwords, codes, secrets, addresses.
Out: `Caller`s, secrets of new sessions; entries in the audit log.
Not known here: HTTP, cookies, what lies behind.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine

from access.accounts import Accounts
from access.attempts import Attempts
from access.audit import Audit
from access.keys import hash_of, is_same, new_code
from access.sessions import Sessions
from access.tokens import Tokens
from access.types import (
    LOCAL,
    SCOPES_OF_ROLE,
    Account,
    Caller,
    NotSignedIn,
    Role,
    Scope,
    TooManyAttempts,
    WrongPassword,
)

_FULL = frozenset(Scope)
_BY_CODE = "code:"
"""Stands for the name of whoever tries codes; no account can be called so."""


@dataclass(slots=True, kw_only=True)
class Gate:
    """All methods but `offer_code` block. Any thread may call them."""

    accounts: Accounts
    sessions: Sessions
    tokens: Tokens
    audit: Audit
    clock: Callable[[], datetime]
    fixed_keys: dict[str, str] = field(default_factory=dict)
    """Keys that open everything: name → hash. The one of the settings, and the one of this machine."""
    attempts: Attempts = field(default_factory=Attempts)
    _code: str | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def open(cls, database: Engine, *, clock: Callable[[], datetime], keys: dict[str, str]) -> "Gate":
        """`keys` are opened by name: key."""
        return cls(
            accounts=Accounts(database),
            sessions=Sessions(database),
            tokens=Tokens(database),
            audit=Audit(database),
            clock=clock,
            fixed_keys={name: hash_of(key) for name, key in keys.items()},
        )

    def offer_code(self) -> str:
        """A code that lets one person in once: to make the first account, or as the first admin."""
        with self._lock:
            self._code = new_code()
            return self._code

    def sign_in(self, name: str, password: str, *, address: str) -> tuple[str, Account]:
        """Begin a session; returns its secret. Raises `WrongPassword`, `TooManyAttempts`."""
        name = name.strip().lower()[:100]
        now = self.clock()
        if not self._is_password(name, password, address):
            is_locked = self.attempts.fail(name, address, now.timestamp())
            action = "session.locked" if is_locked else "session.refused"
            # What is no name of an account may be a password that was typed one field too early.
            known = name if self.accounts.get(name) is not None else ""
            self.audit.note(who="", address=address, action=action, target=known, now=now)
            raise WrongPassword
        self.attempts.succeed(name, address)
        return self._begin(name, address=address, way="session.opened")

    def _is_password(self, name: str, password: str, address: str) -> bool:
        """Compare, unless there were too many failures: before, or while this one was compared."""
        self._refuse_too_many(name, address)
        is_right = self.accounts.is_password(name, password)
        self._refuse_too_many(name, address)  # of many guesses at once no more are answered than one by one
        return is_right

    def _refuse_too_many(self, name: str, address: str) -> None:
        wait_s = self.attempts.wait_s(name, address, self.clock().timestamp())
        if wait_s > 0:
            raise TooManyAttempts(wait_s)

    def sign_in_by_code(
        self, code: str, *, address: str, name: str = "", password: str = ""
    ) -> tuple[str, Account]:
        """Use the offered code up: make the first admin, or where there are accounts come in as the oldest.

        Raises `WrongPassword` (`access.wrong_code`), `TooManyAttempts`, and `BadAccount`, after which the
        code still holds.
        """
        self._refuse_too_many(_BY_CODE, address)
        now = self.clock()
        with self._lock:
            if self._code is None or not is_same(code.strip().upper(), self._code):
                is_locked = self.attempts.fail(_BY_CODE, address, now.timestamp())
                action = "session.locked" if is_locked else "session.refused_by_code"
                self.audit.note(who="", address=address, action=action, target="", now=now)
                raise WrongPassword(
                    "登录码不对或已经用过，请重新启动服务获取新的登录码。", code="access.wrong_code"
                )
            if self.accounts.is_empty():
                made = self.accounts.add(
                    name, role=Role.ADMIN, password=password, now=now, only_if_first=True
                )
                self.audit.note(
                    who=made.name, address=address, action="account.first", target=made.name, now=now
                )
            else:
                made = next(a for a in self._admins_by_age() if a.is_active)
            self._code = None
        return self._begin(made.name, address=address, way="session.opened_by_code")

    def _admins_by_age(self) -> list[Account]:
        admins = (account for account in self.accounts.every() if account.role is Role.ADMIN)
        return sorted(admins, key=lambda account: account.created_at)

    def sign_in_by_subject(self, account: Account, *, address: str) -> tuple[str, Account]:
        """Begin a session for somebody whom single sign-on vouches for."""
        return self._begin(account.name, address=address, way="session.opened_by_oidc")

    def _begin(self, name: str, *, address: str, way: str) -> tuple[str, Account]:
        account = self.accounts.get(name)
        if account is None or not account.is_active:
            raise WrongPassword
        now = self.clock()
        secret = self.sessions.open(account.name, address=address, now=now)
        self.audit.note(who=account.name, address=address, action=way, target=account.name, now=now)
        return secret, account

    def change_password(self, caller: Caller, old: str, new: str, *, address: str) -> None:
        """Change one's own password and end one's other sessions.

        Raises `WrongPassword`, `TooManyAttempts`, `BadAccount`.
        """
        if not self._is_password(caller.name, old, address):
            is_locked = self.attempts.fail(caller.name, address, self.clock().timestamp())
            action = "session.locked" if is_locked else "session.refused_password"
            self.note(caller, address=address, action=action, target=caller.name)
            raise WrongPassword("原密码不对。")
        self.accounts.set_password(caller.name, new)
        self.sessions.close_all(caller.name, but=caller.session)

    def by_session_secret(self, secret: str) -> Caller:
        """Who is behind the secret of a session; raises `NotSignedIn`."""
        return self.by_session(hash_of(secret))

    def by_session(self, session_hash: str) -> Caller:
        """Who is behind a session; raises `NotSignedIn`."""
        name = self.sessions.owner(session_hash, self.clock())
        account = self.accounts.get(name) if name else None
        if account is None:
            raise NotSignedIn("登录已失效，请重新登录。", code="access.session_ended")
        return Caller(
            name=account.name,
            display_name=account.display_name,
            role=account.role,
            scopes=SCOPES_OF_ROLE[account.role],
            # A seat would open calls, which are not a department's.
            operator_id=None if account.role is Role.DEPARTMENT else account.operator_id,
            department_id=account.department_id,
            session=session_hash,
        )

    def by_key(self, key: str) -> Caller:
        """Who is behind a token; raises `NotSignedIn`."""
        hashed = hash_of(key)
        for name, known in self.fixed_keys.items():
            if is_same(hashed, known):
                return Caller(name=name, display_name=name, scopes=_FULL)
        token = self.tokens.holder(key, self.clock())
        if token is None:
            raise NotSignedIn("访问令牌无效、已过期或已停用。", code="access.unauthorised")
        return Caller(name=token.name, display_name=token.name, scopes=token.scopes, token_id=token.token_id)

    def still_holds(self, caller: Caller) -> bool:
        """Whether somebody who came in a while ago would still be let in, with as much allowed."""
        if caller.session is not None:
            try:
                return self.by_session(caller.session) == caller
            except NotSignedIn:
                return False
        if caller.token_id is not None:
            return self.tokens.holds(caller.token_id, self.clock())
        return caller == LOCAL or caller.name in self.fixed_keys

    def note(self, caller: Caller, *, address: str, action: str, target: str) -> None:
        """Put a change into the audit log."""
        self.audit.note(who=caller.name, address=address, action=action, target=target, now=self.clock())
