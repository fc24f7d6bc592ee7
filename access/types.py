"""The types that access emits: people, programs, what they may do, and the errors.

In: nothing. Out: `Role`, `Scope`, `Account`, `Caller`, `AccessError`.
Not known here: HTTP, databases, what lies behind the door.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What somebody's work is."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    INTEGRATOR = "integrator"
    """Connects the telephone system and other programs."""
    DEPARTMENT = "department"
    """Handles the work orders of one department."""


class Scope(StrEnum):
    """One thing that may be allowed."""

    CALLS_OWN = "calls:own"
    """See one's own calls and act on them."""
    CALLS_ALL = "calls:all"
    """See every call and act on it."""
    HALL = "hall"
    """See the board of the hall: figures, and nothing that leads to a citizen."""
    CALLS_PERSONAL = "calls:personal"
    """Be given numbers and names of citizens in full without saying why: for programs that work with them."""
    AUDIO = "audio"
    """Bring in calls."""
    RECORDINGS = "recordings"
    """Have recordings transcribed as jobs, hear and correct them."""
    KNOWLEDGE_READ = "knowledge:read"
    KNOWLEDGE_WRITE = "knowledge:write"
    ORDERS_DEPARTMENT = "orders:department"
    """See the work orders of one's own department and act on them."""
    TOKENS = "tokens"
    """Make tokens that may do no more than their maker."""
    METRICS = "metrics"
    """Read figures of the machine and the house: for what watches over them."""
    SYSTEM = "system"
    """Users, everybody's tokens, settings, words, the audit log."""


SCOPES_OF_ROLE: Mapping[Role, frozenset[Scope]] = MappingProxyType(
    {
        Role.OPERATOR: frozenset({Scope.CALLS_OWN, Scope.HALL, Scope.AUDIO, Scope.KNOWLEDGE_READ}),
        Role.SUPERVISOR: frozenset(
            {
                Scope.CALLS_OWN,
                Scope.CALLS_ALL,
                Scope.HALL,
                Scope.AUDIO,
                Scope.RECORDINGS,
                Scope.KNOWLEDGE_READ,
            }
        ),
        Role.INTEGRATOR: frozenset(
            {
                Scope.CALLS_ALL,
                Scope.CALLS_PERSONAL,
                Scope.HALL,
                Scope.AUDIO,
                Scope.RECORDINGS,
                Scope.KNOWLEDGE_READ,
                Scope.METRICS,
                Scope.TOKENS,
            }
        ),
        Role.DEPARTMENT: frozenset({Scope.ORDERS_DEPARTMENT}),
        Role.ADMIN: frozenset(Scope) - {Scope.CALLS_PERSONAL},
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person who may sign in."""

    name: str
    """What is typed to sign in; also the author of what this person changes."""
    display_name: str
    role: Role
    operator_id: str | None
    """The seat whose calls are this person's own."""
    department_id: str | None
    """The department whose work orders are this person's own."""
    is_active: bool
    has_password: bool
    """False for somebody who comes by single sign-on alone."""
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A program's key, without the key itself."""

    token_id: int
    name: str
    scopes: frozenset[Scope]
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whoever is behind a request or a socket."""

    name: str
    display_name: str
    scopes: frozenset[Scope]
    role: Role | None = None
    """None for a program."""
    operator_id: str | None = None
    department_id: str | None = None
    session: str | None = None
    """The hash of the session by which a person came in."""
    token_id: int | None = None

    @property
    def is_person(self) -> bool:
        """Whether somebody has signed in, as against a program with a token."""
        return self.session is not None

    def may(self, scope: Scope) -> bool:
        """Whether that is allowed."""
        return scope in self.scopes

    def may_see_calls_of(self, operator_id: str | None) -> bool:
        """Whether a call at that seat is theirs to see."""
        if self.may(Scope.CALLS_ALL):
            return True
        return self.may(Scope.CALLS_OWN) and operator_id is not None and operator_id == self.operator_id


LOCAL = Caller(name="本机", display_name="本机", scopes=frozenset(Scope), role=Role.ADMIN)
"""Everybody, where the door is open."""


class AccessError(Exception):
    """What can go wrong at the door.

    AccessError
    ├── NotSignedIn       no session or token, or one that does not hold any more
    ├── NotAllowed        known, but not allowed to do this
    ├── WrongPassword     name or password is wrong; it does not say which
    ├── TooManyAttempts   come back after `retry_s`
    └── BadAccount        an account or token that cannot be kept as it was given
    """

    def __init__(self, message: str, *, code: str):
        super().__init__(message)
        self.message = message
        self.code = code


class NotSignedIn(AccessError):
    """Nobody that we know."""

    def __init__(self, message: str = "请先登录。", *, code: str = "access.unauthorised"):
        super().__init__(message, code=code)


class NotAllowed(AccessError):
    """Somebody that we know, at the wrong door."""

    def __init__(
        self, message: str = "您没有这项权限，如有需要请联系管理员。", *, code: str = "access.forbidden"
    ):
        super().__init__(message, code=code)


class WrongPassword(AccessError):
    """Name or password."""

    def __init__(self, message: str = "用户名或密码不对。", *, code: str = "access.wrong_password"):
        super().__init__(message, code=code)


class TooManyAttempts(AccessError):
    """Too many wrong passwords, from there or for that name."""

    def __init__(self, retry_s: float):
        message = f"登录失败次数过多，请在 {_duration(retry_s)}后再试。"
        super().__init__(message, code="access.too_many_attempts")
        self.retry_s = retry_s


class BadAccount(AccessError):
    """Not to be kept as it was given."""

    def __init__(self, message: str, *, code: str = "access.bad_account"):
        super().__init__(message, code=code)


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} 分钟" if seconds >= 90 else f"{max(1, round(seconds))} 秒"
