"""Sound on its way to a disk that makes it wait, or does not take it: in order, heard once it is there."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from agent_ui.upkeep import tell_slow_disk
from asr.types import AudioFrame
from calls.admission import Opening
from calls.line import Line, LineOptions
from calls.notices import SLOW_DISK
from calls.spool import Spool
from calls.tape import Tapes
from calls.types import AudioFormat, CallDegraded, CallState, CallStuck, StorageFailed, Stream
from tests.board import WIDE, Board, until
from tests.conftest import Clock
from tests.house import sound

MULAW = AudioFormat(encoding="mulaw", sample_rate_hz=8000, channels=("citizen",))


class Disk:
    """A disk that can be made to wait, or to be full; it takes what belongs to a call piece by piece."""

    def __init__(self) -> None:
        self.is_full = False
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.waiting = 0

    def open(self, path: Path, audio_format: AudioFormat) -> Spool:
        disk = self
        if self.is_full:
            raise StorageFailed("录音无法写入磁盘（测试）。")

        class Slow(Spool):
            def append(self, data: bytes) -> None:
                disk.waiting += 1
                assert disk.goes_on.wait(60)
                disk.waiting -= 1
                if disk.is_full:
                    raise StorageFailed("录音无法写入磁盘（测试）。")
                super().append(data)

        return Slow(path, audio_format)


@pytest.fixture
def disk() -> Disk:
    return Disk()


@asynccontextmanager
async def opened(folder: Path, disk: Disk, options: LineOptions | None = None) -> AsyncIterator[Line]:
    async def on_skipped(start_s: float, seconds: float) -> None:
        raise AssertionError("nothing is skipped")

    tapes = Tapes(folder, open_spool=disk.open)
    yield Line(
        call_id="c-1",
        audio_format=WIDE,
        tape=await tapes.open("c-1", WIDE),
        on_skipped=on_skipped,
        options=options or LineOptions(),
    )
    await tapes.aclose()


def ramp(first: int, n: int) -> bytes:
    return ((np.arange(first, first + n) % 30_000) + 1).astype("<i2").tobytes()


async def hear(line: Line, heard: list[AudioFrame]) -> None:
    async for frame in line.frames():
        heard.append(frame)


def seconds(frames: list[AudioFrame]) -> float:
    return sum(len(frame.samples) for frame in frames) / 16_000


async def test_a_disk_that_waits_makes_only_a_carrier_wait_that_has_brought_much(
    tmp_path: Path, disk: Disk
) -> None:
    async with opened(tmp_path, disk) as line:
        heard: list[AudioFrame] = []
        hearing = asyncio.create_task(hear(line, heard))
        disk.goes_on.clear()
        for second in range(2):
            await line.feed(ramp(second * 16_000, 16_000))  # taken at once
        feeding = asyncio.create_task(line.feed(ramp(32_000, 16_000)))
        await until(lambda: disk.waiting == 1)
        assert (await asyncio.wait({feeding}, timeout=0.1))[0] == set()
        assert heard == []
        assert (line.received_s, line.unheard_s) == (3.0, 3.0)
        assert line.behind_s > 0.0
        disk.goes_on.set()
        await feeding
        line.hang_up()
        await hearing
        await line.close()
    samples = np.concatenate([frame.samples for frame in heard])
    np.testing.assert_allclose(samples, np.frombuffer(ramp(0, 48_000), "<i2") / 32768, atol=1e-6)
    assert (tmp_path / "c-1.raw").read_bytes() == ramp(0, 48_000)
    assert line.behind_s == 0.0


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(pieces=st.lists(st.tuples(st.booleans(), st.integers(0, 4000)), max_size=12))
def test_sound_and_gaps_stand_in_the_file_in_the_order_in_which_they_came(
    tmp_path: Path, pieces: list[tuple[bool, int]]
) -> None:
    async def work() -> None:
        (tmp_path / "c-1.raw").unlink(missing_ok=True)
        tapes = Tapes(tmp_path, rest_s=0.0)
        tape = await tapes.open("c-1", MULAW)
        expected = b""
        for n, (is_gap, length) in enumerate(pieces):
            data = b"\xff" * length if is_gap else bytes([n]) * length
            expected += data
            if is_gap:
                tape.put_silence(length)
            else:
                tape.put(data)
            if n % 3 == 2:
                await asyncio.sleep(0)
        assert tape.taken == len(expected)
        await tape.written()
        assert tape.end == len(expected)
        assert await tape.read(0, tape.end) == expected
        await tape.close()
        await tapes.aclose()
        assert (tmp_path / "c-1.raw").read_bytes() == expected

    asyncio.run(work())


async def test_what_a_full_disk_did_not_take_is_said_once_and_is_not_there(
    tmp_path: Path, disk: Disk
) -> None:
    async with opened(tmp_path, disk) as line:
        await line.feed(ramp(0, 16_000))
        assert await line.settled(60.0) == 1.0
        disk.is_full = True
        await line.feed(ramp(16_000, 16_000))
        with pytest.raises(StorageFailed):
            await line.leave_gap(5.0)
        assert (line.received_s, line.unheard_s) == (1.0, 1.0)
        disk.is_full = False
        await line.feed(ramp(16_000, 16_000))  # brought again
        await line.leave_gap(1.0)
        await line.feed(ramp(0, 16_000))
        line.hang_up()
        heard: list[AudioFrame] = []
        await hear(line, heard)
        await line.close()
    assert line.received_s == 4.0
    assert [frame for frame in heard if 2.0 < frame.start_s < 3.0] == []
    assert seconds(heard) == pytest.approx(3.0)


async def test_a_gap_that_could_not_be_written_takes_no_media_time(tmp_path: Path, disk: Disk) -> None:
    async with opened(tmp_path, disk) as line:
        heard: list[AudioFrame] = []
        hearing = asyncio.create_task(hear(line, heard))
        await line.feed(ramp(0, 16_000))
        await line.settled(60.0)
        disk.is_full = True
        with pytest.raises(StorageFailed):
            await line.leave_gap(5.0)
        disk.is_full = False
        await line.feed(ramp(16_000, 16_000))
        line.hang_up()
        await hearing
        await line.close()
    assert line.received_s == 2.0
    assert seconds(heard) == pytest.approx(2.0)


async def test_a_call_whose_last_words_cannot_be_written_does_not_end_as_if_they_were(
    tmp_path: Path, disk: Disk
) -> None:
    async with opened(tmp_path, disk) as line:
        heard: list[AudioFrame] = []
        hearing = asyncio.create_task(hear(line, heard))
        await line.feed(ramp(0, 16_000))
        await until(lambda: seconds(heard) > 0.8)
        disk.is_full = True
        await line.feed(ramp(16_000, 16_000))
        line.hang_up()
        with pytest.raises(StorageFailed):
            await hearing
        await line.close()
    assert line.received_s == 1.0


async def test_a_tape_closes_by_itself_and_whoever_opens_the_call_again_waits_for_it(
    tmp_path: Path, disk: Disk
) -> None:
    tapes = Tapes(tmp_path, open_spool=disk.open)
    tape = await tapes.open("c-1", WIDE)
    disk.goes_on.clear()
    tape.put(ramp(0, 16_000))
    await until(lambda: disk.waiting == 1)
    tape.put(ramp(16_000, 16_000))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await tape.close()
    with pytest.raises(StorageFailed):
        tape.put(b"\x00\x00")
    opening = asyncio.create_task(tapes.open("c-1", WIDE, at_least=96_000))
    assert (await asyncio.wait({opening}, timeout=0.1))[0] == set()
    disk.goes_on.set()
    again = await opening
    assert again.end == 96_000
    assert await again.read(0, again.end) == ramp(0, 32_000) + bytes(32_000)
    await again.close()
    await tapes.aclose()


async def test_a_line_that_comes_back_goes_on_where_the_disk_has_got_to(
    engine: Engine, clock: Clock, tmp_path: Path, disk: Disk
) -> None:
    board = Board(engine, clock, tmp_path, tapes=Tapes(tmp_path, open_spool=disk.open))
    session = await board.switchboard.open(Opening(call_id="c-1", audio_format=WIDE))
    await board.switchboard.feed(session, sound(1.0))
    disk.goes_on.clear()
    await board.switchboard.feed(session, sound(1.0))
    await board.switchboard.lose(session)
    coming = asyncio.create_task(board.switchboard.reconnect("c-1", WIDE, is_buffered=True))
    assert (await asyncio.wait({coming}, timeout=0.1))[0] == set()
    disk.is_full = True  # the second that was taken is not written after all
    disk.goes_on.set()
    await until(lambda: disk.waiting == 0)
    disk.is_full = False
    again, received_s = await coming
    assert again is session
    await board.switchboard.feed(session, sound(3.0)[round(received_s * 32_000) :])
    assert await board.switchboard.hang_up(session) == 3.0
    assert board.texts() == ["第0秒", "第1秒", "第2秒"]
    await board.close()


async def test_a_call_whose_disk_hangs_is_let_go_and_taken_up_again(
    engine: Engine, clock: Clock, tmp_path: Path, disk: Disk
) -> None:
    options = {"stuck_s": 0.05, "resumable_s": 0.05}
    tapes = Tapes(tmp_path, open_spool=disk.open)
    board = Board(engine, clock, tmp_path, tapes=tapes, options=options)
    session = await board.switchboard.open(Opening(call_id="c-1", audio_format=WIDE))
    await board.switchboard.feed(session, sound(1.0))
    await until(lambda: board.texts() == ["第0秒"])
    disk.goes_on.clear()
    await board.switchboard.feed(session, sound(1.0))
    with pytest.raises(CallStuck):
        await board.switchboard.hang_up(session)
    await board.state(CallState.INTERRUPTED)
    disk.goes_on.set()
    await until(lambda: disk.waiting == 0)
    disk.is_full = True  # nor does it let the sound be opened
    await asyncio.sleep(0.2)
    disk.is_full = False
    await board.state(CallState.ENDED)
    assert board.texts() == ["第0秒", "第1秒"]
    await board.close()


async def test_the_screens_are_told_once_that_the_disk_keeps_sound_waiting(
    engine: Engine, clock: Clock, tmp_path: Path, disk: Disk
) -> None:
    board = Board(engine, clock, tmp_path, tapes=Tapes(tmp_path, open_spool=disk.open))
    telling = asyncio.create_task(tell_slow_disk(board.switchboard))
    session = await board.switchboard.open(Opening(call_id="c-1", audio_format=WIDE))
    other = await board.switchboard.open(Opening(call_id="c-2", audio_format=WIDE))
    for _ in range(2):
        disk.goes_on.clear()
        await board.switchboard.feed(session, sound(1.0))
        await until(lambda: session.line.behind_s > 3.0)
        disk.goes_on.set()
        await until(lambda: session.line.behind_s == 0.0)
    for one in (session, other):
        await board.switchboard.hang_up(one)
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)
    await board.close()
    codes = [
        (entry.call_id, entry.fact.code)
        for entry in board.told
        if entry.stream.startswith(Stream.call("")) and isinstance(entry.fact, CallDegraded)
    ]
    assert codes == [("c-1", SLOW_DISK)]
