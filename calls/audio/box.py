"""A kept recording as a file: blocks of packets, each sealed by itself, so that any place can be read alone.

In: packets in their order; places. Out: a file, and the packets around a place.
Not known here: codecs, what key there is, calls.

    ZTA1, length of the head, head (JSON), blocks, index (JSON), place and length of the index, ZTA1

The head is never sealed: it says by which key the rest is. Its bytes are part of every seal, and so is a
block's number: what was changed, moved or cut off is noticed. Without a key the index holds a checksum of
every block.
"""

import base64
import json
import os
import struct
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedWriter
from typing import IO, Any

from calls.audio.keys import Keys, Seal, new_salt
from calls.audio.types import AudioDamaged, Codec, Packet, Shape
from calls.types import AudioFormat

BLOCK_S = 10.0
_MAGIC = b"ZTA1"
_FOOT = struct.Struct("<QI4s")
_LENGTH = struct.Struct("<I")
_INDEX = 0xFFFF_FFFF
"""The index's number among the blocks."""
_LONGEST_HEAD = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    place: int
    n_bytes: int
    first: int
    """Place of its first sample."""
    checksum: int


class BoxWriter:
    """Writes one file. `put` packets, then `close`; without that the file is no box."""

    def __init__(self, file: BufferedWriter, shape: Shape, keys: Keys):
        self._file = file
        self._shape = shape
        self._waiting: list[Packet] = []
        self._blocks: list[_Block] = []
        self._samples = 0
        """Put in blocks so far."""
        salt = new_salt()
        self._seal = keys.seal(keys.current, salt) if keys.current else None
        head: dict[str, Any] = {
            "codec": shape.codec,
            "rate_hz": shape.rate_hz,
            "setup": base64.b64encode(shape.setup).decode(),
            "lead": shape.lead,
            "encoding": shape.audio_format.encoding,
            "sample_rate_hz": shape.audio_format.sample_rate_hz,
            "channels": shape.audio_format.channels,
        }
        if self._seal is not None:
            head |= {"key": keys.current, "salt": base64.b64encode(salt).decode()}
        self._head = json.dumps(head, separators=(",", ":")).encode()
        self._file.write(_MAGIC + _LENGTH.pack(len(self._head)) + self._head)

    def put(self, packet: Packet) -> None:
        """Add one packet."""
        self._waiting.append(packet)
        if sum(each.samples for each in self._waiting) >= BLOCK_S * self._shape.rate_hz:
            self._write_block()

    def close(self, *, frames: int) -> None:
        """End the file and hand it to the disk; `frames` is how many sample frames it sounds."""
        if self._waiting:
            self._write_block()
        index = {
            "frames": frames,
            "blocks": [[each.place, each.n_bytes, each.first, each.checksum] for each in self._blocks],
        }
        data = json.dumps(index, separators=(",", ":")).encode()
        if self._seal is not None:
            data = self._seal.close(_INDEX, data, self._head)
        place = self._file.tell()
        self._file.write(data + _FOOT.pack(place, len(data), _MAGIC))
        self._file.flush()
        os.fsync(self._file.fileno())

    def _write_block(self) -> None:
        data = b"".join(_LENGTH.pack(len(each.data)) + each.data for each in self._waiting)
        if self._seal is not None:
            data = self._seal.close(len(self._blocks), data, self._head)
        place = self._file.tell()
        self._blocks.append(
            _Block(place=place, n_bytes=len(data), first=self._samples, checksum=zlib.crc32(data))
        )
        self._samples += sum(each.samples for each in self._waiting)
        self._waiting = []
        self._file.write(data)


class Box:
    """Reads one file, which it closes. Raises `AudioDamaged`, `KeyMissing` when opened and when read."""

    def __init__(self, file: IO[bytes], keys: Keys):
        self._file = file
        try:
            self._head = self._read_head()
            head = _parsed(self._head)
            self.key: str | None = head.get("key")
            self._seal = self._seal_of(head, keys)
            self.shape = _shape_of(head)
            index = self._read_index()
            self.n_bytes = self._file.seek(0, os.SEEK_END)
            self.frames = int(index["frames"])
            self._blocks = [
                _Block(place=place, n_bytes=n_bytes, first=first, checksum=checksum)
                for place, n_bytes, first, checksum in index["blocks"]
            ]
        except (KeyError, TypeError, ValueError, struct.error) as error:
            self._file.close()
            raise AudioDamaged from error
        except BaseException:
            self._file.close()
            raise

    def packets(self, start: int, end: int) -> Iterator[tuple[int, list[bytes]]]:
        """Whole blocks with the samples from `start` to `end`: place of the first sample, and packets."""
        firsts = [block.first for block in self._blocks]
        for number in range(max(0, bisect_right(firsts, start) - 1), len(self._blocks)):
            if self._blocks[number].first >= end:
                return
            yield self._blocks[number].first, self._read_block(number)

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    def _read_head(self) -> bytes:
        magic, length = self._file.read(4), _LENGTH.unpack(self._file.read(4))[0]
        if magic != _MAGIC or length > _LONGEST_HEAD:
            raise AudioDamaged
        return self._file.read(length)

    def _read_index(self) -> dict[str, Any]:
        size = self._file.seek(0, os.SEEK_END)
        self._file.seek(size - _FOOT.size)
        place, length, magic = _FOOT.unpack(self._file.read(_FOOT.size))
        if magic != _MAGIC or place + length + _FOOT.size != size:
            raise AudioDamaged
        self._file.seek(place)
        data = self._file.read(length)
        return _parsed(self._seal.open(_INDEX, data, self._head) if self._seal else data)

    def _read_block(self, number: int) -> list[bytes]:
        block = self._blocks[number]
        self._file.seek(block.place)
        data = self._file.read(block.n_bytes)
        if self._seal is not None:
            data = self._seal.open(number, data, self._head)
        elif zlib.crc32(data) != block.checksum:
            raise AudioDamaged
        packets, at = [], 0
        while at < len(data):
            (length,) = _LENGTH.unpack_from(data, at)
            packets.append(data[at + _LENGTH.size : at + _LENGTH.size + length])
            at += _LENGTH.size + length
        return packets

    def _seal_of(self, head: dict[str, Any], keys: Keys) -> Seal | None:
        return keys.seal(self.key, base64.b64decode(head["salt"])) if self.key is not None else None


def _parsed(data: bytes) -> dict[str, Any]:
    document = json.loads(data)
    if not isinstance(document, dict):
        raise AudioDamaged
    return document


def _shape_of(head: dict[str, Any]) -> Shape:
    return Shape(
        codec=Codec(head["codec"]),
        rate_hz=int(head["rate_hz"]),
        setup=base64.b64decode(head["setup"]),
        lead=int(head["lead"]),
        audio_format=AudioFormat(
            encoding=str(head["encoding"]),
            sample_rate_hz=int(head["sample_rate_hz"]),
            channels=tuple(head["channels"]),
        ),
    )
