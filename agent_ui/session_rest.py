"""Signing in and out over REST, and who one is.

In: names, passwords, one-time codes, cookies. Out: cookies, the account, the CSRF mark.
Not known here: how passwords are compared, what a role may do elsewhere.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from access.gate import Gate
from access.keys import csrf_of
from access.sessions import LONGEST
from access.types import AccessError, BadAccount, Caller, NotAllowed, Role, Scope, WrongPassword
from agent_ui.door import Door, address_of, caller_of, cookie_name, refusal
from agent_ui.origins import is_own_origin


class SignInBody(BaseModel):
    """A name and a password."""

    name: str = Field(min_length=1, max_length=100)
    password: str = Field(min_length=1, max_length=1000)


class CodeBody(BaseModel):
    """The one-time code that the server printed; name and password where there is no account yet."""

    code: str = Field(min_length=1, max_length=100)
    name: str = Field(default="", max_length=100)
    password: str = Field(default="", max_length=1000)


class PasswordBody(BaseModel):
    """A new password, and the one that holds now."""

    old: str = Field(max_length=1000)
    new: str = Field(max_length=1000)


class SessionOut(BaseModel):
    """Who is signed in, and what they may do."""

    name: str
    display_name: str
    role: Role | None
    operator_id: str | None
    department_id: str | None
    scopes: list[Scope]
    csrf: str
    """To be sent as `X-CSRF-Token` with every request that changes something."""
    is_open: bool
    """Whether nobody has to sign in here."""
    crm_url: str = ""
    """Where a call's caller is looked up in another system, for those who take calls."""


class WaysOut(BaseModel):
    """How one can sign in here."""

    needs_first_account: bool
    single_sign_on: bool
    is_open: bool


def session_router(door: Door, *, has_single_sign_on: bool, crm_url: str = "") -> APIRouter:
    """The routes below `/v1/session`. `crm_url`: see `SessionOut`."""
    router = APIRouter(prefix="/v1/session", tags=["session"])

    def ours(request: Request) -> Gate:
        """Refuse pages of other sites: theirs must not sign anybody in."""
        if door.gate is None:
            raise refusal(NotAllowed("这台服务器没有启用账号。", code="access.open"))
        if not is_own_origin(request):
            raise refusal(NotAllowed("不接受来自其他网站页面的请求。", code="access.foreign_origin"))
        return door.gate

    @router.get("/ways")
    def get_ways() -> WaysOut:
        """Tell how one can sign in."""
        return WaysOut(
            needs_first_account=door.gate is not None and door.gate.accounts.is_empty(),
            single_sign_on=has_single_sign_on,
            is_open=door.gate is None,
        )

    @router.post("")
    def sign_in(
        body: SignInBody, request: Request, response: Response, gate: Annotated[Gate, Depends(ours)]
    ) -> SessionOut:
        """Sign in; 401 where name or password is wrong, 429 after too many attempts."""
        try:
            secret, _ = gate.sign_in(body.name, body.password, address=address_of(request))
        except AccessError as error:
            raise _refused(error) from None
        return _begun(secret, gate.by_session_secret(secret), request, response)

    @router.post("/code")
    def sign_in_by_code(
        body: CodeBody, request: Request, response: Response, gate: Annotated[Gate, Depends(ours)]
    ) -> SessionOut:
        """Sign in by the code that the server printed when it started; it makes the first account."""
        try:
            secret, _ = gate.sign_in_by_code(
                body.code, address=address_of(request), name=body.name, password=body.password
            )
        except AccessError as error:
            raise _refused(error) from None
        return _begun(secret, gate.by_session_secret(secret), request, response)

    @router.get("", dependencies=[Depends(door.needs(None))])
    def who_am_i(request: Request) -> SessionOut:
        """Tell who is signed in."""
        secret = request.cookies.get(cookie_name(request), "")
        caller = caller_of(request)
        out = _session_out(caller, secret, is_open=door.gate is None)
        takes_calls = caller.may(Scope.CALLS_ALL) or caller.may(Scope.CALLS_OWN)
        return out.model_copy(update={"crm_url": crm_url}) if takes_calls else out

    @router.delete("", status_code=204, dependencies=[Depends(door.needs(None))])
    def sign_out(request: Request, response: Response) -> None:
        """End the session: its cookie opens nothing any more, wherever it has been copied to."""
        caller = caller_of(request)
        if door.gate is not None and caller.session is not None:
            door.gate.sessions.close(caller.session)
        response.delete_cookie(cookie_name(request), path="/")

    @router.post("/password", status_code=204, dependencies=[Depends(door.needs(None))])
    def change_password(body: PasswordBody, request: Request) -> None:
        """Change one's own password; every other session of the account ends."""
        caller = caller_of(request)
        if door.gate is None or caller.session is None:
            raise refusal(NotAllowed())
        try:
            door.gate.change_password(caller, body.old, body.new, address=address_of(request))
        except AccessError as error:
            raise _refused(error) from None

    return router


def set_session_cookie(response: Response, secret: str, request: Request) -> None:
    """Give the browser a session's secret: no script reads it, no other site sends it along."""
    response.set_cookie(
        cookie_name(request),
        secret,
        max_age=int(LONGEST.total_seconds()),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


def _begun(secret: str, caller: Caller, request: Request, response: Response) -> SessionOut:
    set_session_cookie(response, secret, request)
    return _session_out(caller, secret, is_open=False)


def _session_out(caller: Caller, secret: str, *, is_open: bool) -> SessionOut:
    return SessionOut(
        name=caller.name,
        display_name=caller.display_name,
        role=caller.role,
        operator_id=caller.operator_id,
        department_id=caller.department_id,
        scopes=sorted(caller.scopes),
        csrf=csrf_of(secret) if caller.is_person else "",
        is_open=is_open,
    )


def _refused(error: AccessError) -> Exception:
    answer = refusal(error)
    if isinstance(error, WrongPassword):
        answer.status_code = 401
    elif isinstance(error, BadAccount):
        answer.status_code = 422
    return answer
