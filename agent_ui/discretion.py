"""Who is shown a citizen's numbers and names in full, and what everybody else is shown instead.

In: callers, calls, documents as pages get them. Out: the same documents, masked where they have to be.
Not known here: how a number is recognised (calls/masking.py), addresses, sockets.

A call that runs is shown in full to whoever may work on it, and for an hour more to its own operator, who
writes down what it was about. Lists, searches, exports and calls of the past are masked for everybody but
programs with the scope `calls:personal`; what was masked can be asked for with a reason, which the audit log
keeps.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias, TypeVar

from pydantic import BaseModel

from access.types import Caller, Scope
from agent_ui.shown import CallOnScreen
from calls.masking import NOTHING_KNOWN, Known, masked_lines, masked_name, masked_phone, masked_text
from calls.types import Call, CallState

Veil: TypeAlias = Callable[[str], str]
"""What is done to a text on its way to a screen."""
WRAP_UP = timedelta(hours=1)
"""How long an operator's own call is shown in full after its end."""

_SNAPSHOT = '{"type":"snapshot"'
_PHONES = frozenset({"caller", "caller_phone", "phone", "电话", "来电", "联系电话"})
_NAMES = frozenset({"caller_name", "姓名", "来电人", "市民"})
_LINES = frozenset({"segments", "partials"})
_OURS = frozenset(
    {"cards", "card", "history", "knowledge", "type", "state", "party", "voice", "by", "dialled", "sha256"}
)
"""What comes from us or from the knowledge base, whose numbers are meant to be called."""

_VALUES = frozenset({"value", "drafted", "before"})
"""Under which a field of a wrap-up holds what it is called by."""

M = TypeVar("M", bound=BaseModel)


def needs_in_full(who: Caller) -> bool:
    """Whether it is a program that works with numbers and names; a person always says why."""
    return who.may(Scope.CALLS_PERSONAL) and not who.is_person


def sees_in_full(who: Caller, call: Call | CallOnScreen, now: datetime) -> bool:
    """Whether somebody who may see the call sees it unmasked without asking."""
    if needs_in_full(who) or call.state is not CallState.ENDED:
        return True
    is_own = who.operator_id is not None and who.operator_id == call.operator_id
    return is_own and call.ended_at is not None and now - call.ended_at < WRAP_UP


def masked(model: M, known: Known = NOTHING_KNOWN) -> M:
    """The same answer without what leads to a person."""
    return type(model).model_validate(masked_document(model.model_dump(mode="json"), known))


def masked_document(document: Any, known: Known = NOTHING_KNOWN) -> Any:
    """The same document without what leads to a person; who that is may stand anywhere in it."""
    told = _known_in(document)
    return _masked(
        document, Known(names=(*known.names, *told.names), numbers=(*known.numbers, *told.numbers))
    )


def veil_of_lists(who: Caller, seat: str | None = None) -> Veil:
    """What is done to each text on its way to a screen of a list: of all calls, or of those of one seat."""
    is_own = seat is not None and seat == who.operator_id
    return _as_it_is if is_own or needs_in_full(who) else _masked_text_of_screen


def veil_of_calls(who: Caller, clock: Callable[[], datetime]) -> Veil:
    """The same for a screen of one call or seat: a call of the past comes masked, in a snapshot."""

    def veil(text: str) -> str:
        if not text.startswith(_SNAPSHOT):  # of a call that goes on, or was shown masked
            return text
        call = json.loads(text)["call"]
        is_full = call is None or sees_in_full(who, CallOnScreen.model_validate(call), clock())
        return text if is_full else _masked_text_of_screen(text)

    return _as_it_is if needs_in_full(who) else veil


def _as_it_is(text: str) -> str:
    return text


def _masked_text_of_screen(text: str) -> str:
    return json.dumps(masked_document(json.loads(text)), ensure_ascii=False, separators=(",", ":"))


def known_of(call: Call) -> Known:
    """Who the citizen of a call is, as far as the call's own row tells it."""
    return _known_in({"caller": call.caller, "meta": dict(call.meta)})


def _known_in(document: Any) -> Known:
    found = list(_personal(document))
    names = dict.fromkeys(value for key, value in found if key in _NAMES)
    numbers = dict.fromkeys(value for key, value in found if key in _PHONES)
    return Known(names=tuple(names), numbers=tuple(numbers))


def _personal(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _personal(each, key if name in _VALUES else name)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for each in value:
            yield from _personal(each, key)
    elif isinstance(value, str) and value and key in _NAMES | _PHONES:
        yield key, value


def _masked(value: Any, known: Known, key: str = "") -> Any:
    if _is_ours(key):
        return value
    if isinstance(value, str):
        if key in _PHONES:
            return masked_phone(value)
        return masked_name(value) if key in _NAMES else masked_text(value, known)
    if isinstance(value, Mapping):
        return {name: _masked(each, known, key if name in _VALUES else name) for name, each in value.items()}
    if isinstance(value, Sequence):
        return (
            _masked_segments(value, known) if key in _LINES else [_masked(one, known, key) for one in value]
        )
    return value


def _masked_segments(segments: Sequence[Any], known: Known) -> list[Any]:
    """Lines in their order: numbers are dictated over several of them."""
    order = sorted(range(len(segments)), key=lambda place: segments[place]["start_s"])
    texts = masked_lines([segments[place]["text"] for place in order], known)
    hidden = dict(zip(order, texts, strict=True))
    done = []
    for place, segment in enumerate(segments):
        words = segment.get("words") or ()
        said = masked_lines([word["text"] for word in words], known, joint="")
        rest = {name: each for name, each in segment.items() if name not in ("text", "words")}
        done.append(
            _masked(rest, known)
            | {"text": hidden[place]}
            | {"words": [{**word, "text": text} for word, text in zip(words, said, strict=True)]}
        )
    return done


def _is_ours(key: str) -> bool:
    return key in _OURS or key.endswith(("_id", "_at", "_s")) or key == "at"
