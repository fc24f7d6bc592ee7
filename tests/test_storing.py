"""Transcripts are sent to the real application, which keeps them as calls, by the command's own sender."""

import asyncio
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from asr.batch.manifest import Manifest
from asr.batch.papers.types import Paper
from asr.batch.types import Source
from asr.types import Correction, Party, Segment, Word
from scripts.call_names import read_name
from scripts.storing import ASK_AGAIN_S, NotStored, Sender, Sent, StartedFrom, Store
from tests.house import House, running
from tests.real_server import free_port

ZONE = ZoneInfo("Asia/Shanghai")
NAME = "夜班/13900000152_007_20250304090000.wav"
PATTERN = re.compile(r"(?P<caller>\d+)_(?P<operator>\d+)_(?P<time>\d{14})")
TOKEN = "a-token-long-enough"


@pytest.mark.parametrize(
    ("name", "time"),
    [
        ("20260305103205.wav", "2026-03-05T10:32:05+08:00"),
        ("2026-03-05_10.32.05-007.mp3", "2026-03-05T10:32:05+08:00"),
        ("in/2026-03-05 10:32:05 a.ogg", "2026-03-05T10:32:05+08:00"),
        ("20260305-103205_8812.wav", "2026-03-05T10:32:05+08:00"),
        ("20261305103205.wav", None),
        ("120260305103205.wav", None),
        ("call-1.wav", None),
    ],
)
def test_a_name_tells_when_its_call_began(name: str, time: str | None) -> None:
    told = read_name(name, None, ZONE).started_at
    assert (told.isoformat() if told else None) == time


def test_a_pattern_tells_who_and_when() -> None:
    told = read_name(NAME, PATTERN, ZONE)
    assert (told.caller, told.operator_id) == ("13900000152", "007")
    assert told.started_at == datetime(2025, 3, 4, 1, 0, tzinfo=UTC)
    seat = read_name("20250304090000-k12.wav", re.compile(r"-k(?P<operator>\d+)"), ZONE)
    assert (seat.operator_id, seat.caller) == ("12", None)
    assert seat.started_at == datetime(2025, 3, 4, 1, 0, tzinfo=UTC)  # found without the pattern
    assert read_name("call-1.wav", PATTERN, ZONE).started_at is None


@pytest.fixture
def manifest(tmp_path: Path) -> Iterator[Manifest]:
    manifest = Manifest(tmp_path / "out" / "book.db")
    yield manifest
    manifest.close()


def source(tmp_path: Path, name: str = NAME) -> Source:
    path = tmp_path / name.replace("/", "-")
    path.write_bytes(name.encode())
    return Source(path=path, name=name, digest=hashlib.sha256(name.encode()).hexdigest())


def paper(text: str = "想问公积金提取", name: str = NAME) -> Paper:
    segment = Segment(
        call_id="a-name",
        segment_id="citizen-1",
        party=Party.CITIZEN,
        start_s=1.0,
        end_s=4.0,
        text=text,
        raw_text="想问攻击尽提取",
        is_final=True,
        words=(Word(text="想", start_s=1.0, end_s=1.2, probability=0.9),),
        avg_logprob=-0.2,
        corrections=(Correction(start=2, heard="攻击尽", written="公积金", reason="lexicon"),),
    )
    return Paper(name=name, seconds=62.5, parties=(Party.CITIZEN,), segments=(segment,), notes=())


def sender(house: House | str, manifest: Manifest, **options: object) -> Sender:
    store = Store(
        server=house if isinstance(house, str) else house.url,
        token=None if isinstance(house, str) else house.token,
        zone=ZONE,
        **options,  # type: ignore[arg-type]
    )
    return Sender(store, manifest, now=lambda: datetime.now(UTC))


async def calls_of(house: House) -> list[dict[str, object]]:
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {house.token}"}, timeout=60) as client:
        found: list[dict[str, object]] = (await client.get(f"{house.url}/v1/calls")).json()["calls"]
        return found


async def test_a_transcript_becomes_a_call_once(tmp_path: Path, manifest: Manifest) -> None:
    async with running(tmp_path / "house", token=TOKEN) as house:
        one = sender(house, manifest, name_pattern=PATTERN)
        assert await asyncio.to_thread(one.send, source(tmp_path), paper()) is Sent.STORED
        (call,) = await calls_of(house)
        assert (call["caller"], call["operator_id"], call["seconds"]) == ("13900000152", "007", 62.5)
        assert datetime.fromisoformat(str(call["started_at"])) == datetime(2025, 3, 4, 1, 0, tzinfo=UTC)
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as client:
            (line,) = (await client.get(f"{house.url}/v1/calls/{call['call_id']}")).json()["segments"]
        assert (line["text"], line["raw_text"]) == ("想问公积金提取", "想问攻击尽提取")
        assert line["corrections"][0]["heard"] == "攻击尽"
        assert line["words"][0]["text"] == "想"
        assert await asyncio.to_thread(one.send, source(tmp_path), paper()) is Sent.KNOWN
        # Another run of another model, and another manifest: the server knows it by its content.
        other = Manifest(tmp_path / "other.db")
        again = sender(house, other, resend=True)
        renamed = source(tmp_path)
        assert await asyncio.to_thread(again.send, renamed, paper("想问攻击尽提取")) is Sent.KNOWN
        assert len(await calls_of(house)) == 1
        for each in (one, again, other):
            each.close()


async def test_what_waited_while_the_server_was_away_is_sent_later(
    tmp_path: Path, manifest: Manifest
) -> None:
    port, at_s = free_port(), [0.0]
    store = Store(server=f"http://127.0.0.1:{port}/", token=None, zone=ZONE)
    one = Sender(store, manifest, now=lambda: datetime.now(UTC), monotonic=lambda: at_s[0])
    assert one.send(source(tmp_path), paper()) is Sent.WAITING
    assert "连不上" in one.trouble
    async with running(tmp_path / "house", on_port=port) as house:
        assert await asyncio.to_thread(one.send, source(tmp_path), paper()) is Sent.WAITING  # not asked yet
        at_s[0] += ASK_AGAIN_S
        assert await asyncio.to_thread(one.send, source(tmp_path), paper()) is Sent.STORED
        assert len(await calls_of(house)) == 1
    one.close()


async def test_a_server_that_lets_nobody_in_is_asked_once(tmp_path: Path, manifest: Manifest) -> None:
    async with running(tmp_path / "house", token=TOKEN) as house:
        one = sender(house.url, manifest)
        assert await asyncio.to_thread(one.send, source(tmp_path), paper()) is Sent.WAITING
        assert "access.unauthorised" in one.trouble
        assert await asyncio.to_thread(one.send, source(tmp_path), paper()) is Sent.WAITING
        assert await calls_of(house) == []
        one.close()


async def test_one_call_that_is_refused_does_not_keep_others_out(tmp_path: Path, manifest: Manifest) -> None:
    async with running(tmp_path / "house", token=TOKEN) as house:
        one = sender(house, manifest)
        with pytest.raises(NotStored) as refused:
            await asyncio.to_thread(one.send, source(tmp_path, "20991231235959.wav"), paper())
        assert refused.value.code == "recorded.in_future"
        with pytest.raises(NotStored) as refused:
            await asyncio.to_thread(one.send, source(tmp_path, "call-1.wav"), paper())
        assert refused.value.code == "store.no_time"
        assert "--started-from mtime" in refused.value.message
        in_gbk = replace(source(tmp_path), name=os.fsdecode("夜班".encode("gbk") + b"_20250304090000.wav"))
        assert await asyncio.to_thread(one.send, in_gbk, paper()) is Sent.STORED
        one.close()


@pytest.mark.parametrize("started_from", [StartedFrom.MTIME, StartedFrom.NOW])
async def test_a_call_ended_when_its_file_was_written_or_now(
    tmp_path: Path, manifest: Manifest, started_from: StartedFrom
) -> None:
    written = datetime(2025, 3, 4, 1, 0, tzinfo=UTC)
    one_source = source(tmp_path, "call-1.wav")
    os.utime(one_source.path, (written.timestamp(), written.timestamp()))
    async with running(tmp_path / "house", token=TOKEN) as house:
        one = sender(house, manifest, started_from=started_from)
        assert await asyncio.to_thread(one.send, one_source, paper()) is Sent.STORED
        (call,) = await calls_of(house)
        expected = written if started_from is StartedFrom.MTIME else datetime.now(UTC)
        ended = datetime.fromisoformat(str(call["ended_at"]))
        assert abs((ended - expected).total_seconds()) < 60
        one.close()
