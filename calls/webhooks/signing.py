"""Signatures by which a receiver knows that an event is ours and fresh. Pure.

In: a secret, an event's identifier and body, the moment of sending. Out: headers.
Not known here: how they are sent.

The form is that of the Standard Webhooks, for which there are libraries in many languages: HMAC-SHA256 over
`id.timestamp.body`, in base64 after `v1,`; the key is what stands in base64 after `whsec_` in the secret.
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime

_PREFIX = "whsec_"
_KEY_BYTES = 32
LEAST_KEY_BYTES = 24
MOST_KEY_BYTES = 64


def new_secret() -> str:
    """A secret that nobody can guess."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def key_of(secret: str) -> bytes | None:
    """The key in a secret; None where it is none, or too short or too long to be one."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    is_one = secret.startswith(_PREFIX) and LEAST_KEY_BYTES <= len(key) <= MOST_KEY_BYTES
    return key if is_one else None


def signed(secret: str, *, event_id: str, body: bytes, at: datetime) -> Mapping[str, str]:
    """The headers of an event that is sent at that moment."""
    key = key_of(secret)
    assert key is not None, "a secret is looked at before it is kept"
    stamp = str(int(at.timestamp()))
    digest = hmac.digest(key, f"{event_id}.{stamp}.".encode() + body, "sha256")
    return {
        "webhook-id": event_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
