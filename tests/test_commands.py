"""What people at the screens do: each command over a real socket, seen by every screen of the call."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from agent_ui.events import SCREEN_EVENTS
from agent_ui.hub import Hub
from agent_ui.screens import CLOSE_STUCK, Desk
from asr.types import Correction, Segment
from calls.commands import Commands
from calls.journal import Journal
from calls.records import Records
from calls.streams import streams_of
from calls.types import CallEnded, CallStarted, EndReason, SegmentShown, Stream
from knowledge_base.database import migrate, open_database
from knowledge_base.types import Article, KnowledgeError, Passage, PassageKind
from retrieval.types import Findings, Match
from tests import call_parts
from tests.conftest import Clock
from tests.databases import database_in
from tests.house import START, House, Script, receive, receive_until, running, send, sound

AUDIO, SCREEN = "/v1/calls/audio", "/v1/screens/calls/c-1"


async def open_call(house: House, seconds: float = 1.2) -> ClientConnection:
    line = await house.socket(AUDIO)
    await send(line, START | {"call_id": "c-1", "operator_id": "027"})
    await receive(line)
    await line.send(sound(seconds))
    return line


def is_type(*names: str) -> Any:
    return lambda event: event["type"] in names


def holds_a_final(event: dict[str, Any]) -> bool:
    """Only a final can be corrected, not the partial before it."""
    return bool(event.get("segments")) or bool(event["seq"] and "segment" in event)


async def shown_suggestion(screen: ClientConnection) -> str:
    """The suggestion on screen, once there is one."""
    events = await receive_until(
        screen, lambda event: event["type"] == "suggestion.shown" or event.get("suggestion_id") is not None
    )
    last = events[-1]
    return str(last["suggestion"]["suggestion_id"] if "suggestion" in last else last["suggestion_id"])


async def test_a_mark_is_seen_by_every_screen_and_changes_the_cards(tmp_path: Path) -> None:
    script = Script({"第0秒": ("T001", "T002")})
    async with running(tmp_path, script) as house:
        line = await open_call(house)
        async with house.socket(SCREEN) as mine, house.socket("/v1/screens/operators/027") as other:
            suggestion_id = await shown_suggestion(mine)
            assert await shown_suggestion(other) == suggestion_id
            command = {"type": "suggestion.mark", "suggestion_id": suggestion_id, "article_id": "T001"}
            await send(mine, command | {"mark": "pinned"})
            for screen in (mine, other):
                marked = (await receive_until(screen, is_type("suggestion.marked")))[-1]
                assert (marked["article_id"], marked["mark"]) == ("T001", "pinned")
                SCREEN_EVENTS.validate_python(marked)
            await send(other, command | {"mark": "dismissed"})
            for screen in (mine, other):
                events = await receive_until(screen, is_type("suggestion.shown"))
                assert "suggestion.marked" in [event["type"] for event in events]
                assert events[-1]["suggestion"]["suggestion_id"] == "s-marked"
        assert [mark.value for _, mark in script.assistants[0].marks] == ["pinned", "dismissed"]
        async with house.socket(SCREEN) as again:
            snapshot = await receive(again)
        assert [mark["mark"] for mark in snapshot["marks"]] == ["pinned", "dismissed"]
        assert [shown["card"]["article_id"] for shown in snapshot["history"]] == ["T001", "T002"]
        await send(line, {"type": "stop"})


async def test_a_mark_survives_a_reload_and_the_end_of_the_call(tmp_path: Path) -> None:
    async with running(tmp_path, Script({"第0秒": ("T001",)})) as house:
        line = await open_call(house)
        async with house.socket(SCREEN) as screen:
            suggestion_id = await shown_suggestion(screen)
            await send(line, {"type": "stop"})
            await receive_until(screen, is_type("call.ended"))
            mark = {"suggestion_id": suggestion_id, "article_id": "T001", "mark": "helpful"}
            await send(screen, {"type": "suggestion.mark"} | mark)
            await receive_until(screen, is_type("suggestion.marked"))
        async with house.socket(SCREEN) as again:
            assert (await receive(again))["marks"] == [mark | {"by": "本机"}]


async def test_a_corrected_line_is_the_line_from_then_on(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        line = await open_call(house)
        async with house.socket(SCREEN) as screen:
            await receive_until(screen, holds_a_final)
            await send(
                screen, {"type": "segment.correct", "segment_id": "citizen-1", "text": " 路面积水了。 "}
            )
            corrected = (await receive_until(screen, is_type("segment.corrected")))[-1]
            SCREEN_EVENTS.validate_python(corrected)
            assert corrected["segment"]["text"] == "路面积水了。"
            assert corrected["segment"]["raw_text"] == "第0秒"
            await send(screen, {"type": "segment.correct", "segment_id": "citizen-99", "text": "没有这行"})
            error = (await receive_until(screen, is_type("error")))[-1]
            assert (error["code"], error["recoverable"], error["seq"]) == ("segment.unknown", True, None)
        async with house.socket(SCREEN) as again:
            assert [s["text"] for s in (await receive(again))["segments"]] == ["路面积水了。"]
        await send(line, {"type": "stop"})


async def keep_a_corrected_call(data_dir: Path) -> Segment:
    """An ended call on record, with a line in which our own lexicon changed two words."""
    engine = open_database(database_in(data_dir))
    migrate(engine)
    journal = Journal(engine, lambda entries: None)
    journal.start()
    heard = Segment(
        call_id="c-1",
        segment_id="citizen-1",
        party=call_parts.Party.CITIZEN,
        start_s=0.0,
        end_s=2.0,
        text="普陀区的公积金。",
        raw_text="普托区的攻击尽",
        is_final=True,
        corrections=(
            Correction(start=0, heard="普托区", written="普陀区", reason="lexicon"),
            Correction(start=4, heard="攻击尽", written="公积金", reason="lexicon"),
        ),
    )
    call = call_parts.call()
    for fact in (
        CallStarted(call=call),
        SegmentShown(segment=heard),
        CallEnded(reason=EndReason.HANGUP, seconds=2.0),
    ):
        await journal.append(fact, call_id=call.call_id, streams=streams_of(fact, call), at=call_parts.START)
    await journal.stop()
    engine.dispose()
    return heard


async def test_our_own_corrections_can_be_undone_one_by_one(tmp_path: Path) -> None:
    await keep_a_corrected_call(tmp_path)
    async with running(tmp_path) as house, house.socket(SCREEN) as screen:
        await receive(screen)
        undo = {"type": "correction.undo", "segment_id": "citizen-1"}
        await send(screen, undo | {"index": 0})
        first = await receive(screen)
        assert first["segment"]["text"] == "普托区的公积金。"
        assert [left["written"] for left in first["segment"]["corrections"]] == ["公积金"]
        await send(screen, undo | {"index": 1})
        assert (await receive(screen))["code"] == "correction.unknown"
        await send(screen, undo | {"index": 0})
        assert (await receive(screen))["segment"]["text"] == "普托区的攻击尽。"


async def test_two_people_who_undo_at_once_do_not_undo_each_other(tmp_path: Path) -> None:
    await keep_a_corrected_call(tmp_path)
    async with (
        running(tmp_path) as house,
        house.socket(SCREEN) as one,
        house.socket(SCREEN) as other,
    ):
        for screen in (one, other):
            await receive(screen)  # the snapshot: what comes after it comes as an event
        undo = {"type": "correction.undo", "segment_id": "citizen-1"}
        await asyncio.gather(send(one, undo | {"index": 1}), send(other, undo | {"index": 0}))
        await receive_until(one, lambda event: event.get("segment", {}).get("text") == "普托区的攻击尽。")


def match(article_id: str) -> Match:
    article = Article(
        article_id=article_id, title="公积金提取", body="带身份证到窗口办理。", department="公积金中心"
    )
    passage = Passage(
        passage_id=1,
        article_id=article_id,
        title=article.title,
        text=article.body,
        kind=PassageKind.BODY,
        content_hash="0" * 64,
    )
    return Match(article=article, passage=passage, score=0.7)


async def test_a_question_is_answered_to_who_asked(tmp_path: Path) -> None:
    script = Script(answer=Findings(kb_version="v1", matches=(match("T001"), match("T002"))))
    async with running(tmp_path, script) as house:
        line = await open_call(house)
        async with house.socket(SCREEN) as mine, house.socket(SCREEN) as other:
            await receive(mine)
            await receive(other)
            await send(mine, {"type": "question.ask", "text": "公积金怎么提取"})
            answer = (await receive_until(mine, is_type("question.answered")))[-1]
            SCREEN_EVENTS.validate_python(answer)
            assert [(card["slot"], card["article_id"]) for card in answer["cards"]] == [
                (0, "T001"),
                (1, "T002"),
            ]
            assert (answer["text"], answer["seq"], answer["call_id"]) == ("公积金怎么提取", None, "c-1")
            await send(line, {"type": "stop"})
            others = await receive_until(other, is_type("call.ended"))
            assert "question.answered" not in [event["type"] for event in others]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("{", "screen.bad_command"),
        (b"\x00\x01", "screen.bad_command"),
        ('{"type":"call.delete"}', "screen.bad_command"),
        ('{"type":"question.ask","text":""}', "screen.bad_command"),
        ('{"type":"question.ask","text":"水","to":"all"}', "screen.bad_command"),
        ('{"type":"correction.undo","segment_id":"citizen-1","index":-1}', "screen.bad_command"),
        (
            '{"type":"suggestion.mark","suggestion_id":"s-9","article_id":"T001","mark":"used"}',
            "suggestion.unknown",
        ),
        ('{"type":"segment.correct","segment_id":"citizen-9","text":"好"}', "segment.unknown"),
    ],
)
async def test_a_wrong_command_is_told_and_disturbs_nothing(
    tmp_path: Path, command: str | bytes, code: str
) -> None:
    async with running(tmp_path) as house:
        line = await open_call(house, 0.5)
        async with house.socket(SCREEN) as screen:
            await receive(screen)
            await screen.send(command)
            error = (await receive_until(screen, is_type("error")))[-1]
            assert (error["code"], error["recoverable"], error["seq"]) == (code, True, None)
            await line.send(sound(1.0))
            await receive_until(screen, is_type("segment.shown"))
        await send(line, {"type": "stop"})


async def test_where_there_is_no_call_there_is_nothing_to_mark(tmp_path: Path) -> None:
    mark = {"type": "suggestion.mark", "suggestion_id": "s", "article_id": "a", "mark": "used"}
    async with running(tmp_path) as house:
        for path in ("/v1/screens/calls", "/v1/screens/operators/027"):
            async with house.socket(path) as screen:
                await receive(screen)
                await send(screen, mark)
                assert (await receive(screen))["code"] == "screen.no_call"


async def test_a_search_that_is_busy_is_an_answer_too(tmp_path: Path) -> None:
    script = Script(answer=KnowledgeError("检索请求过多。", code="kb.busy", recoverable=True))
    async with running(tmp_path, script) as house, house.socket(SCREEN) as screen:
        await receive(screen)
        await send(screen, {"type": "question.ask", "text": "水"})
        assert (await receive(screen))["code"] == "kb.busy"


async def test_what_nobody_foresaw_closes_the_screen_in_words(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    script = Script(answer=ZeroDivisionError("secret words of a citizen"))
    async with running(tmp_path, script) as house, house.socket(SCREEN) as screen:
        await receive(screen)
        await send(screen, {"type": "question.ask", "text": "水"})
        error = await receive(screen)
        assert (error["type"], error["code"], error["recoverable"]) == ("error", "screen.failed", True)
        with pytest.raises(ConnectionClosed):
            await screen.recv()
        assert screen.close_code == 1011
        async with house.socket(SCREEN) as again:
            assert (await receive(again))["type"] == "snapshot"
    assert "a screen of call broke" in caplog.text


class DeafScreen:
    """A socket whose other end reads nothing."""

    def __init__(self) -> None:
        self.closed_with: int | None = None
        self.left = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "websocket.disconnect", "code": 1006}

    async def send_text(self, text: str) -> None:
        await asyncio.Event().wait()

    async def close(self, code: int) -> None:
        self.closed_with = code
        await asyncio.Event().wait()  # the way out is blocked for this too


async def test_a_screen_that_reads_nothing_is_given_up(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_ui.screens.SEND_TIMEOUT_S", 0.05)
    monkeypatch.setattr("agent_ui.screens.LAST_WORD_S", 0.05)
    await keep_a_corrected_call(tmp_path)
    engine = open_database(database_in(tmp_path))
    records = Records(engine)
    hub = Hub(records=records, clock=clock)
    journal = Journal(engine, hub.tell)

    async def find(text: str, k: int) -> Findings:
        raise AssertionError("nobody asked")

    commands = Commands(journal=journal, records=records, switchboard=None, clock=clock)  # type: ignore[arg-type]
    desk = Desk(hub=hub, records=records, commands=commands, find=find, clock=clock)
    screen = DeafScreen()
    async with asyncio.timeout(60):
        await desk.show_call(screen, "c-1", None, "li", str)  # type: ignore[arg-type]
    assert screen.closed_with == CLOSE_STUCK
    assert hub.screens == 0
    assert records.current_call(Stream.call("c-1")) == "c-1"
    engine.dispose()
