"""Telephone systems that know nothing of this house: they play what was written down from vendors' documents.

In: `tests/data/lines/*.jsonl`, frames and all; sound. Out: what went over the wire, and when it was cut.
Not used here: anything of `calls` or `scripts`; what is heard must not depend on what is said alike.

A file begins with a line that says where it is from and how sound is cut; then what is said and what is
waited for, in order. `$name` is filled in, `#name` as a number. `{"sound": …}` stands for all packets.
"""

import asyncio
import base64
import json
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from websockets.asyncio.client import ClientConnection, connect

_FOLDER = Path(__file__).parent / "data" / "lines"
_WAIT_S = 60.0
NAMES = tuple(sorted(path.stem for path in _FOLDER.glob("*.jsonl")))

Sound = NDArray[Any]
"""Shape (n, legs): µ-law bytes, or 16-bit samples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One file."""

    name: str
    source: str
    address: str
    encoding: str
    tracks: tuple[str, ...]
    packet_ms: int = 0
    """Of packets that carry their time; 0: sound follows sound."""
    block_ms: int = 20
    """Of sound that carries no time."""
    clock_ms: int = 0
    """What the carrier's clock shows at the beginning."""
    rate_hz: int = 8000
    legs: bool = False
    """Whether every voice has a connection of its own."""
    session: bool = False
    """Whether a broken one is taken up by a session that names the earlier one (AudioHook)."""
    subprotocol: str | None = None
    says: tuple[dict[str, Any], ...] = ()

    def sound(self, seconds: float, seed: int = 3) -> Sound:
        """Noise that is nowhere silent, and differs everywhere."""
        rng = np.random.default_rng(seed)
        shape = (round(seconds * self.rate_hz), len(self.tracks))
        if self.encoding == "mulaw":
            return rng.integers(0, 0x70, shape).astype(np.uint8)
        return (rng.integers(500, 8000, shape) * rng.choice([-1, 1], shape)).astype("<i2")

    @property
    def silence(self) -> int:
        """One sample of it, as it is kept."""
        return 0xFF if self.encoding == "mulaw" else 0


def read(name: str) -> Conversation:
    """The conversation of that name."""
    first, *rest = [json.loads(line) for line in (_FOLDER / f"{name}.jsonl").read_text().splitlines()]
    return Conversation(
        name=name, says=tuple(rest), **{k: tuple(v) if isinstance(v, list) else v for k, v in first.items()}
    )


@dataclass(frozen=True, slots=True)
class Packet:
    """A piece of one track."""

    track: int
    number: int
    leaves_ms: float = 0.0


def packets_of(conversation: Conversation, sound: Sound) -> list[Packet]:
    """All packets of a call, in order."""
    size = conversation.packet_ms * conversation.rate_hz // 1000
    return [
        Packet(track, number, (number + 1) * conversation.packet_ms)
        for number in range(len(sound) // size)
        for track in range(sound.shape[1])
    ]


@dataclass(slots=True)
class BadNetwork:
    """What came out of it, and what did not."""

    lost: set[Packet] = field(default_factory=set)
    late: set[Packet] = field(default_factory=set)
    arriving: list[Packet] = field(default_factory=list)


def bad_network(packets: Sequence[Packet], seed: int = 7) -> BadNetwork:
    """5 % lost, 3 % half a second late, 5 % twice, every one held up by up to 190 ms.

    The last second is spared: what is late there would not be late for anybody.
    """
    rng, out = random.Random(seed), BadNetwork()
    arriving: list[tuple[float, Packet]] = []
    ends_ms = max(packet.leaves_ms for packet in packets)
    for packet in packets:
        kind = rng.random() if packet.leaves_ms < ends_ms - 1000 else 0.5
        at_ms = packet.leaves_ms + rng.uniform(0, 190)
        if kind < 0.05:
            out.lost.add(packet)
            continue
        if kind < 0.08:
            out.late.add(packet)
            at_ms += 500
        arriving.append((at_ms, packet))
        if kind > 0.95:
            arriving.append((at_ms + rng.uniform(0, 400), packet))
    out.arriving = [packet for _, packet in sorted(arriving, key=lambda one: one[0])]
    return out


@dataclass(slots=True)
class Caller:
    """One call, over one connection or one for each voice."""

    conversation: Conversation
    key: str
    sockets: list[ClientConnection]
    seq: int = 0
    chunks: dict[int, int] = field(default_factory=dict)

    async def begin(self, continues: str | None = None) -> None:
        """Everything up to the sound."""
        for line in self._until_sound():
            said = line.get("says")
            if continues and isinstance(said, dict) and said.get("type") == "open":
                earlier = {"continuedSessions": [{"id": continues, "serverseq": 3, "clientseq": 2}]}
                await self.say(said | {"parameters": said["parameters"] | earlier})
            else:
                await self._do(line)

    async def say_packets(self, packets: Sequence[Packet], sound: Sound, *, first: int = 0) -> None:
        """Packets with their times; the clock of a stream begins with its first packet."""
        template = next(line["sound"] for line in self.conversation.says if "sound" in line)
        size = self.conversation.packet_ms * self.conversation.rate_hz // 1000
        for packet in packets:
            piece = sound[packet.number * size : (packet.number + 1) * size, packet.track]
            self.seq += 1
            values = {
                "seq": self.seq,
                "chunk": packet.number - first + 1,
                "ms": self.conversation.clock_ms + (packet.number - first) * self.conversation.packet_ms,
                "track": self.conversation.tracks[packet.track],
                "payload": base64.b64encode(piece.tobytes()).decode(),
            }
            await self.sockets[0].send(json.dumps(_filled(template, values | {"key": self.key})))

    async def say_sound(self, sound: Sound, sizes: Iterator[int] | None = None) -> None:
        """Sound as it comes; `sizes` are the bytes of the messages, where those shall be odd."""
        block = self.conversation.block_ms * self.conversation.rate_hz // 1000
        if sizes is not None:
            data = sound.tobytes()
            while data:
                size = next(sizes)
                await self.sockets[0].send(data[:size])
                data = data[size:]
            return
        for start in range(0, len(sound), block):
            piece = sound[start : start + block]
            for leg, socket in enumerate(self.sockets):
                await socket.send((piece[:, leg] if self.conversation.legs else piece).tobytes())

    async def say(self, message: dict[str, Any]) -> None:
        """Something that is not in the file."""
        await self._do({"says": message})

    async def end(self) -> None:
        """Everything after the sound; raises `AssertionError` where the server does not do its part."""
        is_after = False
        for line in self.conversation.says:
            if is_after:
                await self._do(line)
            is_after |= "sound" in line

    async def cut(self) -> None:
        """Break the connections without a word, once all that was sent has been read."""
        for socket in self.sockets:
            async with asyncio.timeout(_WAIT_S):
                await (await socket.ping())
            socket.transport.abort()

    def _until_sound(self) -> Iterator[dict[str, Any]]:
        for line in self.conversation.says:
            if "sound" in line:
                return
            yield line

    async def _do(self, line: dict[str, Any]) -> None:
        async with asyncio.timeout(_WAIT_S):
            for leg, socket in enumerate(self.sockets):
                if "says" in line:
                    self.seq += 1
                    await socket.send(self._text(line["says"], leg))
                elif "hears" in line:
                    while not line["hears"].items() <= json.loads(await socket.recv()).items():
                        pass
                elif "closed" in line:
                    await socket.wait_closed()
                    assert socket.close_code == line["closed"]
                elif line["closes"] is None:  # a close frame without a code
                    socket.protocol.send_close()
                    socket.transport.write(b"".join(socket.protocol.data_to_send()))
                    await socket.wait_closed()
                else:
                    await socket.close(line["closes"])

    def _text(self, said: Any, leg: int) -> str:
        if isinstance(said, str):
            return said.replace("{party}", self.conversation.tracks[leg])
        return json.dumps(_filled(said, {"key": self.key, "seq": self.seq}))


def _filled(value: Any, values: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(one, values) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, values) for one in value]
    if isinstance(value, str) and value[:1] in ("$", "#") and value[1:] in values:
        return str(values[value[1:]]) if value[0] == "$" else int(values[value[1:]])
    return value


@asynccontextmanager
async def calling(conversation: Conversation, server: str, key: str) -> AsyncIterator[Caller]:
    """The connections of a call to `ws://host:port`; they are closed in the end, if they are still there."""
    parties = conversation.tracks if conversation.legs else ("",)
    subprotocols: Any = [conversation.subprotocol] if conversation.subprotocol else None
    sockets: list[ClientConnection] = []
    try:
        for party in parties:
            address = conversation.address.replace("{key}", key).replace("{party}", party)
            # A busy machine is no failure: everything is waited for as long as tests wait.
            sockets.append(
                await connect(
                    server + address,
                    subprotocols=subprotocols,
                    max_queue=None,
                    open_timeout=_WAIT_S,
                    close_timeout=_WAIT_S,
                    ping_interval=None,
                )
            )
            assert sockets[-1].subprotocol == conversation.subprotocol
        yield Caller(conversation, key, sockets)
    finally:
        for socket in sockets:
            await socket.close()
