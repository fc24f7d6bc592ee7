"""Signatures by which carriers prove who they are.

In: what a carrier sent when it opened the connection, the secret shared with it, the present moment.
Out: whether the signature holds. Pure.
Not known here: sockets, what a carrier may do.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

_AUDIOHOOK_COVERS = (
    "@request-target",
    "@authority",
    "audiohook-organization-id",
    "audiohook-session-id",
    "audiohook-correlation-id",
    "x-api-key",
)
_MAX_AGE_S, _SKEW_S, _MIN_NONCE = 10, 3, 22
_INPUT = re.compile(r'([a-z*][a-z0-9_.*-]*)=(\((?:"[^"]*"(?: |(?=\))))*\)((?:;[a-z]+=(?:"[^"]*"|\d+))*))')
_SIGNATURE = re.compile(r"([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/=]*):")


def is_signed_by_twilio(addresses: Sequence[str], signature: str, secret: str) -> bool:
    """Whether `X-Twilio-Signature` is of one of the addresses by which we may have been called.

    HMAC-SHA1 of the address with the account's auth token (twilio.com/docs/usage/security).
    """
    is_one = False
    for address in addresses:
        digest = hmac.digest(secret.encode(), address.encode(), hashlib.sha1)
        is_one |= hmac.compare_digest(base64.b64encode(digest).decode(), signature)
    return is_one


def is_signed_by_audiohook(
    headers: Mapping[str, str], target: str, secret: bytes, *, now_s: float, max_age_s: float = _MAX_AGE_S
) -> bool:
    """Whether the headers (names in lower case) carry a fresh signature over all that AudioHook signs.

    HTTP Message Signatures with HMAC-SHA256 (draft-ietf-httpbis-message-signatures, as AudioHook uses it);
    `target` is the path with its query.
    """
    found = _INPUT.fullmatch(headers.get("signature-input", "").strip())
    signature = _SIGNATURE.fullmatch(headers.get("signature", "").strip())
    if found is None or signature is None or found.group(1) != signature.group(1):
        return False
    covered = re.findall(r'"([^"]*)"', found.group(2).partition(")")[0])
    parameters = dict(re.findall(r';([a-z]+)=("[^"]*"|\d+)', found.group(3)))
    values = dict(headers) | {"@request-target": target, "@authority": headers.get("host", "")}
    is_complete = set(covered) >= set(_AUDIOHOOK_COVERS) and all(name in values for name in covered)
    is_of_key = parameters.get("keyid", "").strip('"') == headers.get("x-api-key")
    is_known = parameters.get("alg", '"hmac-sha256"') == '"hmac-sha256"'
    if not (is_complete and is_of_key and is_known and _is_fresh(parameters, now_s, max_age_s)):
        return False
    lines = [f'"{name}": {values[name].strip()}' for name in covered]
    lines.append(f'"@signature-params": {found.group(2)}')
    try:
        given = base64.b64decode(signature.group(2), validate=True)
    except binascii.Error:
        return False
    return hmac.compare_digest(hmac.digest(secret, "\n".join(lines).encode(), hashlib.sha256), given)


def _is_fresh(parameters: Mapping[str, str], now_s: float, max_age_s: float) -> bool:
    created, expires = parameters.get("created", ""), parameters.get("expires", "")
    if not created.isdigit() or len(parameters.get("nonce", "").strip('"')) < _MIN_NONCE:
        return False
    if expires and (not expires.isdigit() or int(expires) < now_s - _SKEW_S):
        return False
    return now_s - max_age_s - _SKEW_S <= int(created) <= now_s + _SKEW_S
