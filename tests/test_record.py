"""The record of calls as people meet it: masked by role, unmasked with a reason, held, deleted, due."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from agent_ui.discretion import masked_document
from calls.keeping.deletion import STAYS, tables_with_calls
from calls.tables import facts
from knowledge_base.database import migrate, open_database
from scripts.cli import app
from tests.databases import database_in, in_both_houses, rows_in
from tests.house import START, House, receive, running, send, sound
from tests.test_door import peopled, signed_in

MOBILE, NAME = "13812342316", "王小明"
SAID = f"我叫{NAME}，电话是{MOBILE}，蓬莱新村的鹦鹉螺灯坏了"
DIGEST = "cd" * 32
CALL = f"rec-{DIGEST[:32]}"


def recorded(**changes: Any) -> dict[str, Any]:
    def line(number: int, text: str, **more: Any) -> dict[str, Any]:
        return {
            "segment_id": f"citizen-{number}",
            "party": "citizen",
            "start_s": number * 5.0,
            "end_s": number * 5.0 + 4.0,
            "text": text,
            "raw_text": text,
            "corrections": [],
        } | more

    lines = [line(1, SAID), line(2, "后面四位"), line(3, "138"), line(4, "1234"), line(5, "2316")]
    return {
        "digest": DIGEST,
        "name": "a.wav",
        "started_at": "2025-03-04T09:00:00+08:00",
        "seconds": 62.5,
        "operator_id": "027",
        "caller": MOBILE,
        "segments": lines,
    } | changes


async def fill(house: House) -> None:
    """One call from the archive, one with sound."""
    async with signed_in(house, "zhao") as client:
        assert (await client.post("/v1/calls/recorded", json=recorded())).status_code == 201
        headers = {"Cookie": "; ".join(f"{n}={v}" for n, v in client.cookies.items())}
        async with house.socket("/v1/calls/audio", additional_headers=headers) as line:
            await send(line, START | {"call_id": "c-live", "operator_id": "027", "caller": MOBILE})
            await receive(line)
            await line.send(sound(3.0))
            await send(line, {"type": "stop"})
            await receive(line)


async def indexed(client: httpx.AsyncClient, **query: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            page: dict[str, Any] = (await client.get("/v1/calls/search", params=query)).json()
            if not page["behind"]:
                return page
            await asyncio.sleep(0.1)


async def test_numbers_are_masked_by_role_and_unmasked_with_a_reason(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house:
        await fill(house)
        async with (
            signed_in(house, "zhao") as boss,
            signed_in(house, "li") as li,
            signed_in(house, "admin") as admin,
        ):
            for client in (boss, li, admin):
                listed = (await client.get("/v1/calls")).text
                found = json.dumps(await indexed(client, q="鹦鹉螺"), ensure_ascii=False)
                call = (await client.get(f"/v1/calls/{CALL}")).text
                lines = (await client.get(f"/v1/calls/{CALL}/lines")).text
                record = (await client.get(f"/v1/calls/{CALL}/record")).text
                sheet = (await client.get("/v1/calls/file")).text
                txt = (await client.get(f"/v1/calls/{CALL}/export", params={"format": "txt"})).text
                told = (await client.get(f"/v1/calls/{CALL}/export", params={"format": "json"})).text
                for text in (listed, found, call, lines, record, sheet, txt, told):
                    assert MOBILE not in text
                    assert "138****2316" in text
                for text in (call, lines, record, txt, told):  # dictated in pieces
                    assert "1234" not in text.replace("cdcd", "")
                assert sheet.startswith("\ufeff编号,")
            hit = (await indexed(boss, q="灯坏了"))["hits"][0]
            start, end = hit["line"]["marks"][0]
            assert hit["line"]["text"][start:end] == "灯坏了", "nothing moves"
            # An operator works on the own call: it has just ended.
            assert MOBILE in (await li.get("/v1/calls/c-live")).text
            assert MOBILE not in (await boss.get("/v1/calls/c-live")).text
            short = await boss.post(f"/v1/calls/{CALL}/unmask", json={"reason": " "})
            assert short.status_code == 422
            full = await boss.post(f"/v1/calls/{CALL}/unmask", json={"reason": f"回访 {MOBILE}"})
            assert MOBILE in full.text
            assert SAID in full.text
            assert full.json()["is_masked"] is False
            assert MOBILE not in (await boss.get(f"/v1/calls/{CALL}/record")).text, "once"
            log = (await admin.get("/v1/audit", params={"q": "unmask"})).json()["entries"]
            assert [(one["who"], one["target"]) for one in log] == [("zhao", f"{CALL} 回访 138****2316")]


async def test_lists_on_screens_are_masked_and_running_calls_are_not(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house:
        await fill(house)
        async with signed_in(house, "zhao") as boss, signed_in(house, "li") as li:
            for client, path, is_masked in (
                (boss, "/v1/screens/calls", True),
                (boss, "/v1/screens/calls/c-live", True),
                (boss, "/v1/screens/operators/027", True),
                (li, "/v1/screens/calls/c-live", False),
                (li, "/v1/screens/operators/027/calls", False),
            ):
                headers = {"Cookie": "; ".join(f"{n}={v}" for n, v in client.cookies.items())}
                async with house.socket(path, additional_headers=headers) as screen:
                    assert (MOBILE not in await screen.recv()) is is_masked, path


async def test_a_program_that_needs_numbers_has_them(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house:
        await fill(house)
        async with signed_in(house, "sun") as sun:
            assert MOBILE not in (await sun.get("/v1/calls")).text, "a person says why"
            body = {"name": "工单系统", "scopes": ["calls:all", "calls:personal"], "days": 30}
            key = (await sun.post("/v1/tokens", json=body)).json()["key"]
            plain = (await sun.post("/v1/tokens", json=body | {"scopes": ["calls:all"]})).json()["key"]
        async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
            for token, sees in ((key, True), (plain, False)):
                answer = await client.get("/v1/calls", headers={"Authorization": f"Bearer {token}"})
                assert (MOBILE in answer.text) is sees


def peopled_again(data_dir: Path, **changes: Any) -> Any:
    """The same house, whose people are there already."""
    return running(data_dir, open=False, **changes)


async def deleted_by_now(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(60):
        while True:
            if (await client.get("/v1/retention/deletions")).json()["deletions"]:
                return
            await asyncio.sleep(0.1)


def on_disk(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path, path.read_bytes()


def traces(folder: Path, *words: str) -> list[tuple[str, str]]:
    """Where any of the words stands in any file, or in any row of PostgreSQL."""
    where = database_in(folder)
    places = [(path.name, data) for path, data in on_disk(folder)]
    places += [] if isinstance(where, Path) else rows_in(where)
    return [(name, word) for name, data in places for word in words if word.encode() in data]


@in_both_houses
async def test_numbers_of_facts_are_never_given_again(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house, signed_in(house, "admin") as admin:
        numbers = []
        for digit in "ab":
            body = recorded(digest=digit * 64)
            assert (await admin.post("/v1/calls/recorded", json=body)).status_code == 201
            numbers.append(await asyncio.to_thread(fact_numbers, tmp_path))
            gone = await admin.delete(f"/v1/calls/rec-{digit * 32}", params={"reason": "市民要求"})
            assert gone.status_code == 200
        assert min(numbers[1][1:]) > max(numbers[0]), "whoever follows them by number misses none"
        assert len(await asyncio.to_thread(fact_numbers, tmp_path)) == 1, "one that says nothing"


def fact_numbers(folder: Path) -> list[int]:
    database = open_database(database_in(folder))
    with database.connect() as connection:
        found = sorted(connection.scalars(select(facts.c.fact_id)))
    database.dispose()
    return found


async def until_gone(folder: Path, *words: str) -> None:
    """The index lets go of its words after the answer."""
    async with asyncio.timeout(60):
        while True:
            if not traces(folder, *words):
                return
            await asyncio.sleep(0.2)


@in_both_houses
async def test_what_is_deleted_is_gone_from_the_disk(tmp_path: Path) -> None:
    words = (MOBILE, "鹦鹉螺", "鹦鹉", "蓬莱新村", "莱新", NAME)
    async with peopled(tmp_path) as house:
        await fill(house)
        async with signed_in(house, "admin") as admin, signed_in(house, "zhao") as boss:
            await indexed(admin, q="鹦鹉螺")
            assert {word for _, word in traces(tmp_path, *words)} == set(words)
            sounds = tmp_path / "audio"
            assert [path.stem for path in sounds.iterdir()] == ["c-live"]
            for client, code in ((boss, "access.forbidden"), (admin, None)):
                for call_id in (CALL, "c-live"):
                    gone = await client.delete(f"/v1/calls/{call_id}", params={"reason": "市民要求"})
                    assert gone.status_code == (403 if code else 200), gone.text
            assert gone.json()["counts"]["audio_bytes"] > 0
            for call_id in (CALL, "c-live"):
                for path in ("", "/record", "/lines", "/sound"):
                    assert (await admin.get(f"/v1/calls/{call_id}{path}")).status_code == 404
            assert (await indexed(admin, q="鹦鹉螺"))["total"] == 0
            kept = (await admin.get("/v1/retention/deletions")).json()
            assert [
                (one["call_id"], one["who"], one["reason"], one["what"]) for one in kept["deletions"]
            ] == [
                ("c-live", "admin", "市民要求", "call"),
                (CALL, "admin", "市民要求", "call"),
            ]
            assert kept["deletions"][1]["counts"]["lines"] == 5
            log = (await admin.get("/v1/audit", params={"q": "DELETE /v1/calls"})).json()["entries"]
            assert [one["target"].split()[:3] for one in log] == [
                ["c-live", "call", "市民要求"],
                [CALL, "call", "市民要求"],
            ]
            # A new call takes the numbers of the facts that are gone, and is found.
            changes = {"digest": "ee" * 32, "segments": [recorded()["segments"][1] | {"text": "珊瑚礁"}]}
            assert (await admin.post("/v1/calls/recorded", json=recorded(**changes))).status_code == 201
            assert (await indexed(admin, q="珊瑚"))["total"] == 1
        assert list(sounds.iterdir()) == []
        await until_gone(tmp_path, *(word for word in words if word != MOBILE))
    assert traces(tmp_path, "鹦鹉", "蓬莱新村", NAME) == []


@in_both_houses
async def test_a_held_call_stays(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house:
        await fill(house)
        async with signed_in(house, "admin") as admin, signed_in(house, "zhao") as boss:
            assert (await boss.put(f"/v1/calls/{CALL}/hold", json={"reason": "诉讼"})).status_code == 403
            held = await admin.put(f"/v1/calls/{CALL}/hold", json={"reason": "行政诉讼"})
            assert (held.json()["who"], held.json()["until"]) == ("admin", None)
            for what in ("call", "audio"):
                kept = await admin.delete(f"/v1/calls/{CALL}", params={"reason": "到期", "what": what})
                assert (kept.status_code, kept.json()["detail"]["code"]) == (409, "call.held")
            record = (await boss.get(f"/v1/calls/{CALL}/record")).json()
            assert (record["hold"]["reason"], record["may_manage"]) == ("行政诉讼", False)
            lifted = await admin.delete(f"/v1/calls/{CALL}/hold", params={"reason": "结案"})
            assert lifted.status_code == 204
            past = (datetime.now(UTC) - timedelta(days=1)).isoformat()
            await admin.put(f"/v1/calls/{CALL}/hold", json={"reason": "行政诉讼", "until": past})
            assert (await boss.get(f"/v1/calls/{CALL}/record")).json()["hold"]["is_over"] is True
            gone = await admin.delete(f"/v1/calls/{CALL}", params={"reason": "到期"})
            assert gone.status_code == 200, "a hold whose time has passed keeps nothing"


async def test_a_running_call_is_not_deleted(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house, signed_in(house, "admin") as admin:
        headers = {"Cookie": "; ".join(f"{n}={v}" for n, v in admin.cookies.items())}
        async with house.socket("/v1/calls/audio", additional_headers=headers) as line:
            await send(line, START | {"call_id": "c-1"})
            await receive(line)
            refused = await admin.delete("/v1/calls/c-1", params={"reason": "试一试"})
            assert (refused.status_code, refused.json()["detail"]["code"]) == (409, "call.running")


@in_both_houses
async def test_what_is_due_is_told_first_and_goes_by_night(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with peopled(tmp_path) as house:
        await fill(house)
        async with signed_in(house, "admin") as admin:
            old = recorded(digest="ee" * 32, started_at="2025-03-05T09:00:00+08:00")
            assert (await admin.post("/v1/calls/recorded", json=old)).status_code == 201
            await admin.put(f"/v1/calls/{CALL}/hold", json={"reason": "行政诉讼"})
            assert (await admin.get("/v1/retention/preview")).json()["due"] == []
            wish = {"changes": {"transcript_days": 30, "days_by_kind": "举报 0/0"}}
            assert (await admin.patch("/v1/system/settings", json=wish)).status_code == 200
            preview = (await admin.get("/v1/retention/preview")).json()  # it holds without a restart
            assert (preview["calls"], preview["held"]) == (1, 1)
    monkeypatch.setenv("ZHITING_DATA_DIR", str(tmp_path))
    dry = CliRunner().invoke(app, ["retention", "--dry-run", "--json"])
    assert dry.exit_code == 0, dry.output
    told = [json.loads(line) for line in dry.stdout.splitlines() if line.startswith("{")]
    assert [(one["call_id"], one["what"], one["is_held"]) for one in told] == [
        (CALL, "call", True),
        ("rec-" + "ee" * 16, "call", False),
    ]
    assert "没有删除任何内容" in dry.output
    async with peopled_again(tmp_path) as house, signed_in(house, "admin") as admin:
        await deleted_by_now(admin)  # the house looks when it opens, and then by night
        assert (await admin.get("/v1/calls/rec-" + "ee" * 16)).status_code == 404
        assert (await admin.get(f"/v1/calls/{CALL}")).status_code == 200, "held"
        assert (await admin.get("/v1/calls/c-live")).status_code == 200, "not due"
        preview = (await admin.get("/v1/retention/preview")).json()
        assert (preview["calls"], preview["held"]) == (0, 1)
        deleted = (await admin.get("/v1/retention/deletions")).json()["deletions"]
        assert [(one["who"], one["reason"]) for one in deleted] == [("保存期限", "保存满 30 天")]


async def test_lists_are_filtered_and_say_how_many_there_are(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house:
        await fill(house)
        async with signed_in(house, "zhao") as boss:

            async def ids(**query: Any) -> list[str]:
                answer = await boss.get("/v1/calls", params=query)
                assert answer.status_code == 200, answer.text
                assert answer.json()["total"] == len(answer.json()["calls"])
                return [call["call_id"] for call in answer.json()["calls"]]

            assert await ids() == ["c-live", CALL]
            assert await ids(**{"from": "2025-03-04", "to": "2025-03-04"}) == [CALL]
            assert await ids(caller="*2316") == ["c-live", CALL]
            assert await ids(caller="*9999") == []
            assert await ids(operator_id="028") == []
            assert await ids(kind="投诉") == []
            assert (await boss.get("/v1/calls", params={"caller": "*6"})).status_code == 422
            first = (await boss.get("/v1/calls", params={"limit": 1})).json()
            assert (len(first["calls"]), first["total"]) == (1, 2)


def test_every_table_with_calls_is_cleared_or_named(tmp_path: Path) -> None:
    database = open_database(database_in(tmp_path))
    migrate(database)
    with database.connect() as connection:
        names = tables_with_calls(connection)
    database.dispose()
    assert names >= {"calls", "facts", "indexed_calls", "call_holds", "call_deletions", "orders"}
    assert names >= STAYS


def test_what_a_wrap_up_knows_is_hidden_everywhere() -> None:
    line = {"segment_id": "citizen-1", "start_s": 1.0, "words": [{"text": NAME[:1]}, {"text": NAME[1:]}]}
    document = {
        "call": {"call_id": MOBILE, "caller": MOBILE, "meta": {"录音": f"{MOBILE}_027.wav"}},
        "segments": [line | {"text": f"我叫{NAME}，后面是1234", "raw_text": NAME, "corrections": []}],
        "cards": [{"excerpt": "请拨打0580-2260512"}],
        "work_order": {
            "caller_name": {"value": NAME, "drafted": NAME, "spans": []},
            "caller_phone": {"value": MOBILE, "drafted": "13812342317"},
            "summary": {"value": f"{NAME}反映灯不亮"},
        },
    }
    shown = masked_document(document)
    order = shown["work_order"]
    assert (order["caller_name"]["value"], order["caller_name"]["drafted"]) == ("王**", "王**")
    assert (order["caller_phone"]["value"], order["caller_phone"]["drafted"]) == (
        "138****2316",
        "138****2317",
    )
    assert order["summary"]["value"] == "王**反映灯不亮"
    assert shown["segments"][0]["text"] == "我叫王**，后面是****"
    assert [word["text"] for word in shown["segments"][0]["words"]] == ["王", "**"]
    assert shown["call"]["meta"] == {"录音": "138****2316_027.wav"}
    assert shown["call"]["call_id"] == MOBILE, "what a call is known by stays"
    assert shown["cards"] == document["cards"], "the knowledge's numbers are meant to be called"
