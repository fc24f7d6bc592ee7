"""Facts as events for a screen: the JSON text that goes over a screen's socket.

In: entries, partial segments and views, as the other packages emit them. Out: JSON text.
Not known here: who receives it, when, or what a page does with it. The schema is agent_ui/events.py.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from asr.types import Segment
from calls.alarms import Alarm
from calls.asides import Edit, Note, ShownCard, Transfer
from calls.facts import to_json, to_payload
from calls.types import Call, Entry
from calls.view import CallView
from retrieval.excerpt import excerpt
from retrieval.types import Card, Findings

_ASIDES: dict[type[Any], TypeAdapter[Any]] = {
    kind: TypeAdapter(kind) for kind in (ShownCard, Edit, Note, Transfer, Alarm)
}


def entry_text(entry: Entry) -> str:
    """A durable fact."""
    return _text(entry.fact.type, entry.seq, entry.at, entry.call_id, to_payload(entry.fact))


def partial_text(segment: Segment, at: datetime) -> str:
    """Text that may still change; it has no `seq`."""
    return _text("segment.shown", None, at, segment.call_id, {"segment": to_json(segment)})


def lag_text(call_id: str, lag_s: float, at: datetime) -> str:
    """How far the text is behind the speakers; it has no `seq`."""
    return _text("call.lag", None, at, call_id, {"lag_s": round(lag_s, 1)})


def line_text(segment: Segment, at: datetime) -> str:
    """What was last said in a call; it has no `seq`."""
    return _text("call.line", None, at, segment.call_id, {"party": segment.party, "text": segment.text})


def knowledge_text(version: str, at: datetime) -> str:
    """Another version of the knowledge answers, to screens in whose stream that fact does not stand."""
    return _text("kb.published", None, at, None, {"version": version})


def alive_text(at: datetime) -> str:
    """The server is still there; it has no `seq`."""
    return _text("stream.alive", None, at, None, {})


def call_snapshot_text(view: CallView, partials: Iterable[Segment], at: datetime) -> str:
    """All of a call's or operator's stream at once."""
    suggestion = view.suggestion
    cards = suggestion.cards if suggestion else ()
    payload = {
        "call": to_json(view.call) if view.call else None,
        "segments": [to_json(segment) for segment in view.segments.values()],
        "partials": [to_json(segment) for segment in partials],
        "cards": [to_json(card) for card in cards],
        "suggestion_id": suggestion.suggestion_id if suggestion else None,
        "marks": [to_payload(marked) for marked in view.marks.values() if marked.article_id in view.history],
        "history": [_aside(shown) for shown in view.history.values()],
        "edits": [_aside(edit) for edit in view.edits.values()],
        "notes": [_aside(note) for note in view.notes.values() if note.text],
        "transfers": [_aside(transfer) for transfer in view.transfers],
        "work_order": to_json(view.work_order) if view.work_order else None,
        "alarms": [_aside(alarm) for alarm in view.alarms.values()],
    }
    return _text("snapshot", view.seq, at, view.call.call_id if view.call else None, payload)


def list_snapshot_text(calls: Sequence[Call], alarms: Sequence[Alarm], seq: int, at: datetime) -> str:
    """All of the list of calls at once."""
    payload = {"calls": [to_json(call) for call in calls], "alarms": [_aside(alarm) for alarm in alarms]}
    return _text("snapshot", seq, at, None, payload)


def answer_text(call_id: str | None, text: str, found: Findings, at: datetime) -> str:
    """What was found for a question asked at a screen, as cards in the order of their fit."""
    cards = [
        Card(
            slot=slot,
            is_new=True,
            article_id=match.article.article_id,
            title=match.article.title,
            excerpt=excerpt(match.article, text),
            department=match.article.department,
            score=match.score,
            source=match.article.source,
        )
        for slot, match in enumerate(found.matches)
    ]
    payload = {"text": text, "cards": [to_json(card) for card in cards]}
    return _text("question.answered", None, at, call_id, payload)


def error_text(code: str, message: str, at: datetime, *, recoverable: bool) -> str:
    """What went wrong with a command or with the stream itself."""
    return _text("error", None, at, None, {"code": code, "message": message, "recoverable": recoverable})


def _aside(value: ShownCard | Edit | Note | Transfer | Alarm) -> Any:
    return _ASIDES[type(value)].dump_python(value, mode="json")


def _text(type_name: str, seq: int | None, at: datetime, call_id: str | None, payload: Any) -> str:
    event = {"type": type_name, "seq": seq, "at": at.isoformat(), "call_id": call_id, **payload}
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))
