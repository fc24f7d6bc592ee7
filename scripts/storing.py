"""Sends transcripts to a server, which puts them on record as calls.

In: papers with their files; the address of a server, how a call's time is known. Out: what became of each.
Not known here: how recordings are transcribed, options of a command.

What was sent is noted in the manifest, so that a later run sends the rest. A server that is away is asked
again after a while; nothing waits for it.
"""

import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from asr.batch.manifest import Manifest
from asr.batch.papers.types import Paper
from asr.batch.types import Source
from asr.types import Segment
from scripts.call_names import read_name

ASK_AGAIN_S = 30.0
_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
_LONGEST_NAME = 400
_SENT_KEYS = (
    *("segment_id", "party", "start_s", "end_s", "text", "raw_text", "words", "avg_logprob"),
    *("no_speech_prob", "corrections", "is_unclear"),
)


class StartedFrom(StrEnum):
    """From what it is known when a call began."""

    NAME = "name"
    MTIME = "mtime"
    """The file was written to its end when the call ended."""
    NOW = "now"
    """The call ends now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Where calls are sent, and how they are described."""

    server: str
    token: str | None
    zone: ZoneInfo
    started_from: StartedFrom = StartedFrom.NAME
    name_pattern: re.Pattern[str] | None = None
    resend: bool = False
    """Send also what was sent before; the server leaves alone what it has."""


class Sent(StrEnum):
    """What became of a transcript."""

    STORED = "stored"
    KNOWN = "known"
    """The server has this recording already."""
    WAITING = "waiting"
    """The server is away, or lets nobody in; a later run sends it."""


class NotStored(Exception):
    """One transcript that the server will never take as it is."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code
        self.message = message


class Sender:
    """Sends to one server. `close` in the end."""

    def __init__(
        self,
        store: Store,
        manifest: Manifest,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ):
        self._store = store
        self._manifest = manifest
        self._now = now
        self._monotonic = monotonic
        self._receiver = store.server.rstrip("/")
        self._ask_at = float("-inf")
        """When a server that was away is asked again."""
        self.trouble = ""
        """Why transcripts wait."""
        headers = {"Authorization": f"Bearer {store.token}"} if store.token else {}
        self._client = httpx.Client(headers=headers, timeout=_TIMEOUT)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def send(self, source: Source, paper: Paper) -> Sent:
        """Send it, unless it was sent before. Raises `NotStored`."""
        if not self._store.resend and self._manifest.was_sent(source.digest, self._receiver):
            return Sent.KNOWN
        body = self._body(source, paper)
        if self._monotonic() < self._ask_at:
            return Sent.WAITING
        try:
            answer = self._client.post(f"{self._receiver}/v1/calls/recorded", json=body)
        except httpx.TransportError as error:
            return self._wait(f"连不上 {self._receiver}（{type(error).__name__}）")
        except httpx.InvalidURL:
            return self._wait(f"{self._receiver} 不是服务器地址", is_final=True)
        if answer.status_code in (httpx.codes.CREATED, httpx.codes.OK):
            self._ask_at = float("-inf")
            self._manifest.note_sent(source.digest, self._receiver)
            return Sent.STORED if answer.status_code == httpx.codes.CREATED else Sent.KNOWN
        code, message = _said(answer)
        if answer.status_code in (httpx.codes.UNPROCESSABLE_ENTITY, httpx.codes.REQUEST_ENTITY_TOO_LARGE):
            raise NotStored(code, message)
        is_locked = answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
        return self._wait(f"{self._receiver} 没有接收：{message}（{code}）", is_final=is_locked)

    def _wait(self, why: str, *, is_final: bool = False) -> Sent:
        self.trouble = why
        self._ask_at = float("inf") if is_final else self._monotonic() + ASK_AGAIN_S
        return Sent.WAITING

    def _body(self, source: Source, paper: Paper) -> dict[str, Any]:
        store = self._store
        name = source.name.encode(errors="replace").decode()  # names of files may be in any encoding
        named = read_name(name, store.name_pattern, store.zone)
        return {
            "digest": source.digest,
            "name": name[-_LONGEST_NAME:],
            "started_at": self._started_at(source, named.started_at, paper.seconds).isoformat(),
            "seconds": paper.seconds,
            "operator_id": named.operator_id,
            "caller": named.caller,
            "segments": [_segment(segment) for segment in paper.segments],
        }

    def _started_at(self, source: Source, named: datetime | None, seconds: float) -> datetime:
        if self._store.started_from is StartedFrom.NOW:
            return self._now() - timedelta(seconds=seconds)
        if self._store.started_from is StartedFrom.MTIME:
            try:
                ended = datetime.fromtimestamp(source.path.stat().st_mtime, self._store.zone)
            except OSError:
                raise NotStored("store.no_time", "文件已不在，读不到修改时间。") from None
            return ended - timedelta(seconds=seconds)
        if named is None:
            raise NotStored(
                "store.no_time",
                "文件名里没有通话时间，请用 --name-pattern 指出，或用 --started-from mtime 取文件修改时间。",
            )
        return named


def _segment(segment: Segment) -> dict[str, Any]:
    told = asdict(segment)
    return {key: told[key] for key in _SENT_KEYS}


def _said(answer: httpx.Response) -> tuple[str, str]:
    """The code and the sentence of a refusal."""
    try:
        detail = answer.json()["detail"]
        return str(detail["code"]), str(detail["message"])
    except (ValueError, KeyError, TypeError):
        return f"http.{answer.status_code}", "服务器答复异常"
