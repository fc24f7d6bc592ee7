"""The rules that hold for every carrier: who speaks on which track, and what of its words goes on record.

In: what a carrier says at the beginning (`Begin`), and how this house wants it read (`CarrierRules`).
Out: an `Opening`, or `BadMessage`. Pure.
Not known here: protocols, sockets, calls that run.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from asr.types import Party
from calls.admission import Opening
from calls.ingest.messages import BadMessage
from calls.ingest.signals import Begin
from calls.types import AudioFormat
from knowledge_base.plain_text import plain

PARTIES: Mapping[str, Party] = {
    "inbound": Party.CITIZEN,
    "outbound": Party.OPERATOR,
    "external": Party.CITIZEN,
    "internal": Party.OPERATOR,
    "read": Party.CITIZEN,
    "write": Party.OPERATOR,
    "caller": Party.CITIZEN,
    "callee": Party.OPERATOR,
    "mixed": Party.MIXED,
}
"""Who is heard on a track, as long as the house says nothing else: citizens call in."""

_OPERATOR = ("operatorid", "operator", "agentid", "agent")
_CALLER = ("caller", "callerid", "from", "fromnumber", "ani")
_DIALLED = ("dialled", "dialed", "to", "tonumber", "dnis", "called", "callednumber")
_TOKENS = ("token",)
_CALL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,61}")
_MAX_NAME, _MAX_KEYS, _MAX_META_BYTES = 64, 60, 7_000
_LEFT_OUT = "省略的字段"
_AGAIN = 20


class CarrierRules(BaseModel):
    """How this house reads one carrier; what is left out is as usual."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parties: dict[str, Party] = {}
    """The carrier's name of a track → who is heard there."""
    tracks: list[str] = []
    """Which tracks will come, where the protocol does not say so at the beginning."""
    operator: str = ""
    """The field that names the seat."""
    caller: str = ""
    """The field with the number of the caller."""
    dialled: str = ""
    """The field with the number that was dialled."""
    byte_order: Literal["little", "big"] = "little"
    """Of linear PCM, where the protocol does not settle it."""


def call_id_of(carrier: str, key: str | None) -> str:
    """The identifier of a call that the carrier knows by `key`; one made up where it knows none."""
    if not key:
        return f"c-{secrets.token_hex(8)}"
    if _CALL_ID.fullmatch(key):
        return key
    return f"{carrier}-{hashlib.sha256(key.encode('utf-8', 'replace')).hexdigest()[:24]}"


def names_of(call_id: str) -> list[str]:
    """The identifiers under which a call may be kept: a carrier may stream the same call once more."""
    return [call_id, *(f"{call_id[:60]}.{n}" for n in range(2, _AGAIN))]


def audio_format_of(begin: Begin, rules: CarrierRules) -> AudioFormat:
    """How the sound is to be read. Raises `BadMessage` where the parties do not fit together."""
    parties = [rules.parties.get(track) or PARTIES.get(track) for track in begin.tracks]
    if None in parties:
        unknown = begin.tracks[parties.index(None)]
        raise BadMessage(f"不知道声道“{unknown[:40]}”是谁在说话，请在 ZHITING_CARRIERS 的 parties 里写明。")
    channels = tuple(str(party) for party in parties)
    if len(set(channels)) != len(channels) or not 1 <= len(channels) <= 2:
        raise BadMessage("两个声道必须是两方，请检查 ZHITING_CARRIERS 的 parties。")
    if len(channels) > 1 and Party.MIXED in channels:
        raise BadMessage("混合的声音只能单独成一个声道。")
    return AudioFormat(encoding=begin.encoding, sample_rate_hz=begin.sample_rate_hz, channels=channels)


def opening_of(carrier: str, begin: Begin, rules: CarrierRules) -> Opening:
    """What goes on record at the beginning of a call. Raises `BadMessage`."""
    fields = dict(begin.fields)
    operator = _take(fields, rules.operator, _OPERATOR)
    caller = _take(fields, rules.caller, _CALLER)
    dialled = _take(fields, rules.dialled, _DIALLED)
    for name in [name for name in fields if _bare(name) in _TOKENS]:
        del fields[name]
    call_id = call_id_of(carrier, begin.key)
    if begin.key and begin.key != call_id:
        fields["线路编号"] = begin.key
    return Opening(
        call_id=call_id,
        audio_format=audio_format_of(begin, rules),
        operator_id=_shown(operator),
        caller=_number(caller),
        dialled=_number(dialled),
        started_at=begin.started_at,
        meta=_bounded(fields) | {"线路": carrier},
    )


def seat_in(fields: Mapping[str, Any], rules: CarrierRules) -> str | None:
    """The operator's seat among what the carrier sends along, as it goes on record."""
    return _shown(_take(dict(fields), rules.operator, _OPERATOR))


def token_in(fields: Mapping[str, Any]) -> str | None:
    """A token among what the carrier sends along."""
    for name, value in fields.items():
        if _bare(name) in _TOKENS and isinstance(value, str) and value:
            return value
    return None


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _take(fields: dict[str, Any], wanted: str, usual: tuple[str, ...]) -> Any:
    """The field that is wanted, else the first of the usual names; it is not kept a second time."""
    if wanted:
        return fields.pop(wanted, None)
    by_name = {_bare(name): name for name in reversed(fields)}
    for name in usual:
        if name in by_name and isinstance(fields[by_name[name]], str | int):
            return fields.pop(by_name[name])
    return None


def _shown(value: Any) -> str | None:
    if not isinstance(value, str | int) or isinstance(value, bool):
        return None
    return plain(str(value)).strip()[:_MAX_NAME].strip() or None


def _number(value: Any) -> str | None:
    """A telephone number without the address around it: `sip:139…@10.0.0.1` is 139…."""
    shown = _shown(value)
    if shown is None:
        return None
    found = re.fullmatch(r"(?:sips?|tel):([^@;>]+).*", shown, re.IGNORECASE)
    return found.group(1) if found else shown


def _bounded(fields: Mapping[str, Any]) -> dict[str, Any]:
    """As many of the fields as a record holds; how many were left out stands beside them."""
    kept: dict[str, Any] = {}
    size = left_out = 0
    for name, value in fields.items():
        key = plain(str(name)).strip()[:_MAX_NAME]
        try:
            written = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError):
            left_out += 1
            continue
        size += len(written) + len(key.encode()) + 6
        if not key or size > _MAX_META_BYTES or len(kept) >= _MAX_KEYS:
            left_out += 1
            size -= len(written) + len(key.encode()) + 6
            continue
        kept[key] = value
    return kept | ({_LEFT_OUT: left_out} if left_out else {})
