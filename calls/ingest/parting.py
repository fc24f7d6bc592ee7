"""How a websocket ended: with a goodbye, or without a word.

In: what ASGI says of the end of a connection. Out: the close code, 1006 where nobody said goodbye.
Not known here: protocols, calls.

A close frame without a code (1005, RFC 6455 7.4.1) is a goodbye like one with 1000: clients in JavaScript
send it, and the first versions of mod_audio_stream. uvicorn reports 1005 of connections that broke as well;
only where a frame came it says a reason too, if an empty one.
"""

from collections.abc import Mapping
from typing import Any

ORDERLY = (1000, 1001, 1005)
_NO_CODE, BROKEN = 1005, 1006


def close_code_in(message: Mapping[str, Any]) -> int:
    """The code with which the other side left, by a message of the type `websocket.disconnect`."""
    code = int(message.get("code", BROKEN))
    return BROKEN if code == _NO_CODE and "reason" not in message else code
