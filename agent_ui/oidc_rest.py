"""Single sign-on by OpenID Connect: the code flow with PKCE, as far as a city's own provider offers it.

In: settings of the provider, the browser that goes there and comes back.
Out: a session, or a page that says why not.
Not known here: passwords, what a role may do.

Source: OpenID Connect Core 1.0, section 3.1; RFC 7636. The ID token's signature, issuer, audience, times and
nonce are checked. Bound: 1,000 people on their way, 10 minutes each; the one longest away is forgotten.
"""

import logging
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import AsyncOAuth2Client
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from access.gate import Gate
from access.keys import hash_of, is_same
from access.types import AccessError, Account, BadAccount, Role
from agent_ui.door import address_of
from agent_ui.session_rest import set_session_cookie

log = logging.getLogger(__name__)

_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
_COOKIE = "zhiting_oidc"
_AWAY_S = 600.0
_MOST_AWAY = 1000
_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcOptions:
    """The provider, and how what it says of a person becomes an account."""

    issuer: str
    client_id: str
    client_secret: str
    scope: str = "openid profile email"
    name_claim: str = "preferred_username"
    role_claim: str = "roles"
    roles: Mapping[str, Role] = field(default_factory=dict)
    """What the provider calls a role → ours. Empty: an admin gives roles, everybody begins as an operator."""
    operator_claim: str = ""
    """The claim that names the seat; empty: an admin does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Away:
    """Somebody who was sent to the provider."""

    nonce: str
    verifier: str
    browser: str
    since_s: float


class OidcFailed(Exception):
    """The provider could not be asked, or what it said does not hold; `code` is shown on the page."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


def oidc_router(gate: Gate, options: OidcOptions) -> APIRouter:
    """The routes below `/v1/session/oidc`."""
    router = APIRouter(prefix="/v1/session/oidc", tags=["session"])
    away: OrderedDict[str, _Away] = OrderedDict()

    def client(request: Request, **more: Any) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            client_id=options.client_id,
            client_secret=options.client_secret,
            scope=options.scope,
            redirect_uri=str(request.url_for("oidc_back")),
            code_challenge_method="S256",
            timeout=_TIMEOUT_S,
            **more,
        )

    @router.get("")
    async def oidc_go(request: Request) -> Response:
        """Send the browser to the provider."""
        try:
            provider = await _describe(options.issuer)
        except OidcFailed as error:
            return _back_to_login(error.code)
        nonce, verifier, browser = secrets.token_urlsafe(24), generate_token(48), secrets.token_urlsafe(24)
        async with client(request) as oauth:
            address, state = oauth.create_authorization_url(
                provider["authorization_endpoint"], nonce=nonce, code_verifier=verifier
            )
        away[state] = _Away(
            nonce=nonce, verifier=verifier, browser=hash_of(browser), since_s=time.monotonic()
        )
        while len(away) > _MOST_AWAY:
            away.popitem(last=False)
        response = RedirectResponse(address, status_code=303)
        response.set_cookie(
            _COOKIE,
            browser,
            max_age=int(_AWAY_S),
            path="/v1/session/oidc",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )
        return response

    @router.get("/back", name="oidc_back")
    async def oidc_back(request: Request, state: str = "", code: str = "", error: str = "") -> Response:
        """Take the browser back: the same one that was sent, once."""
        went = away.pop(state, None)
        browser = request.cookies.get(_COOKIE, "")
        is_late = went is None or time.monotonic() - went.since_s > _AWAY_S
        if went is None or is_late or not is_same(hash_of(browser), went.browser):
            return _back_to_login("access.oidc_expired")
        if error or not code:
            return _back_to_login("access.oidc_refused")
        try:
            claims = await _claims(client(request), options, code=code, went=went)
            secret, _ = await run_in_threadpool(_come_in, gate, options, claims, address_of(request))
        except OidcFailed as failure:
            log.warning("single sign-on failed: %s", failure.code)
            return _back_to_login(failure.code)
        except AccessError as failure:
            log.warning("single sign-on was refused: %s", failure.code)
            return _back_to_login(failure.code)
        response = RedirectResponse("/", status_code=303)
        set_session_cookie(response, secret, request)
        response.delete_cookie(_COOKIE, path="/v1/session/oidc")
        return response

    return router


async def _describe(issuer: str) -> dict[str, Any]:
    """What the provider says of itself. Raises `OidcFailed`."""
    return await _get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")


async def _get(address: str) -> dict[str, Any]:
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT_S) as web:
            response = await web.get(address)
            response.raise_for_status()
            found = response.json()
    except (httpx.HTTPError, ValueError) as error:
        raise OidcFailed("access.oidc_unreachable") from error
    if not isinstance(found, dict):
        raise OidcFailed("access.oidc_unreachable")
    return found


async def _claims(
    oauth: AsyncOAuth2Client, options: OidcOptions, *, code: str, went: _Away
) -> dict[str, Any]:
    """Exchange the code and check the ID token. Raises `OidcFailed`."""
    provider = await _describe(options.issuer)
    try:
        async with oauth:
            tokens = await oauth.fetch_token(
                provider["token_endpoint"], code=code, code_verifier=went.verifier
            )
    except Exception as error:  # the library raises many kinds
        raise OidcFailed("access.oidc_refused") from error
    keys = KeySet.import_key_set(await _get(provider["jwks_uri"]))  # type: ignore[arg-type]
    try:
        token = jwt.decode(tokens["id_token"], keys, algorithms=_ALGORITHMS)
        jwt.JWTClaimsRegistry(
            leeway=60,
            iss={"essential": True, "value": provider["issuer"]},
            aud={"essential": True, "value": options.client_id},
            exp={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": went.nonce},
        ).validate(token.claims)
    except (JoseError, KeyError, ValueError) as error:
        raise OidcFailed("access.oidc_bad_token") from error
    return dict(token.claims)


def _come_in(
    gate: Gate, options: OidcOptions, claims: Mapping[str, Any], address: str
) -> tuple[str, Account]:
    """The account of that person, made or brought up to date, and a session of it. Blocks."""
    subject = f"{options.issuer}|{claims['sub']}"
    role = _role(options, claims)
    operator_id = str(claims.get(options.operator_claim, "")) if options.operator_claim else None
    account = gate.accounts.of_subject(subject)
    if account is None:
        wanted = str(claims.get(options.name_claim) or claims.get("email") or claims["sub"])
        account = gate.accounts.add(
            re.sub(r"[^\w.@-]", "-", wanted)[:64],
            role=role or Role.OPERATOR,
            subject=subject,
            display_name=str(claims.get("name", "")),
            operator_id=operator_id,
            now=gate.clock(),
        )
        _note(gate, account, "account.made_by_oidc", f"{account.name} {account.role}", address)
    elif not account.is_active:
        raise BadAccount("这个账号已停用。", code="access.account_locked")
    elif role not in (None, account.role) or operator_id not in (None, account.operator_id or ""):
        was = account
        account = gate.accounts.change(was.name, role=role, operator_id=operator_id)
        what = f"{was.name} {was.role}→{account.role} {was.operator_id or '-'}→{account.operator_id or '-'}"
        _note(gate, account, "account.changed_by_oidc", what, address)
    return gate.sign_in_by_subject(account, address=address)


def _note(gate: Gate, account: Account, action: str, target: str, address: str) -> None:
    gate.audit.note(who=account.name, address=address, action=action, target=target, now=gate.clock())


def _role(options: OidcOptions, claims: Mapping[str, Any]) -> Role | None:
    """The role by the provider's word. Raises `BadAccount` where it gives none of those that are known."""
    if not options.roles:
        return None
    said = claims.get(options.role_claim, [])
    held = {options.roles[one] for one in ([said] if isinstance(said, str) else said) if one in options.roles}
    for role in (Role.ADMIN, Role.SUPERVISOR, Role.INTEGRATOR, Role.OPERATOR, Role.DEPARTMENT):
        if role in held:
            return role
    raise BadAccount("单点登录没有给您本系统的角色。", code="access.oidc_no_role")


def _back_to_login(code: str) -> Response:
    return RedirectResponse(f"/login#error={code}", status_code=303)
