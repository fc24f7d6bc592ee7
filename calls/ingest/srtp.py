"""Encrypted sound: SRTP with keys from the offer (RFC 3711, RFC 4568), where `pylibsrtp` is installed.

In: `a=crypto` lines of SDP, datagrams. Out: keys, and what was in the datagrams.
Not known here: sockets, SDP beside that one line.

Keys travel in SIP; without TLS whoever reads that can hear the sound as well.
"""

import base64
import binascii
import importlib.util
import secrets
from dataclasses import dataclass, field
from typing import Any

SUITES = {
    "AES_CM_128_HMAC_SHA1_80": "SRTP_PROFILE_AES128_CM_SHA1_80",
    "AES_CM_128_HMAC_SHA1_32": "SRTP_PROFILE_AES128_CM_SHA1_32",
}
"""By their names in SDP; all have a key of 16 bytes and a salt of 14."""
_KEY_BYTES = 30


def is_srtp_there() -> bool:
    """Whether encrypted sound can be read here: the extra `srtp` is installed."""
    return importlib.util.find_spec("pylibsrtp") is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Crypto:
    """How the other side encrypts a stream."""

    tag: str
    suite: str
    key: bytes = field(repr=False)


def read_crypto(value: str) -> Crypto | None:
    """One `crypto` attribute; None where it is not understood, or could not be decrypted.

    Identifiers of keys (MKI) and streams that are only signed are not taken.
    """
    parts = value.split()
    if len(parts) < 3 or not parts[0].isdecimal() or len(parts[0]) > 9 or parts[1] not in SUITES:
        return None
    method, _, rest = parts[2].partition(":")
    inline, *details = rest.split("|")
    if method != "inline" or any(":" in one for one in details):
        return None
    if any(not one.startswith(("WSH=", "-")) for one in parts[3:]):
        return None
    try:
        key = base64.b64decode(inline, validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(key) != _KEY_BYTES:
        return None
    return Crypto(tag=parts[0], suite=parts[1], key=key)


def new_key() -> bytes:
    """A key of ours, for an answer: nothing is ever sent with it."""
    return secrets.token_bytes(_KEY_BYTES)


def crypto_line(crypto: Crypto, own_key: bytes) -> str:
    """The attribute of the answer that takes an offered one."""
    return f"a=crypto:{crypto.tag} {crypto.suite} inline:{base64.b64encode(own_key).decode()}"


class Unsealer:
    """Decrypts one stream; what was changed on its way, or comes twice, is not let through."""

    def __init__(self, crypto: Crypto):
        from pylibsrtp import Error, Policy, Session

        policy = Policy(
            key=crypto.key,
            ssrc_type=Policy.SSRC_ANY_INBOUND,
            srtp_profile=getattr(Policy, SUITES[crypto.suite]),
        )
        self.crypto = crypto
        self._session: Any = Session(policy)
        self._error: type[Exception] = Error

    def opened(self, datagram: bytes) -> bytes | None:
        """The packet of RTP, or None."""
        try:
            packet: bytes = self._session.unprotect(datagram)
        except (self._error, TypeError):
            return None
        return packet
