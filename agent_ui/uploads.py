"""Takes a form of files and fields as it comes over the network: files go to disk piece by piece.

In: a request with `multipart/form-data`, a folder, limits. Out: fields as text, files by their paths.
Not known here: what the fields mean, what is in the files.
"""

import asyncio
import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO

from fastapi import Request
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

_PIECE_BYTES = 1_048_576
_FIELD_BYTES = 65_536
_FIELDS = 200
_JSON_BYTES = 1_000_000
_ENDING_CHARACTERS = 12
_NAME_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadLimits:
    """How much one form may bring."""

    max_bytes: int
    """Of all files together."""
    max_files: int = 1
    min_free_bytes: int = 0
    """Free disk space below which nothing more is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """A file that came."""

    field: str
    name: str
    """As its sender calls it, without folders."""
    path: Path
    n_bytes: int


@dataclass(slots=True)
class Form:
    """All that came."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    files: list[Uploaded] = field(default_factory=list)


class UploadRefused(Exception):
    """The form cannot be taken."""

    def __init__(self, message: str, *, code: str, status: int):
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status


async def receive_form(request: Request, folder: Path, limits: UploadLimits) -> Form:
    """Take a form; its files are then in `folder` as 00001, 00002, … with their own endings.

    Raises `UploadRefused`; the folder's owner clears away what came until then.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data" or b"boundary" not in options:
        raise UploadRefused("请用表单（multipart/form-data）上传文件。", code="upload.no_form", status=415)
    said = request.headers.get("content-length", "")
    taking = _Taking(options[b"boundary"], folder, limits)
    if said.isdecimal() and int(said) > limits.max_bytes + _FIELDS * _FIELD_BYTES:
        await drain(request, 2 * limits.max_bytes)
        raise taking.too_large()
    try:
        with _storing():
            async for chunk in request.stream():
                taking.feed(chunk)
                if taking.held_bytes >= _PIECE_BYTES:
                    await asyncio.to_thread(taking.store)
            await asyncio.to_thread(taking.store)
    except UploadRefused:
        await drain(request, limits.max_bytes)
        raise
    except ClientDisconnect:
        raise UploadRefused("上传中断，文件没有收全。", code="upload.broken", status=400) from None
    finally:
        taking.close()
    if not taking.is_whole:
        raise UploadRefused("上传的内容不完整，请重新上传。", code="upload.broken", status=400)
    return taking.form


async def receive_json(request: Request) -> bytes:
    """Take a body that is no form. Raises `UploadRefused` where it is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _JSON_BYTES:
            raise UploadRefused("请求的内容太长。", code="upload.too_large", status=413)
    return bytes(body)


class _Taking:
    """A form while it comes in. What is to be written is held until `store`, which may block."""

    def __init__(self, boundary: bytes, folder: Path, limits: UploadLimits) -> None:
        self.form = Form()
        self.is_whole = False
        self.held_bytes = 0
        self._folder = folder
        self._limits = limits
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_end,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._whole,
            },
        )
        self._came = 0
        self._fields = 0
        self._name = self._value = b""
        self._headers: dict[bytes, bytes] = {}
        self._field = ""
        self._file: tuple[str, Path] | None = None
        self._text = bytearray()
        self._bytes = 0
        self._held: list[tuple[Path, bytes]] = []
        self._open: tuple[Path, BinaryIO] | None = None

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes. Raises `UploadRefused`."""
        try:
            self._parser.write(chunk)
        except MultipartParseError:
            raise UploadRefused("上传的内容读不懂，请重新上传。", code="upload.broken", status=400) from None

    def store(self) -> None:
        """Write what is held. Blocks. Raises `OSError`."""
        for path, data in self._held:
            if self._open is None or self._open[0] != path:
                self.close()
                self._open = path, path.open("ab")
            self._open[1].write(data)
        self._held.clear()
        self.held_bytes = 0
        if shutil.disk_usage(self._folder).free < self._limits.min_free_bytes:
            raise disk_full()

    def close(self) -> None:
        """Let go of the file that is being written."""
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def too_large(self) -> UploadRefused:
        """The refusal of too many bytes."""
        limit_mb = self._limits.max_bytes // 1_000_000
        return UploadRefused(
            f"文件超过 {limit_mb} MB，请分几次上传，或压缩后再试。", code="upload.too_large", status=413
        )

    def _begin(self) -> None:
        self._headers, self._file, self._field = {}, None, ""
        self._name = self._value = b""
        self._text.clear()
        self._bytes = 0

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def _headers_end(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._field = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" not in options:
            self._fields += 1
            if self._fields > _FIELDS:
                raise UploadRefused("表单的字段太多。", code="upload.bad_form", status=400)
            return
        if len(self.form.files) >= self._limits.max_files:
            raise UploadRefused(
                f"一次最多上传 {self._limits.max_files} 个文件，请分几次上传。",
                code="upload.too_many_files",
                status=413,
            )
        name = _bare(options[b"filename"].decode("utf-8", "replace"))
        path = self._folder / f"{len(self.form.files) + 1:05}{_ending(name)}"
        self._file = name, path
        self._hold(path, b"")  # an empty file is a file, too

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._bytes += end - start
        if self._file is None:
            self._text += data[start:end]
            if len(self._text) > _FIELD_BYTES:
                raise UploadRefused(f"表单字段 {self._field[:40]} 太长。", code="upload.bad_form", status=400)
            return
        self._came += end - start
        if self._came > self._limits.max_bytes:
            raise self.too_large()
        self._hold(self._file[1], data[start:end])

    def _end(self) -> None:
        if self._file is None:
            text = self._text.decode("utf-8", "replace")
            self.form.fields.setdefault(self._field, []).append(text)
            return
        name, path = self._file
        self.form.files.append(Uploaded(field=self._field, name=name, path=path, n_bytes=self._bytes))

    def _whole(self) -> None:
        self.is_whole = True

    def _hold(self, path: Path, data: bytes) -> None:
        self._held.append((path, data))
        self.held_bytes += len(data)


@contextmanager
def _storing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full() from None
        raise UploadRefused(
            f"文件无法写入服务器（{error.strerror}），请联系管理员。",
            code="upload.storage_failed",
            status=507,
        ) from error


def disk_full() -> UploadRefused:
    """The refusal of files for which there is no room."""
    return UploadRefused(
        "服务器磁盘空间不足，暂不接收文件，请管理员清理磁盘。", code="upload.disk_full", status=507
    )


async def drain(request: Request, max_bytes: int) -> None:
    """Read what is still being sent: many a client hears a refusal only once it has been listened to."""
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > max_bytes:
                return
    except (ClientDisconnect, RuntimeError):  # it has gone, or all was read
        return


def _bare(name: str) -> str:
    """The name without folders and control characters."""
    last = PurePosixPath(PureWindowsPath(name).name).name
    clean = "".join(character for character in last if character.isprintable())
    return clean[-_NAME_CHARACTERS:] or "录音"


def _ending(name: str) -> str:
    """The ending, by which some formats alone are known."""
    ending = PurePosixPath(name).suffix.lower()
    is_plain = ending[1:].isascii() and ending[1:].isalnum() and len(ending) <= _ENDING_CHARACTERS
    return ending if is_plain else ""
