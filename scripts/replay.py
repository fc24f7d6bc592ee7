"""Plays a recording into a server as if it were a live call, and survives the server's restarts.

In: an audio file, a server's address, a speed. Out: what the server said, and progress for a person.
Not known here: recognition, screens, anything of the server but its protocol.
"""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from asr.recordings import file_to_pcm

BLOCK_S = 0.1
_RETRY_S = (0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0, 8.0)
_PASSING = ("call.id_in_use", "call.storage_failed", "call.failed")
"""Errors that pass when a call is taken up again: a silent line is noticed by the server after 40 s."""


class ReplayFailed(Exception):
    """The server refused the call, or could not be reached in time; the message is for a person."""


class _NotYet(Exception):
    """The server still holds our old connection, or cannot write at the moment; it will take us later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Sound ready to be sent."""

    name: str
    rate_hz: int
    channels: tuple[str, ...]
    samples: NDArray[np.int16]
    """Shape (n, channels)."""

    @property
    def seconds(self) -> float:
        """How long it sounds."""
        return len(self.samples) / self.rate_hz


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """How the recording is to be played."""

    server: str
    """`http://host:port`, as a browser would name it."""
    token: str | None = None
    speed: float = 1.0
    call_id: str | None = None
    operator_id: str | None = None
    caller: str | None = None


def read_recording(path: Path, *, is_operator_left: bool = False) -> Recording:
    """Read a file of one or two channels. Raises `asr.types.BadAudio`, `ReplayFailed`."""
    pcm = file_to_pcm(path)
    samples = pcm.samples
    if samples.shape[1] > 2:
        raise ReplayFailed(f"{path.name}: {samples.shape[1]} channels; a call has one or two")
    channels: tuple[str, ...] = ("citizen", "operator") if samples.shape[1] == 2 else ("mixed",)
    if is_operator_left:
        channels = tuple(reversed(channels))
    return Recording(name=path.name, rate_hz=pcm.sample_rate_hz, channels=channels, samples=samples)


async def replay(
    recording: Recording, options: Replay, on_progress: Callable[[str, float], None]
) -> dict[str, Any]:
    """Stream the recording; returns the server's `ended` message.

    `on_progress(call_id, media_s)` is called now and then. When the connection breaks, the call is
    taken up again where the server's copy ends. Raises `ReplayFailed`.
    """
    call_id, is_started, failures, reached_s = options.call_id, False, 0, 0.0
    while True:
        try:
            async with connect(
                _socket_url(options.server),
                additional_headers={"Authorization": f"Bearer {options.token}"} if options.token else None,
                max_size=1_048_576,
            ) as socket:
                started = await _start(socket, recording, options, call_id, is_again=is_started)
                call_id, is_started = started["call_id"], True
                position_s = started.get("received_s", 0.0)
                if position_s > reached_s:  # a server that takes nothing is given up one day
                    failures, reached_s = 0, position_s
                return await _stream(socket, recording, options, started, on_progress)
        except InvalidStatus as error:
            raise ReplayFailed(f"server answered {error.response.status_code}") from error
        except (ConnectionClosed, OSError, _NotYet) as error:
            if failures >= len(_RETRY_S):
                raise ReplayFailed(f"no connection to {options.server}: {error}") from error
            await asyncio.sleep(_RETRY_S[failures])
            failures += 1


async def _start(
    socket: ClientConnection, recording: Recording, options: Replay, call_id: str | None, *, is_again: bool
) -> dict[str, Any]:
    start = {
        "type": "start",
        "encoding": "pcm_s16le",
        "sample_rate": recording.rate_hz,
        "channels": recording.channels,
        "call_id": call_id,
        "operator_id": options.operator_id,
        "caller": options.caller,
        "meta": {"录音": recording.name[:200]},
        "reconnect": is_again,
        "buffered": is_again,
    }
    await socket.send(json.dumps({key: value for key, value in start.items() if value is not None}))
    return await _expect(socket, "started", passing=_PASSING if is_again else ())


async def _stream(
    socket: ClientConnection,
    recording: Recording,
    options: Replay,
    started: dict[str, Any],
    on_progress: Callable[[str, float], None],
) -> dict[str, Any]:
    position = round(started.get("received_s", 0.0) * recording.rate_hz)
    block = round(BLOCK_S * recording.rate_hz)
    begun, origin = time.monotonic(), position
    while position < len(recording.samples):
        data = recording.samples[position : position + block]
        due = (position + len(data) - origin) / recording.rate_hz / options.speed
        # Sound is sent when it has been spoken, not before: a live line cannot look ahead.
        await asyncio.sleep(max(0.0, begun + due - time.monotonic()))
        await socket.send(np.ascontiguousarray(data, "<i2").tobytes())
        position += len(data)
        on_progress(started["call_id"], position / recording.rate_hz)
    await socket.send(json.dumps({"type": "stop"}))
    return await _expect(socket, "ended", passing=_PASSING)


async def _expect(socket: ClientConnection, wanted: str, *, passing: tuple[str, ...]) -> dict[str, Any]:
    """Wait for a message of that type. Raises `ReplayFailed` with the server's own words.

    `passing` are the codes of errors after which to try again.
    """
    async for text in socket:
        message: dict[str, Any] = json.loads(text)
        if message["type"] == wanted:
            return message
        if message["type"] == "error" and not message["recoverable"]:
            if message["code"] in passing:
                raise _NotYet(message["message"])
            raise ReplayFailed(f"{message['code']}: {message['message']}")
    raise ConnectionError(f"the server closed before `{wanted}`")


def _socket_url(server: str) -> str:
    return server.rstrip("/").replace("http", "ws", 1) + "/v1/calls/audio"
