"""SIP messages (RFC 3261): reading, and writing answers.

In: bytes. Out: frozen messages; answers and requests as bytes. Pure.
Not known here: sockets, dialogs, bodies.

Bound: 64 KiB for a message with its body, 200 header lines.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from calls.ingest.messages import BadMessage

MAX_BYTES = 65_536
_MAX_HEADERS = 200
_COMPACT = {
    "a": "accept-contact",
    "c": "content-type",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
}
_REQUEST = re.compile(r"([A-Za-z0-9.!%*_+`'~-]{1,32}) (\S{1,1024}) SIP/2\.0", re.ASCII)
_RESPONSE = re.compile(r"SIP/2\.0 ([1-6]\d\d) ?(.*)", re.ASCII)
_CSEQ = re.compile(r"(\d{1,10})\s+(\S{1,32})", re.ASCII)
_NEEDED = ("via", "from", "to", "call-id", "cseq")
_MORE_THAN_ONCE = ("via", "route", "record-route", "contact")
REASONS = {
    100: "Trying",
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    405: "Method Not Allowed",
    415: "Unsupported Media Type",
    420: "Bad Extension",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SipMessage:
    """A request, or an answer (`status` above 0)."""

    method: str
    """Of an answer: the method that it answers."""
    uri: str = ""
    status: int = 0
    headers: tuple[tuple[str, str], ...]
    """Names in small letters and long form, in the order of the message."""
    body: bytes = b""

    def all(self, name: str) -> list[str]:
        """Every value of a header, lists of them taken apart where that is allowed."""
        found = [value for key, value in self.headers if key == name]
        return [one for value in found for one in _parts(value)] if name in _MORE_THAN_ONCE else found

    def one(self, name: str) -> str:
        """The first value of a header; an empty one where there is none."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def call_id(self) -> str:
        """Of the dialog."""
        return self.one("call-id")

    @property
    def cseq(self) -> int:
        """The number of the request."""
        found = _CSEQ.fullmatch(self.one("cseq"))
        return int(found.group(1)) if found else -1

    @property
    def branch(self) -> str:
        """By which the transaction is known."""
        return parameter(self.one("via"), "branch")


def read_message(data: bytes) -> SipMessage:
    """Parse a datagram. Raises `BadMessage`."""
    if len(data) > MAX_BYTES:
        raise BadMessage("SIP 消息过大。")
    head, _, body = data.partition(b"\r\n\r\n")
    first, headers = _head(head)
    length = next((value for name, value in headers if name == "content-length"), "")
    if length:
        if not length.isascii() or not length.isdigit() or int(length) > len(body):
            raise BadMessage("Content-Length 与消息不符。")
        body = body[: int(length)]
    names = {name for name, _ in headers}
    if missing := [name for name in _NEEDED if name not in names]:
        raise BadMessage(f"SIP 消息缺少 {missing[0]}。")
    values = dict(reversed(headers))
    cseq = _CSEQ.fullmatch(values["cseq"])
    if cseq is None:
        raise BadMessage("CSeq 不对。")
    if found := _REQUEST.fullmatch(first):
        method, uri = found.groups()
        if method != cseq.group(2):
            raise BadMessage("CSeq 与请求的方法不符。")
        return SipMessage(method=method, uri=uri, headers=headers, body=body)
    if found := _RESPONSE.fullmatch(first):
        return SipMessage(method=cseq.group(2), status=int(found.group(1)), headers=headers, body=body)
    raise BadMessage("这不是 SIP。")


def _head(head: bytes) -> tuple[str, tuple[tuple[str, str], ...]]:
    text = head.decode("utf-8", "replace").lstrip("\r\n")
    lines = re.sub(r"\r?\n[ \t]+", " ", text).split("\n")  # a line that begins with a space goes on
    if len(lines) > _MAX_HEADERS:
        raise BadMessage("SIP 消息头过多。")
    headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise BadMessage("SIP 消息头不对。")
        name = name.strip().lower()
        headers.append((_COMPACT.get(name, name), value.strip()))
    return lines[0].strip(), tuple(headers)


class SipStream:
    """Takes messages out of a TCP connection."""

    def __init__(self) -> None:
        self._held = bytearray()

    def read(self, data: bytes) -> list[bytes]:
        """Every message that is complete, as bytes. Raises `BadMessage` where it is no SIP any more."""
        self._held += data
        messages = []
        while True:
            blank = len(self._held) - len(self._held.lstrip(b"\r\n"))  # connections are kept alive by these
            del self._held[:blank]
            end = self._held.find(b"\r\n\r\n")
            if end < 0:
                break
            _, headers = _head(bytes(self._held[:end]))
            length = next((value for name, value in headers if name == "content-length"), "0")
            if not length.isascii() or not length.isdigit() or int(length) > MAX_BYTES:
                raise BadMessage("Content-Length 不对。")
            if len(self._held) < (size := end + 4 + int(length)):
                break
            messages.append(bytes(self._held[:size]))
            del self._held[:size]
        if len(self._held) > MAX_BYTES:
            raise BadMessage("SIP 消息过大。")
        return messages


def answer(
    request: SipMessage,
    status: int,
    *,
    tag: str = "",
    source: tuple[str, int] | None = None,
    more: Sequence[tuple[str, str]] = (),
    body: bytes = b"",
) -> bytes:
    """The answer to a request; `tag` is ours, `source` is where the request came from (RFC 3581)."""
    to = request.one("to")
    if tag and not parameter(to, "tag"):
        to = f"{to};tag={tag}"
    vias = request.all("via")
    if vias and source is not None:
        vias[0] = _with_source(vias[0], source)
    lines = [f"SIP/2.0 {status} {REASONS[status]}"]
    lines += [f"Via: {via}" for via in vias]
    lines += [f"Record-Route: {route}" for route in request.all("record-route")]
    lines += [f"From: {request.one('from')}", f"To: {to}"]
    lines += [f"Call-ID: {request.call_id}", f"CSeq: {request.one('cseq')}"]
    return _written(lines, more, body)


def request_bytes(method: str, uri: str, headers: Sequence[tuple[str, str]], body: bytes = b"") -> bytes:
    """A request of ours."""
    return _written([f"{method} {uri} SIP/2.0"], headers, body)


def _written(lines: list[str], more: Sequence[tuple[str, str]], body: bytes) -> bytes:
    lines = [*lines, *(f"{name}: {value}" for name, value in more), f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _with_source(via: str, source: tuple[str, int]) -> str:
    host, port = source
    via = re.sub(r";\s*rport(?=;|$)", f";rport={port}", via)
    return via if parameter(via, "received") else f"{via};received={host}"


def parameter(value: str, name: str) -> str:
    """A parameter of a header, of those after an address in angles: `tag`, `branch`."""
    found = re.search(rf";\s*{name}\s*=\s*\"?([^;,\s\">]+)", value[value.rfind(">") + 1 :], re.IGNORECASE)
    return found.group(1) if found else ""


def address_in(value: str) -> str:
    """The address of a header: what stands in angles, or before the parameters."""
    found = re.search(r"<([^>]*)>", value)
    return found.group(1) if found else value.partition(";")[0].strip()


def _parts(value: str) -> list[str]:
    """A list with commas, but for those in quotes and angles."""
    found = re.findall(r"(?:[^,\"<]|\"(?:[^\"\\]|\\.)*\"|<[^>]*>|[\"<])+", value)
    return [one.strip() for one in found if one.strip()]
