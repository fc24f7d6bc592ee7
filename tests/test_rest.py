"""REST as an integrator meets it: the real application, an ordinary HTTP client."""

from pathlib import Path

import httpx
import pytest

from knowledge_base.types import KnowledgeError
from tests.house import START, House, Script, receive, running, send, sound

TOKEN = "a-token-long-enough"


async def get(house: House, path: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=60) as client:
        return await client.get(house.url + path, headers=headers)


async def make_call(house: House, call_id: str, **more: str) -> None:
    async with house.socket("/v1/calls/audio") as line:
        await send(line, START | {"call_id": call_id} | more)
        await receive(line)
        await line.send(sound(1.2))
        await send(line, {"type": "stop"})
        assert (await receive(line))["type"] == "ended"


async def test_calls_are_listed_newest_first_whatever_their_time_zone(tmp_path: Path) -> None:
    async with running(tmp_path, Script({"第0秒": ("T001",)})) as house:
        await make_call(house, "c-early", started_at="2026-03-05T10:00:00+08:00")
        await make_call(house, "c-late", started_at="2026-03-05T03:00:00Z")
        calls = (await get(house, "/v1/calls")).json()["calls"]
        assert [call["call_id"] for call in calls] == ["c-late", "c-early"]
        assert {call["state"] for call in calls} == {"ended"}
        assert (await get(house, "/v1/calls?state=live")).json() == {"calls": [], "total": 0}
        page = (await get(house, "/v1/calls?limit=1&offset=1")).json()["calls"]
        assert [call["call_id"] for call in page] == ["c-early"]
        call = (await get(house, "/v1/calls/c-late")).json()
        assert [line["text"] for line in call["segments"]] == ["第0秒"]
        assert [card["article_id"] for card in call["cards"]] == ["T001"]
        assert (call["call"]["end_reason"], call["call"]["seconds"]) == ("hangup", 1.2)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/calls/nobody", 404, "call.unknown"),
        ("/v1/articles/nobody", 404, "kb.unknown_article"),
        ("/v1/search?q=水", 503, "kb.busy"),
        ("/v1/calls?offset=99999999999999999999", 422, None),
        ("/v1/articles?offset=99999999999999999999", 422, None),
        ("/v1/calls?limit=0", 422, None),
        ("/v1/calls?state=asleep", 422, None),
        ("/v1/search?q=", 422, None),
        ("/v1/nothing", 404, None),
    ],
)
async def test_what_cannot_be_answered_has_a_status_and_a_code(
    tmp_path: Path, path: str, status: int, code: str | None
) -> None:
    busy = KnowledgeError("检索请求过多。", code="kb.busy", recoverable=True)
    async with running(tmp_path, Script(answer=busy)) as house:
        answer = await get(house, path)
        assert answer.status_code == status
        if code is not None:
            assert answer.json()["detail"]["code"] == code
            assert answer.json()["detail"]["message"]


async def test_health_and_readiness_need_no_token(tmp_path: Path) -> None:
    async with running(tmp_path, token=TOKEN, max_calls=1) as house:
        assert (await get(house, "/healthz")).json() == {"status": "ok"}
        ready = await get(house, "/readyz")
        assert (ready.status_code, ready.json()["ready"], ready.json()["calls"]) == (200, True, 0)
        async with house.socket("/v1/calls/audio") as line:
            await send(line, START)
            await receive(line)
            full = await get(house, "/readyz")
            assert (full.status_code, full.json()["ready"]) == (503, False)
            assert full.json()["reason"]


async def test_the_token_opens_rest(tmp_path: Path) -> None:
    async with running(tmp_path, token=TOKEN) as house:
        for headers, status in (
            ({}, 401),
            ({"Authorization": "Bearer another-token-entirely"}, 401),
            ({"Authorization": f"Bearer {TOKEN}"}, 200),
            ({"Authorization": f"bearer {TOKEN}"}, 200),
            ({"Authorization": f"Bearer {TOKEN}", "Host": "zhiting.example"}, 200),
            ({"Authorization": f"Bearer {TOKEN}", "Origin": "http://evil.example"}, 403),
        ):
            assert (await get(house, "/v1/calls", **headers)).status_code == status, headers
        assert (await get(house, f"/v1/calls?token={TOKEN}")).status_code == 401  # it would stand in logs


async def test_without_a_token_a_name_that_points_here_does_not_open_the_door(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        name = f"rebound.example:{house.port}"
        assert (await get(house, "/v1/calls", Host=name)).status_code == 403
        assert (await get(house, "/v1/calls", Host=name, Origin=f"http://{name}")).status_code == 403
        for own in (f"localhost:{house.port}", f"127.0.0.1:{house.port}", f"[::1]:{house.port}"):
            assert (await get(house, "/v1/calls", Host=own, Origin=f"http://{own}")).status_code == 200
        foreign = await get(house, "/v1/calls", Origin="http://evil.example")
        assert foreign.json()["detail"]["code"] == "access.foreign_origin"
