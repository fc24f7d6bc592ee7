"""Single sign-on against a real, small OpenID Connect provider."""

import re
import warnings
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from access.audit import Audit
from knowledge_base.database import open_database
from tests.databases import database_in
from tests.house import House, running

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it still uses a part of a library that will be renamed
    from oidc_provider_mock import User, run_server_in_thread

pytestmark = pytest.mark.filterwarnings("ignore")
CLIENT = {"oidc_client_id": "zhiting", "oidc_client_secret": "a secret of ours"}
CHEN = User(
    sub="4711", claims={"preferred_username": "chen", "name": "陈静", "roles": ["chief"], "seat": "031"}
)
GUEST = User(sub="4712", claims={"preferred_username": "guest", "name": "访客", "roles": ["nobody"]})


async def come_back(client: httpx.AsyncClient, house: House, sub: str) -> httpx.Response:
    """Go to the provider, say who one is there, and come back."""
    go = await client.get(f"{house.url}/v1/session/oidc")
    assert go.status_code == 303
    page = await client.get(go.headers["location"])
    assert page.status_code == 200, page.text
    said = await client.post(go.headers["location"], data={"sub": sub})
    assert said.status_code in (302, 303), said.text
    return await client.get(said.headers["location"])


async def test_whom_the_provider_vouches_for_comes_in_with_the_role_it_gives(tmp_path: Path) -> None:
    with run_server_in_thread(user_claims=[CHEN, GUEST]) as provider:
        settings = CLIENT | {
            "oidc_issuer": f"http://localhost:{provider.server_port}",
            "oidc_roles": {"chief": "supervisor"},
            "oidc_operator_claim": "seat",
        }
        async with running(tmp_path, open=False, **settings) as house:
            async with httpx.AsyncClient(timeout=60) as client:
                for _ in range(2):  # the second time the account is there
                    back = await come_back(client, house, "4711")
                    assert (back.status_code, back.headers["location"]) == (303, "/")
                me = (await client.get(f"{house.url}/v1/session")).json()
                assert (me["name"], me["display_name"]) == ("chen", "陈静")
                assert (me["role"], me["operator_id"]) == ("supervisor", "031")
            async with httpx.AsyncClient(timeout=60) as client:
                back = await come_back(client, house, "4712")
                assert back.headers["location"] == "/login#error=access.oidc_no_role"
                assert (await client.get(f"{house.url}/v1/session")).status_code == 401


async def test_what_single_sign_on_does_to_accounts_is_in_the_audit_log(tmp_path: Path) -> None:
    with run_server_in_thread(user_claims=[CHEN]) as provider:
        settings = CLIENT | {"oidc_issuer": f"http://localhost:{provider.server_port}"}
        for role in ("operator", "operator", "supervisor"):  # nothing changes the second time
            roles = {"oidc_roles": {"chief": role}, "oidc_operator_claim": "seat"}
            async with (
                running(tmp_path, open=False, **settings, **roles) as house,
                httpx.AsyncClient(timeout=60) as web,
            ):
                assert (await come_back(web, house, "4711")).headers["location"] == "/"
    database = open_database(database_in(tmp_path))
    found, _ = Audit(database).entries(text="account.")
    database.dispose()
    assert [(entry.action, entry.who, entry.target) for entry in found] == [
        ("account.changed_by_oidc", "chen", "chen operator→supervisor 031→031"),
        ("account.made_by_oidc", "chen", "chen operator"),
    ]


async def test_another_browser_cannot_use_what_the_provider_sent(tmp_path: Path) -> None:
    with run_server_in_thread(user_claims=[CHEN]) as provider:
        settings = CLIENT | {"oidc_issuer": f"http://localhost:{provider.server_port}"}
        async with (
            running(tmp_path, open=False, **settings) as house,
            httpx.AsyncClient(timeout=60) as client,
        ):
            go = await client.get(f"{house.url}/v1/session/oidc")
            asked = parse_qs(urlsplit(go.headers["location"]).query)
            assert asked["code_challenge_method"] == ["S256"]
            said = await client.post(go.headers["location"], data={"sub": "4711"})
            async with httpx.AsyncClient(timeout=60) as thief:
                stolen = await thief.get(said.headers["location"])
                assert stolen.headers["location"] == "/login#error=access.oidc_expired"
            late = await client.get(said.headers["location"])  # once tried, it holds for nobody
            assert late.headers["location"] == "/login#error=access.oidc_expired"


async def test_a_provider_that_is_down_is_told_on_the_login_page(tmp_path: Path) -> None:
    settings = CLIENT | {"oidc_issuer": "http://127.0.0.1:9"}
    async with running(tmp_path, open=False, **settings) as house, httpx.AsyncClient(timeout=60) as client:
        go = await client.get(f"{house.url}/v1/session/oidc")
        assert re.search("access.oidc_unreachable$", go.headers["location"])
        assert (await client.get(f"{house.url}/v1/session/ways")).json()["single_sign_on"] is True
