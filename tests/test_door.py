"""The door from outside: cookies, CSRF, roles, other people's calls."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from access.gate import Gate
from access.types import Role
from knowledge_base.database import migrate, open_database
from tests.databases import database_in, prepare
from tests.house import START, House, receive, running, send, sound
from tests.test_access import PASSWORD
from tests.test_audio_socket import closing_code

PEOPLE = {
    "admin": (Role.ADMIN, ""),
    "li": (Role.OPERATOR, "027"),
    "wang": (Role.OPERATOR, "028"),
    "zhao": (Role.SUPERVISOR, ""),
    "sun": (Role.INTEGRATOR, ""),
}


@asynccontextmanager
async def peopled(data_dir: Path, **changes: object) -> AsyncIterator[House]:
    """A house in which five people have accounts."""
    from datetime import UTC, datetime

    prepare(database_in(data_dir))
    database = open_database(database_in(data_dir))
    migrate(database)
    gate = Gate.open(database, clock=lambda: datetime.now(UTC), keys={})
    for name, (role, seat) in PEOPLE.items():
        gate.accounts.add(name, role=role, password=PASSWORD, operator_id=seat, now=gate.clock())
    database.dispose()
    async with running(data_dir, open=False, **changes) as house:
        yield house


@asynccontextmanager
async def signed_in(house: House, name: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a session, which brings the CSRF mark by itself."""
    async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        answer = await client.post("/v1/session", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
        yield client


def cookie(client: httpx.AsyncClient) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in client.cookies.items())}


async def test_nobody_comes_in_without_signing_in(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house, httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        for path in (
            "/v1/calls",
            "/v1/articles",
            "/v1/search?q=水",
            "/v1/session",
            "/v1/accounts",
            "/v1/audit",
        ):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["detail"]["code"]) == (401, "access.unauthorised"), path
        for path in ("/v1/calls/audio", "/v1/screens/calls", "/v1/screens/calls/c-1", "/v1/screens/hall"):
            async with house.socket(path) as socket:
                assert await closing_code(socket) == 4401
        ways = (await client.get("/v1/session/ways")).json()
        assert ways == {"needs_first_account": False, "single_sign_on": False, "is_open": False}
        for page in ("/", "/login", "/healthz"):
            assert (await client.get(page)).status_code == 200


async def test_a_session_lasts_until_it_is_signed_out_wherever_its_cookie_was_copied(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house, signed_in(house, "li") as client:
        set_cookie = (await client.post("/v1/session", json={"name": "li", "password": PASSWORD})).headers[
            "set-cookie"
        ]
        assert "HttpOnly" in set_cookie
        assert "SameSite=strict" in set_cookie
        client.headers["X-CSRF-Token"] = (await client.get("/v1/session")).json()["csrf"]
        stolen = cookie(client)
        async with httpx.AsyncClient(base_url=house.url, headers=stolen, timeout=60) as thief:
            assert (await thief.get("/v1/session")).json()["name"] == "li"
            assert (await client.delete("/v1/session")).status_code == 204
            assert (await thief.get("/v1/session")).status_code == 401
        async with house.socket("/v1/screens/operators/027", additional_headers=stolen) as socket:
            assert await closing_code(socket) == 4401


async def test_a_change_needs_the_csrf_mark_and_a_page_of_ours(tmp_path: Path) -> None:
    new = {"title": "新知识", "body": "正文在此。"}
    async with peopled(tmp_path) as house, signed_in(house, "admin") as client:
        assert (await client.post("/v1/articles", json=new, headers={"X-CSRF-Token": ""})).json()["detail"][
            "code"
        ] == "access.csrf"
        foreign = {"Origin": "http://evil.example"}
        for path, body in (("/v1/articles", new), ("/v1/session", {"name": "li", "password": PASSWORD})):
            answer = await client.post(path, json=body, headers=foreign)
            assert (answer.status_code, answer.json()["detail"]["code"]) == (403, "access.foreign_origin")
        async with house.socket(
            "/v1/screens/calls", origin="http://evil.example", additional_headers=cookie(client)
        ) as socket:
            assert await closing_code(socket) == 4403
        made = await client.post("/v1/articles", json=new | {"author": "somebody else"})
        assert made.status_code == 201
        assert made.json()["author"] == "admin"  # people sign with their own name


async def test_roles_may_do_their_own_work_and_no_other(tmp_path: Path) -> None:
    reads = ("/v1/articles", "/v1/calls", "/v1/search?q=水")
    async with peopled(tmp_path) as house:
        for name in PEOPLE:
            async with signed_in(house, name) as client:
                for path in reads:
                    assert (await client.get(path)).status_code == 200, (name, path)
                allowed = {
                    "/v1/accounts": name == "admin",
                    "/v1/audit": name == "admin",
                    "/v1/lexicon": name == "admin",
                    "/v1/tokens": name in ("admin", "sun"),
                }
                for path, may in allowed.items():
                    assert (await client.get(path)).status_code == (200 if may else 403), (name, path)
                article = {"title": f"知识{name}", "body": "正文。"}
                made = await client.post("/v1/articles", json=article)
                assert made.status_code == (201 if name == "admin" else 403), name
                assert (await client.post("/v1/kb/publish")).status_code in (
                    (202, 409) if name == "admin" else (403,)
                )


async def test_an_operator_sees_and_takes_own_calls_alone(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house, signed_in(house, "li") as li, signed_in(house, "wang") as wang:
        async with house.socket("/v1/calls/audio", additional_headers=cookie(li)) as line:
            await send(line, START | {"call_id": "c-li", "operator_id": "028"})  # says it is another seat
            assert (await receive(line))["type"] == "started"
            await line.send(sound(1.2))
            assert (await li.get("/v1/calls/c-li")).json()["call"]["operator_id"] == "027"
            assert (await li.get("/v1/calls")).json()["calls"][0]["call_id"] == "c-li"
            assert (await wang.get("/v1/calls")).json() == {"calls": [], "total": 0}
            assert (await wang.get("/v1/calls/c-li")).status_code == 404
            for path in ("calls/c-li", "operators/027", "operators/027/calls", "calls"):
                async with house.socket(f"/v1/screens/{path}", additional_headers=cookie(wang)) as socket:
                    assert await closing_code(socket) == 4403, path
            for path in ("calls/c-li", "operators/027"):
                async with house.socket(f"/v1/screens/{path}", additional_headers=cookie(li)) as socket:
                    assert (await receive(socket))["call"]["call_id"] == "c-li"
            async with house.socket(
                "/v1/screens/operators/027/calls", additional_headers=cookie(li)
            ) as socket:
                snapshot = await receive(socket)
                assert [call["call_id"] for call in snapshot["calls"]] == ["c-li"]
            async with house.socket("/v1/calls/audio", additional_headers=cookie(wang)) as other:
                await send(other, START | {"call_id": "c-li", "reconnect": True})
                assert (await receive(other))["code"] == "call.not_yours"
                assert await closing_code(other) == 4403
            await send(line, {"type": "stop"})
            assert (await receive(line))["type"] == "ended"
        async with signed_in(house, "zhao") as zhao:
            assert (await zhao.get("/v1/calls")).json()["calls"][0]["call_id"] == "c-li"
            async with house.socket("/v1/screens/calls", additional_headers=cookie(zhao)) as socket:
                assert (await receive(socket))["type"] == "snapshot"


async def test_a_token_is_as_strong_as_its_maker_let_it_be(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house, signed_in(house, "sun") as sun:
        asked = {"name": "交换机", "scopes": ["audio"], "days": 30}
        too_much = await sun.post("/v1/tokens", json=asked | {"scopes": ["system"]})
        assert too_much.status_code == 403
        made = (await sun.post("/v1/tokens", json=asked)).json()
        assert made["key"].startswith("zt_")
        listed = (await sun.get("/v1/tokens")).json()
        assert [(one["name"], one["key"]) for one in listed] == [("交换机", None)]
        switch = House(port=house.port, token=made["key"])
        async with switch.socket("/v1/calls/audio") as line:
            await send(line, START | {"call_id": "c-1", "operator_id": "031"})
            assert (await receive(line))["type"] == "started"
            await send(line, {"type": "stop"})
            assert (await receive(line))["type"] == "ended"
        async with switch.socket("/v1/screens/calls/c-1") as socket:
            assert await closing_code(socket) == 4403
        bearer = {"Authorization": f"Bearer {made['key']}"}
        async with httpx.AsyncClient(base_url=house.url, headers=bearer, timeout=60) as client:
            assert (await client.get("/v1/articles")).status_code == 403
            await sun.delete(f"/v1/tokens/{made['token_id']}")
            assert (await client.get("/v1/articles")).status_code == 401


async def test_whoever_is_locked_out_loses_the_open_screens_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_ui.sockets.LOOK_EVERY_S", 0.05)
    async with (
        peopled(tmp_path) as house,
        signed_in(house, "li") as li,
        signed_in(house, "admin") as admin,
        house.socket("/v1/screens/operators/027", additional_headers=cookie(li)) as screen,
    ):
        assert (await receive(screen))["type"] == "snapshot"
        changed = await admin.patch("/v1/accounts/li", json={"is_active": False})
        assert changed.json()["is_active"] is False
        assert await closing_code(screen) == 4401


async def test_an_account_is_changed_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house, signed_in(house, "admin") as admin:
        refused = await admin.patch("/v1/accounts/li", json={"role": "admin", "password": "short"})
        assert (refused.status_code, refused.json()["detail"]["code"]) == (422, "access.weak_password")
        listed = {one["name"]: one["role"] for one in (await admin.get("/v1/accounts")).json()}
        assert listed["li"] == "operator"


async def test_every_change_is_in_the_audit_log_and_no_secret_is(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house, signed_in(house, "admin") as admin:
        made = await admin.post("/v1/articles", json={"title": "新知识", "body": "正文在此。"})
        article_id = made.json()["article_id"]
        await admin.patch("/v1/accounts/li", json={"password": "another horse 8"})
        await admin.post("/v1/articles", json={"title": "", "body": ""})  # refused: changes nothing
        entries = (await admin.get("/v1/audit")).json()["entries"]
        seen = [(entry["who"], entry["action"], entry["target"], entry["address"]) for entry in entries]
        assert seen[0] == ("admin", "PATCH /v1/accounts/{name}", "li password", "127.0.0.1")
        assert seen[1] == ("admin", "POST /v1/articles", article_id, "127.0.0.1")
        assert seen[2][:2] == ("admin", "session.opened")
        file = await admin.get("/v1/audit/file")
        assert file.content.startswith(b"\xef\xbb\xbf")
        assert "another horse" not in file.text


async def test_oversized_bodies_are_refused(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house, httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        long = await client.post("/v1/session", json={"name": "li", "password": "x" * 2000})
        assert long.status_code == 422


async def test_pages_and_files_stay_within_their_folder(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house, httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        for path in (
            "/static/../door.py",
            "/static/%2e%2e/door.py",
            "/static/..%2fdoor.py",
            "/static//etc/passwd",
        ):
            assert (await client.get(path)).status_code == 404, path
