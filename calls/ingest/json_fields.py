"""Values out of JSON that a stranger wrote: of the wanted type, or what to do without.

In: text, objects. Out: checked values, or `BadMessage`. Pure.
Not known here: what the values mean.
"""

import base64
import binascii
import json
import math
import re
from collections.abc import Mapping
from typing import Any

from calls.ingest.messages import BadMessage


def object_in(text: str) -> dict[str, Any]:
    """The JSON object that a message is. Raises `BadMessage`."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise BadMessage("消息不是 JSON。") from None
    if not isinstance(found, dict):
        raise BadMessage("消息不是 JSON 对象。")
    return found


def inner(of: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The first of these that is an object; an empty one where none is. Objects may come as JSON text."""
    for name in names:
        value = of.get(name)
        if isinstance(value, str) and value.startswith("{"):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                continue
        if isinstance(value, dict):
            return value
    return {}


def pairs(written: str) -> dict[str, Any]:
    """Names and values out of `a=1;b=2` or `a=1,b=2`; what has no `=` is left out."""
    found: dict[str, Any] = {}
    for one in re.split(r"[;,]", written):
        name, equals, value = one.partition("=")
        if equals and name.strip():
            found[name.strip()] = value.strip()
    return found


def text(of: Mapping[str, Any], *names: str) -> str | None:
    """The first of these that is a text or a whole number, as text."""
    for name in names:
        value = of.get(name)
        if isinstance(value, bool) or value == "":
            continue
        if isinstance(value, str):
            return value
        if isinstance(value, int):
            return str(value)
    return None


def number(of: Mapping[str, Any], *names: str) -> float | None:
    """The first of these that is a finite number, also one written as text."""
    for name in names:
        value = of.get(name)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            continue
        try:
            found = float(value)
        except (ValueError, OverflowError):
            continue
        if math.isfinite(found):
            return found
    return None


def from_base64(written: Any) -> bytes:
    """The bytes behind a payload. Raises `BadMessage`."""
    if not isinstance(written, str):
        raise BadMessage("声音消息没有 payload。")
    try:
        return base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError):
        raise BadMessage("payload 不是 base64。") from None
