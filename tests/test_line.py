"""The line: sound in at the carrier's pace, out at the ears' pace, with gaps and skips in media time."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asr.types import SAMPLE_RATE_HZ, AudioFrame, Party
from calls.line import Line, LineOptions
from calls.spool import Spool
from calls.tape import Tape, Tapes
from calls.types import AudioFormat, StorageFailed

WIDE = AudioFormat(encoding="pcm_s16le", sample_rate_hz=16_000, channels=("citizen", "operator"))


def open_line(
    folder: Path, *, options: LineOptions | None = None, heard: int = 0
) -> tuple[Line, list[tuple[float, float]]]:
    skipped: list[tuple[float, float]] = []

    async def on_skipped(start_s: float, seconds: float) -> None:
        skipped.append((round(start_s, 3), round(seconds, 3)))

    line = Line(
        call_id="c-1",
        audio_format=WIDE,
        tape=Tape(Spool(folder / "c-1.raw", WIDE), Tapes(folder)),
        on_skipped=on_skipped,
        options=options or LineOptions(),
        heard=heard,
    )
    return line, skipped


def sound(seconds: float, first: int = 0) -> bytes:
    """A ramp on the left, its negative on the right: every sample tells its place."""
    n = round(seconds * 16_000)
    ramp = ((np.arange(first, first + n) % 30_000) + 1).astype("<i2")
    return np.stack([ramp, -ramp], axis=1).tobytes()


async def hear(line: Line) -> dict[Party, list[AudioFrame]]:
    heard: dict[Party, list[AudioFrame]] = {Party.CITIZEN: [], Party.OPERATOR: []}
    async for frame in line.frames():
        heard[frame.party].append(frame)
    return heard


@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(pieces=st.lists(st.integers(1, 9000), min_size=1, max_size=20))
def test_whatever_the_pieces_the_sound_comes_out_whole(tmp_path: Path, pieces: list[int]) -> None:
    async def work() -> None:
        (tmp_path / "c-1.raw").unlink(missing_ok=True)
        line, skipped = open_line(tmp_path)
        listening = asyncio.create_task(hear(line))
        position = 0
        for n in pieces:
            await line.feed(sound(n / 16_000, position))
            position += n
            await asyncio.sleep(0)
        line.hang_up()
        heard = await listening
        await line.close()
        assert skipped == []
        expected = np.frombuffer(sound(position / 16_000), "<i2").reshape(-1, 2) / 32768
        for channel, party in enumerate((Party.CITIZEN, Party.OPERATOR)):
            samples = np.concatenate([frame.samples for frame in heard[party]])
            np.testing.assert_allclose(samples, expected[:, channel], atol=1e-6)
            for before, after in zip(heard[party], heard[party][1:], strict=False):
                assert after.start_s == pytest.approx(before.end_s)

    asyncio.run(work())


async def test_a_gap_lets_media_time_go_on(tmp_path: Path) -> None:
    line, _ = open_line(tmp_path)
    await line.feed(sound(1.0))
    await line.leave_gap(30.0)
    await line.feed(sound(1.0))
    line.hang_up()
    frames = (await hear(line))[Party.CITIZEN]
    await line.close()
    assert line.received_s == pytest.approx(32.0)
    assert sum(len(frame.samples) for frame in frames) == 2 * SAMPLE_RATE_HZ
    assert frames[-1].end_s == pytest.approx(32.0)
    assert not any(1.0 < frame.start_s < 31.0 for frame in frames)


async def test_when_nobody_listens_the_oldest_sound_is_skipped_and_kept(tmp_path: Path) -> None:
    options = LineOptions(max_unheard_s=2.0, patience_s=0.02, skip_s=1.0, max_unwritten_s=0.0)
    line, skipped = open_line(tmp_path, options=options)
    for second in range(5):
        await line.feed(sound(1.0, second * 16_000))
    assert skipped == [(0.0, 1.0), (1.0, 1.0), (2.0, 1.0)]
    assert line.unheard_s == pytest.approx(2.0)
    line.hang_up()
    frames = (await hear(line))[Party.CITIZEN]
    assert frames[0].start_s == pytest.approx(3.0)
    assert len(line.skipped) == 1
    again = [frame async for frame in line.frames_of(line.skipped[0]) if frame.party is Party.CITIZEN]
    await line.close()
    samples = np.concatenate([frame.samples for frame in again])
    expected = np.frombuffer(sound(3.0), "<i2").reshape(-1, 2)[:, 0] / 32768
    np.testing.assert_allclose(samples, expected, atol=1e-6)


async def test_a_carrier_that_is_quicker_than_time_is_slowed_and_loses_nothing(tmp_path: Path) -> None:
    options = LineOptions(max_unheard_s=1.0, patience_s=5.0)
    line, skipped = open_line(tmp_path, options=options)
    listening = asyncio.create_task(hear(line))
    for second in range(20):
        await line.feed(sound(1.0, second * 16_000))
    line.hang_up()
    frames = (await listening)[Party.CITIZEN]
    await line.close()
    assert skipped == []
    assert frames[-1].end_s == pytest.approx(20.0)


async def test_a_torn_frame_is_cut_off_when_the_spool_is_opened_again(tmp_path: Path) -> None:
    line, _ = open_line(tmp_path)
    await line.feed(sound(1.0))
    await line.close()
    with (tmp_path / "c-1.raw").open("ab") as file:
        file.write(b"\x01\x02\x03")
    line, _ = open_line(tmp_path, heard=WIDE.n_bytes(0.5))
    assert line.received_s == pytest.approx(1.0)
    line.hang_up()
    frames = (await hear(line))[Party.OPERATOR]
    await line.close()
    assert frames[0].start_s == pytest.approx(0.5)
    assert frames[-1].end_s == pytest.approx(1.0)


def test_a_spool_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    (tmp_path / "in the way").write_text("a file where a folder must be")
    with pytest.raises(StorageFailed, match="录音"):
        Spool(tmp_path / "in the way" / "c-1.raw", WIDE)
