"""`zhiting simulate-caller` as a process of its own, and what it does to packets."""

import asyncio
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from asr.decode import linear_pcm
from scripts.caller_sounds import Impairment, at_rate, encoded, impaired, packets_of
from tests.house import running
from tests.line_parts import spooled, talk, until_ended
from tests.real_server import ROOT, environment, free_port


def recorded(path: Path) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 8000, 0, "NONE", ""))
        file.writeframes(talk(1.0).samples.tobytes())
    return path


async def command(tmp_path: Path, *options: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "scripts.cli", "simulate-caller", *options),
        cwd=ROOT,
        env=environment(tmp_path / "elsewhere"),
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    return process.returncode, said.decode()


async def test_a_recording_comes_in_as_a_carrier_brings_it(tmp_path: Path) -> None:
    call = recorded(tmp_path / "call.wav")
    async with running(tmp_path / "house") as house:
        code, said = await command(
            tmp_path,
            *(str(call), "--protocol", "freeswitch", "--server", house.url, "--speed", "50"),
            *("--call-id", "a-1", "--operator", "027", "--operator-left"),
        )
        assert (code, said.strip()) == (0, "a-1: 1.0 s played, 0 messages came back")
        seen = await until_ended(house, "a-1")
    assert seen["call"]["operator_id"] == "027"
    assert seen["call"]["seconds"] == 1.0
    # The server takes the citizen first, who is on the right of this recording.
    assert spooled(tmp_path / "house", "a-1") == talk(1.0).samples[:, ::-1].tobytes()


@pytest.mark.parametrize(
    ("protocol", "code", "said"),
    [("pigeon", 2, "unknown protocol pigeon"), ("twilio", 1, "no connection to")],
)
async def test_what_cannot_be_played_is_said(tmp_path: Path, protocol: str, code: int, said: str) -> None:
    call = recorded(tmp_path / "call.wav")
    server = f"http://127.0.0.1:{free_port()}"
    got = await command(tmp_path, str(call), "--protocol", protocol, "--server", server)
    assert got[0] == code
    assert said in got[1]


@pytest.mark.parametrize("encoding", ["mulaw", "alaw"])
def test_every_code_of_g711_is_written_as_it_was_read(encoding: str) -> None:
    levels = linear_pcm(encoding, bytes(range(256)))
    again = encoded(np.frombuffer(levels, "<i2"), encoding)
    assert linear_pcm(encoding, again) == levels


def test_the_same_seed_hurts_the_same_packets() -> None:
    packets = packets_of(talk(20.0), encoding="mulaw")
    hurt = Impairment(loss=0.1, duplicate=0.1, late=0.1, reorder_ms=200)
    once = impaired(packets, hurt)
    assert once == impaired(packets, hurt) != impaired(packets, Impairment(loss=0.1, seed=2))
    assert impaired(packets, Impairment()) == packets
    kept = {(packet.channel, packet.number) for packet in once}
    assert 0.85 < len(kept) / len(packets) < 0.95
    assert len(once) > len(kept)
    assert [packet.leaves_s for packet in once] == sorted(packet.leaves_s for packet in once)
    assert [packet.number for packet in once] != sorted(packet.number for packet in once)


def test_a_recording_of_another_rate_keeps_its_length() -> None:
    assert at_rate(talk(1.0), 16_000).seconds == pytest.approx(1.0)
