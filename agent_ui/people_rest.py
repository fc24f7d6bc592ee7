"""Accounts and tokens over REST, for admins; tokens also for those who connect programs.

In: HTTP requests that passed the door. Out: JSON; errors as `{"code", "message"}` under `detail`.
Not known here: how accounts are kept, how somebody signs in.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from access.gate import Gate
from access.passwords import check_strength
from access.types import AccessError, Account, BadAccount, NotAllowed, Role, Scope
from agent_ui.door import Door, caller_of, note_target, refusal
from agent_ui.paging import RowNumber


class AccountOut(BaseModel):
    """A person who may sign in."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    display_name: str
    role: Role
    operator_id: str | None
    department_id: str | None
    is_active: bool
    has_password: bool
    created_at: datetime


class NewAccountIn(BaseModel):
    """A person who shall be able to sign in."""

    name: str = Field(max_length=100)
    password: str = Field(max_length=1000)
    role: Role
    display_name: str = Field(default="", max_length=100)
    operator_id: str = Field(default="", max_length=128)
    department_id: str = Field(default="", max_length=128)


class AccountChangeIn(BaseModel):
    """What changes; what is left out stays."""

    display_name: str | None = Field(default=None, max_length=100)
    role: Role | None = None
    operator_id: str | None = Field(default=None, max_length=128)
    department_id: str | None = Field(default=None, max_length=128)
    is_active: bool | None = None
    password: str | None = Field(default=None, max_length=1000)


class TokenOut(BaseModel):
    """A program's key; the key itself is told once, when it is made."""

    model_config = ConfigDict(from_attributes=True)

    token_id: int
    name: str
    scopes: list[Scope]
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None
    key: str | None = None


class NewTokenIn(BaseModel):
    """A key to be made."""

    name: str = Field(min_length=1, max_length=100)
    scopes: list[Scope] = Field(min_length=1)
    days: int = Field(default=365, ge=1, le=5 * 365)


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except AccessError as error:
        answer = refusal(error)
        if error.code in ("access.unknown_account", "access.unknown_token"):
            answer.status_code = 404
        elif error.code == "access.name_in_use":
            answer.status_code = 409
        raise answer from None


def people_router(door: Door, gate: Gate, *, is_department: Callable[[str], bool]) -> APIRouter:
    """The routes below `/v1/accounts` and `/v1/tokens`. `is_department` knows to whom orders go."""
    router = APIRouter(prefix="/v1", tags=["people"])
    admins = [Depends(door.needs(Scope.SYSTEM))]
    makers = [Depends(door.needs(Scope.TOKENS))]

    @router.get("/accounts", dependencies=admins)
    def list_accounts() -> list[AccountOut]:
        """List all accounts by name."""
        return [AccountOut.model_validate(account) for account in gate.accounts.every()]

    @router.post("/accounts", status_code=201, dependencies=admins)
    def add_account(body: NewAccountIn, request: Request) -> AccountOut:
        """Add an account."""
        with _answering():
            _see_department(is_department, body.role, body.department_id.strip())
            account = gate.accounts.add(
                body.name,
                role=body.role,
                password=body.password,
                display_name=body.display_name,
                operator_id=body.operator_id,
                department_id=body.department_id,
                now=gate.clock(),
            )
            note_target(request, f"{account.name} role={account.role}")
            return AccountOut.model_validate(account)

    @router.patch("/accounts/{name}", dependencies=admins)
    def change_account(name: str, body: AccountChangeIn, request: Request) -> AccountOut:
        """Change an account; locking it or giving it another password ends its sessions."""
        before = gate.accounts.get(name)
        with _answering():
            if body.password is not None:
                check_strength(body.password, name=name.lower())  # or the rest would be changed all the same
            if before is not None and (body.role is not None or body.department_id is not None):
                given = body.department_id
                department_id = before.department_id if given is None else given.strip()
                _see_department(is_department, body.role or before.role, department_id)
            account = gate.accounts.change(
                name,
                display_name=body.display_name,
                role=body.role,
                operator_id=body.operator_id,
                department_id=body.department_id,
                is_active=body.is_active,
            )
            if body.password is not None:
                gate.accounts.set_password(name, body.password)
            if body.password is not None or body.is_active is False:
                gate.sessions.close_all(account.name)
            note_target(request, _changed(before, account, has_new_password=body.password is not None))
            return AccountOut.model_validate(gate.accounts.get(name))

    @router.get("/tokens", dependencies=makers)
    def list_tokens(request: Request) -> list[TokenOut]:
        """List everybody's tokens, or where one is no admin one's own."""
        caller = caller_of(request)
        by = None if caller.may(Scope.SYSTEM) else caller.name
        return [TokenOut.model_validate(token) for token in gate.tokens.every(by=by)]

    @router.post("/tokens", status_code=201, dependencies=makers)
    def add_token(body: NewTokenIn, request: Request) -> TokenOut:
        """Make a token that may do no more than its maker. Its key is in this answer and nowhere else."""
        caller = caller_of(request)
        with _answering():
            if not caller.scopes.issuperset(body.scopes):
                raise NotAllowed("令牌的权限不能超过您自己的权限。")
            token, key = gate.tokens.add(
                body.name,
                scopes=set(body.scopes),
                by=caller.name,
                now=gate.clock(),
                lasts=timedelta(days=body.days),
            )
            note_target(request, f"{token.name} {','.join(sorted(token.scopes))}")
            return TokenOut.model_validate(token).model_copy(update={"key": key})

    @router.delete("/tokens/{token_id}", dependencies=makers)
    def revoke_token(token_id: RowNumber, request: Request) -> TokenOut:
        """Let a token hold no longer."""
        caller = caller_of(request)
        by = None if caller.may(Scope.SYSTEM) else caller.name
        with _answering():
            token = gate.tokens.revoke(token_id, by=by, now=gate.clock())
            note_target(request, token.name)
            return TokenOut.model_validate(token)

    return router


def _see_department(is_department: Callable[[str], bool], role: Role, department_id: str | None) -> None:
    """Somebody of a department needs one that there is. Raises `BadAccount`."""
    if role is Role.DEPARTMENT and not department_id:
        raise BadAccount("部门经办要选所属的承办单位。", code="access.department_needed")
    if department_id and not is_department(department_id):
        message = f"名录里没有编号为 {department_id[:40]} 的承办单位。"
        raise BadAccount(message, code="access.unknown_department")


def _changed(before: Account | None, now: Account, *, has_new_password: bool) -> str:
    """What became of an account, for the audit log; of a password only that there is another."""
    changes = [
        f"{name} {getattr(before, name) or '—'}→{getattr(now, name) or '—'}"
        for name in ("display_name", "role", "operator_id", "department_id")
        if getattr(before, name, None) != getattr(now, name)
    ]
    if before is not None and before.is_active != now.is_active:
        changes.append("is_active 是→否" if before.is_active else "is_active 否→是")
    return "，".join([*changes, "password"] if has_new_password else changes)
