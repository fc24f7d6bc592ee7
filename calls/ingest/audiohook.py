"""Genesys AudioHook, version 2: sound in, transcripts and cards back.

In: JSON control messages and interleaved sound. Out: signals, and the server's messages. Pure but for the
state of one session: counters, whether it is paused, where its clock and that of the call differ.
Not known here: sockets, signatures, calls.

Source: the protocol's reference implementation (purecloudlabs/audiohook-reference-implementation,
app/audiohook/src/protocol) and its guide. One session is one call; a session that continues another one takes
its call up. The probe with which Genesys tries a connection has the all-zero conversation and makes no call.
"""

import json
import math
import re
import uuid
from collections.abc import Sequence
from typing import Any, ClassVar

from asr.types import Segment
from calls.ingest.json_fields import inner, object_in, text
from calls.ingest.messages import BadMessage
from calls.ingest.rules import PARTIES, CarrierRules
from calls.ingest.signals import MAX_GAP_S, Answer, Begin, Block, End, Gap, Hold, Signal
from calls.types import CallError
from retrieval.types import Card, Suggestion

_PROBE = str(uuid.UUID(int=0))
_LANGUAGE = "zh-CN"
_FORMATS = {"PCMU": "mulaw", "L16": "pcm_s16le"}
_CHANNELS = (["external", "internal"], ["internal", "external"], ["external"], ["internal"])
_DURATION = re.compile(r"PT(\d{1,9}(?:\.\d{1,9})?)S")
_MAX_TEXT = 65_535
_OURS = uuid.UUID("5b0f6f4e-3a51-5a0e-9f0c-7b1c2d9a4e10")
"""Names of segments and cards become identifiers of AudioHook's form within this space."""
_UNCLEAR_CONFIDENCE = 0.5
_MAX_CONTINUED = 8
_MAX_SHIFTS = 10_000
_NO_FIELDS = (
    "organizationId",
    "conversationId",
    "participant",
    "media",
    "supportedLanguages",
    "continuedSessions",
    "customConfig",
)


class AudioHookReader:
    """Reads one session and counts its messages."""

    ends_on_close: ClassVar[bool] = False
    wants_news: ClassVar[bool] = True
    lingers: ClassVar[bool] = True
    subprotocols: ClassVar[tuple[str, ...]] = ()

    def __init__(self, rules: CarrierRules):
        self._rules = rules
        self._id = _PROBE
        self._seq = 0
        self._client_seq = 0
        self._media: dict[str, Any] | None = None
        self._wants_languages = False
        self._is_paused = False
        self._bytes_a_second = 8000
        self._media_s = 0.0
        """How far the call's media time has come."""
        self._shifts: list[tuple[float, float]] = []
        """From which media time on the session's clock is ahead, and by how much; pauses count there."""

    # What the client says.

    def read(self, message: str | bytes) -> Sequence[Signal]:
        """Take one message. Raises `BadMessage`."""
        if isinstance(message, bytes):
            if self._media is None:
                raise BadMessage("在 open 之前收到了声音。", code="call.not_started")
            if self._is_paused:
                return []
            self._media_s += len(message) / self._bytes_a_second
            return [Block(message)]
        if len(message) > _MAX_TEXT:
            raise BadMessage("消息超过 64 KB。")
        found = object_in(message)
        if found.get("version") != "2" or not isinstance(found.get("id"), str):
            raise BadMessage("不是 AudioHook 第 2 版的消息。")
        seq = found.get("seq")
        if isinstance(seq, int) and not isinstance(seq, bool) and seq >= 0:
            self._client_seq = seq
        return self._act(text(found, "type") or "", found)

    def _act(self, kind: str, found: dict[str, Any]) -> list[Signal]:
        parameters = inner(found, "parameters")
        signals: list[Signal] = []
        match kind:
            case "open" if self._media is None:
                signals = [self._open(found["id"], parameters)]
            case "ping":
                signals = [Answer(self._message("pong", {}))]
            case "paused":
                self._is_paused = True
                signals = [Hold(is_on=True)]
            case "resumed":
                self._is_paused = False
                self._shift(_seconds(parameters.get("discarded")))
                signals = [Hold(is_on=False)]
            case "discarded":
                signals = self._lose(_seconds(parameters.get("discarded")))
            case "update":
                signals = [Answer(self._message("updated", {}))]
            case "close":
                # The network is being changed: the call goes on in another session.
                is_moving = text(parameters, "reason") == "reconnect"
                signals = [Answer(self._message("closed", {}))] if is_moving else [End()]
        return signals

    def _open(self, session: str, parameters: dict[str, Any]) -> Begin:
        self._id = session
        self._media = _chosen(parameters.get("media"))
        channels = tuple(self._media["channels"])
        encoding = _FORMATS[self._media["format"]]
        self._bytes_a_second = 8000 * len(channels) * (2 if encoding == "pcm_s16le" else 1)
        self._wants_languages = parameters.get("supportedLanguages") is True
        participant = inner(parameters, "participant")
        conversation = text(parameters, "conversationId") or ""
        fields = {name: value for name, value in parameters.items() if name not in _NO_FIELDS}
        fields |= inner(parameters, "customConfig")
        for name in ("ani", "dnis", "aniName"):
            if value := text(participant, name):
                fields.setdefault(name, value)
        fields["conversation"] = conversation
        continued = parameters.get("continuedSessions")
        earlier = continued if isinstance(continued, list) else []
        keys = [text(one, "id") for one in earlier if isinstance(one, dict)]
        return Begin(
            key=session,
            encoding=encoding,
            sample_rate_hz=8000,
            tracks=channels,
            fields=fields,
            continues=tuple(key for key in reversed(keys) if key)[:_MAX_CONTINUED],
            is_probe=conversation == _PROBE,
        )

    def _lose(self, seconds: float) -> list[Signal]:
        """Sound was thrown away; of a very long stretch the call keeps no more than it keeps of any gap."""
        kept_s = 0.0 if self._is_paused else min(seconds, MAX_GAP_S)
        self._media_s += kept_s
        self._shift(seconds - kept_s)
        return [Gap(kept_s)] if kept_s else []

    def _shift(self, seconds: float) -> None:
        """The session's clock went on while the call's stood still."""
        if seconds > 0 and len(self._shifts) < _MAX_SHIFTS:
            self._shifts.append((self._media_s, self._shifts[-1][1] + seconds if self._shifts else seconds))

    def _on_their_clock(self, media_s: float) -> str:
        shift_s = next((by_s for from_s, by_s in reversed(self._shifts) if from_s <= media_s), 0.0)
        return _duration(media_s + shift_s)

    # What the server says.

    def opened(self, received_s: float) -> Sequence[str]:
        """The offer that was taken."""
        self._media_s = received_s
        self._shifts = [(0.0, -received_s)]
        parameters: dict[str, Any] = {"media": [self._media] if self._media else [], "startPaused": False}
        if self._wants_languages:
            parameters["supportedLanguages"] = [_LANGUAGE]
        return [self._message("opened", parameters)]

    def refused(self, error: CallError, *, is_stranger: bool) -> Sequence[str]:
        """A disconnect with its reason; Genesys then closes the session."""
        reason = "unauthorized" if is_stranger else "error"
        return [self._message("disconnect", {"reason": reason, "info": f"{error.code}: {error.message}"})]

    def told(self, news: Segment | Suggestion) -> Sequence[str]:
        """A transcript, or cards for the agent, as an event."""
        if isinstance(news, Segment):
            entity = {"type": "transcript", "data": self._transcript(news)}
        else:
            entity = {"type": "agentassist", "data": self._assist(news)}
        return [self._message("event", {"entities": [entity]})]

    def ended(self) -> Sequence[str]:
        """The end of the session."""
        return [self._message("closed", {})]

    def _message(self, kind: str, parameters: dict[str, Any]) -> str:
        self._seq += 1
        message = {
            "version": "2",
            "id": self._id,
            "type": kind,
            "seq": self._seq,
            "clientseq": self._client_seq,
            "parameters": parameters,
        }
        return json.dumps(message, ensure_ascii=False)

    def _transcript(self, segment: Segment) -> dict[str, Any]:
        channels: list[str] = self._media["channels"] if self._media else ["external"]
        ours = [self._rules.parties.get(name) or PARTIES[name] for name in channels]
        index = ours.index(segment.party) if segment.party in ours else 0
        display = {"type": "display", "transcript": segment.text}
        confidence = _UNCLEAR_CONFIDENCE if segment.is_unclear else _confidence(segment)
        return {
            "id": _identifier(segment.call_id, segment.segment_id),
            "channelId": index,
            "channel": channels[index],
            "isFinal": segment.is_final,
            "offset": self._on_their_clock(segment.start_s),
            "duration": _duration(segment.end_s - segment.start_s),
            "alternatives": [
                {"confidence": confidence, "languages": [_LANGUAGE], "interpretations": [display]}
            ],
        }

    def _assist(self, suggestion: Suggestion) -> dict[str, Any]:
        return {
            "id": _identifier(suggestion.call_id, suggestion.suggestion_id),
            "suggestions": [self._article(suggestion, card) for card in suggestion.cards],
        }

    def _article(self, suggestion: Suggestion, card: Card) -> dict[str, Any]:
        return {
            "type": "article",
            "id": _identifier(suggestion.call_id, card.article_id),
            "confidence": round(card.score, 3),
            "position": self._on_their_clock(self._media_s),
            "title": card.title,
            "excerpts": [card.excerpt],
            "documentUri": f"/v1/articles/{card.article_id}",
            "metadata": {
                "articleId": card.article_id,
                "department": card.department,
                "source": card.source,
                "kbVersion": suggestion.kb_version,
            },
        }


def _chosen(offers: Any) -> dict[str, Any]:
    """The best offer: both voices before one, then the first. Raises `BadMessage` where none will do."""
    fitting = []
    for offer in offers if isinstance(offers, list) else []:
        if not isinstance(offer, dict) or offer.get("type") != "audio" or offer.get("rate") != 8000:
            continue
        channels = offer.get("channels")
        if channels in _CHANNELS and offer.get("format") in ("PCMU", "L16"):
            fitting.append(offer)
    if not fitting:
        raise BadMessage("没有可用的声音格式：需要 8000 Hz 的 PCMU 或 L16。", code="asr.unknown_encoding")
    best = max(fitting, key=lambda offer: len(offer["channels"]))
    return {name: best[name] for name in ("type", "format", "channels", "rate")}


def _seconds(written: Any) -> float:
    """A duration like PT1.2S; 0 for anything else."""
    found = _DURATION.fullmatch(written) if isinstance(written, str) else None
    return float(found.group(1)) if found else 0.0


def _duration(seconds: float) -> str:
    return f"PT{max(seconds, 0.0):.2f}S"


def _identifier(call_id: str, name: str) -> str:
    return str(uuid.uuid5(_OURS, f"{call_id}/{name}"))


def _confidence(segment: Segment) -> float:
    """The mean probability of what was written, as the engine gives it."""
    return round(min(math.exp(segment.avg_logprob), 1.0), 3)
