"""Searching and storing calls as an integrator meets it: the real application, an ordinary HTTP client."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from scripts.calls_cli import app
from tests.databases import in_both_houses
from tests.house import House, running
from tests.test_door import peopled, signed_in
from tests.test_rest import make_call

DIGEST = "ab" * 32


def recorded(**changes: Any) -> dict[str, Any]:
    """A call of yesterday's archive."""
    line = {
        "segment_id": "citizen-1",
        "party": "citizen",
        "start_s": 1.5,
        "end_s": 4.0,
        "text": "想问公积金提取",
        "raw_text": "想问攻击尽提取",
        "corrections": [{"start": 2, "heard": "攻击尽", "written": "公积金", "reason": "lexicon"}],
    }
    answer = line | {"segment_id": "operator-1", "party": "operator", "end_s": 6.0}
    answer |= {"text": "好的", "raw_text": "好的", "corrections": []}
    return {
        "digest": DIGEST,
        "name": "2026-03/a.wav",
        "started_at": "2025-03-04T09:00:00+08:00",
        "seconds": 62.5,
        "operator_id": "007",
        "caller": "13900000152",
        "segments": [line, answer],
    } | changes


async def store(house: House, body: dict[str, Any]) -> httpx.Response:
    async with httpx.AsyncClient(timeout=60) as client:
        return await client.post(f"{house.url}/v1/calls/recorded", json=body)


async def search(house: House, **query: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=60) as client:
        return await client.get(f"{house.url}/v1/calls/search", params=query)


async def found(house: House, **query: str) -> dict[str, Any]:
    """What is found once the index knows all that is on record."""
    async with asyncio.timeout(60):
        while True:
            page: dict[str, Any] = (await search(house, **query)).json()
            if not page["behind"]:
                return page
            await asyncio.sleep(0.1)


@in_both_houses
async def test_live_and_recorded_calls_are_found_side_by_side(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        await make_call(house, "c-live", started_at="2026-03-05T10:00:00+08:00", operator_id="007")
        stored = await store(house, recorded())
        assert (stored.status_code, stored.json()["status"]) == (201, "stored")
        call_id = stored.json()["call_id"]
        page = await found(house, q="第0")
        assert [hit["call_id"] for hit in page["hits"]] == ["c-live"]
        page = await found(house, q="攻击尽", by="sound")
        assert page["total"] == 1
        assert page["hits"][0] == {
            "call_id": call_id,
            "started_at": "2025-03-04T01:00:00Z",
            "operator_id": "007",
            "caller": "13900000152",
            "source": "recording",
            "line": {
                "segment_id": "citizen-1",
                "note_id": None,
                "voice": "citizen",
                "start_s": 1.5,
                "text": "想问公积金提取",
                "marks": [[2, 5]],
            },
            "lines": 1,
        }
        assert (await found(house, q="公积金", source="live"))["total"] == 0
        assert (await found(house, q="公积金", **{"from": "2025-03-04", "to": "2025-03-04"}))["total"] == 1
        assert (await found(house, q="公积金", **{"from": "2025-03-05"}))["total"] == 0
        assert (await found(house, q="公积金", to="2025-03-04T00:59:59Z"))["total"] == 0
        assert (await found(house, q="公积金", party="operator"))["total"] == 0


async def test_a_recorded_call_is_one_that_has_ended_at_its_own_time(tmp_path: Path) -> None:
    async with running(tmp_path) as house, house.socket("/v1/screens/calls") as screen:
        assert '"calls":[]' in await screen.recv()
        call_id = (await store(house, recorded())).json()["call_id"]
        async with httpx.AsyncClient(timeout=60) as client:
            told = (await client.get(f"{house.url}/v1/calls/{call_id}")).json()
            listed = (await client.get(f"{house.url}/v1/calls?operator_id=007")).json()["calls"]
            sound = await client.get(f"{house.url}/v1/calls/{call_id}/audio?last_s=5")
        call = told["call"]
        assert (call["state"], call["end_reason"], call["seconds"]) == ("ended", "recorded", 62.5)
        assert call["started_at"] == "2025-03-04T09:00:00+08:00"
        assert call["ended_at"] == "2025-03-04T09:01:02.500000+08:00"
        assert call["meta"] == {"来源": "录音转写", "录音": "2026-03/a.wav", "file": {"sha256": DIGEST}}
        assert [line["text"] for line in told["segments"]] == ["想问公积金提取", "好的"]
        assert told["segments"][0]["corrections"][0]["heard"] == "攻击尽"
        assert [one["call_id"] for one in listed] == [call_id]
        assert (sound.status_code, sound.json()["detail"]["code"]) == (404, "call.no_audio")
        with pytest.raises(TimeoutError):  # no screen is told that somebody calls
            await asyncio.wait_for(screen.recv(), 1.0)
        async with house.socket("/v1/screens/operators/007") as desk:
            assert '"call":null' in await desk.recv()


async def test_the_same_file_comes_in_once_also_when_sent_at_once(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        answers = await asyncio.gather(*(store(house, recorded()) for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [200] * 4 + [201]
        again = await store(house, recorded(seconds=5, segments=[]))  # by another model, say
        assert (again.status_code, again.json()["status"]) == (200, "known")
        page = await found(house, q="公积金")
        assert (page["total"], page["hits"][0]["lines"]) == (1, 1)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"started_at": "2099-01-01T00:00:00Z"}, 422, "recorded.in_future"),
        ({"started_at": "2025-03-04T09:00:00"}, 422, "recorded.bad"),
        ({"started_at": "1970-01-01T00:00:00Z"}, 422, "recorded.bad"),
        ({"digest": "abc"}, 422, "recorded.bad"),
        ({"segments": [recorded()["segments"][0]] * 2}, 422, "recorded.bad"),
        ({"seconds": -1}, 422, "recorded.bad"),
        ({"name": "长" * 3_000_000}, 413, "recorded.too_large"),
    ],
)
async def test_what_cannot_be_stored_has_a_code_and_changes_nothing(
    tmp_path: Path, changes: dict[str, Any], status: int, code: str
) -> None:
    async with running(tmp_path) as house:
        answer = await store(house, recorded(**changes))
        assert (answer.status_code, answer.json()["detail"]["code"]) == (status, code)
        assert answer.json()["detail"]["message"]
        async with httpx.AsyncClient(timeout=60) as client:
            assert (await client.get(f"{house.url}/v1/calls")).json() == {"calls": [], "total": 0}


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({}, 422, "search.empty"),
        ({"q": "，。"}, 422, "search.empty"),
        ({"q": "长" * 101}, 422, "search.too_long"),
        ({"q": "水", "by": "smell"}, 422, None),
        ({"q": "水", "from": "gestern"}, 422, None),
        ({"q": "水", "limit": "101"}, 422, None),
        ({"q": "水", "to": "9999-12-31"}, 422, None),
        ({"q": "水", "from": "0001-01-01T00:00:00+14:00"}, 422, None),
    ],
)
async def test_a_question_that_cannot_be_asked_is_refused(
    tmp_path: Path, query: dict[str, str], status: int, code: str | None
) -> None:
    async with running(tmp_path) as house:
        answer = await search(house, **query)
        assert answer.status_code == status
        if code is not None:
            assert answer.json()["detail"]["code"] == code
            assert answer.json()["detail"]["message"]


async def test_many_searches_at_once_are_all_answered_or_refused_with_a_code(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        await store(house, recorded())
        await found(house, q="公积金")
        answers = await asyncio.gather(*(search(house, q="公积金") for _ in range(80)))
        by_status = {status: [a for a in answers if a.status_code == status] for status in (200, 503)}
        assert len(by_status[200]) + len(by_status[503]) == 80
        assert by_status[200]
        assert all(one.json()["total"] == 1 for one in by_status[200])
        assert all(one.json()["detail"]["code"] == "search.busy" for one in by_status[503])


async def test_the_index_is_built_anew_beside_the_running_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHITING_DATA_DIR", str(tmp_path))
    async with running(tmp_path) as house:
        await store(house, recorded())
        before = await found(house, q="公积金")
        done = await asyncio.to_thread(CliRunner().invoke, app, ["reindex"])
        assert (done.exit_code, "已重建" in done.stderr) == (0, True), done.output
        assert await found(house, q="公积金") == before


async def test_operators_find_and_store_calls_of_their_own_seat_alone(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house:
        async with signed_in(house, "sun") as integrator:
            for digest, seat in (("a", "027"), ("b", "028")):
                body = recorded(digest=digest * 64, operator_id=seat)
                assert (await integrator.post("/v1/calls/recorded", json=body)).status_code == 201
        async with signed_in(house, "li") as operator, signed_in(house, "zhao") as supervisor:
            theirs = recorded(digest="c" * 64, operator_id="028")
            stored = await operator.post("/v1/calls/recorded", json=theirs)
            assert stored.status_code == 201
            own = (await operator.get(f"/v1/calls/{stored.json()['call_id']}")).json()["call"]
            assert own["operator_id"] == "027"
            async with asyncio.timeout(60):
                while True:
                    if (await supervisor.get("/v1/calls/search?q=公积金")).json()["total"] == 3:
                        break
                    await asyncio.sleep(0.1)
            for query, total in (("", 2), ("&operator_id=028", 0), ("&operator_id=027", 2)):
                page = (await operator.get(f"/v1/calls/search?q=公积金{query}")).json()
                assert (page["total"], len(page["hits"])) == (total, total)
                assert {hit["operator_id"] for hit in page["hits"]} <= {"027"}
        async with httpx.AsyncClient(base_url=house.url, timeout=60) as stranger:
            for answer in (
                await stranger.get("/v1/calls/search?q=公积金"),
                await stranger.post("/v1/calls/recorded", json=recorded()),
            ):
                assert answer.status_code == 401


async def test_the_form_of_a_recorded_call_can_be_read_in_openapi(tmp_path: Path) -> None:
    async with running(tmp_path) as house, httpx.AsyncClient(timeout=60) as client:
        document = (await client.get(f"{house.url}/openapi.json")).json()
    references = set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)))
    assert any("recorded" in one for one in references)
    for one in references:
        found = document
        for step in one.split("/"):
            found = found[step.replace("~1", "/")]
