"""Facts as JSON: the one place where a fact of a call becomes a document and comes back.

In: facts. Out: JSON-ready payloads with `type`, and facts again.
Not known here: where the documents are stored or sent.
"""

from typing import Any, get_args

from pydantic import TypeAdapter

from asr.types import Segment
from calls.forms.types import Form
from calls.types import Call, Fact
from retrieval.types import Card

_BY_TYPE: dict[str, type[Any]] = {kind.type: kind for kind in get_args(Fact)}
_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {
    kind: TypeAdapter(kind) for kind in (*_BY_TYPE.values(), Call, Segment, Card, Form)
}


def to_payload(fact: Fact) -> dict[str, Any]:
    """The fact's own fields in JSON form, without `type`."""
    payload: dict[str, Any] = to_json(fact)
    return payload


def from_payload(type_name: str, payload: dict[str, Any]) -> Fact:
    """The fact that `to_payload` wrote; raises KeyError for a type that is not ours."""
    fact: Fact = _ADAPTERS[_BY_TYPE[type_name]].validate_python(payload)
    return fact


def to_json(value: Fact | Call | Segment | Card | Form) -> Any:
    """A dataclass that screens or the journal know, in JSON form."""
    return _ADAPTERS[type(value)].dump_python(value, mode="json")
