"""Secrets that are handed out once and kept only as hashes.

In: nothing, or a secret that somebody brought. Out: new secrets, their hashes, what follows from them.
Not known here: what a secret opens.

They are random and 32 bytes long, so that a plain SHA-256 suffices: there is nothing to guess.
"""

import hashlib
import hmac
import secrets

TOKEN_PREFIX = "zt_"  # noqa: S105 - marks a token, is none
"""By which a token is known when it turns up where it does not belong."""


def new_secret() -> str:
    """A secret for a session."""
    return secrets.token_urlsafe(32)


def new_token() -> str:
    """A secret for a program."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def new_code() -> str:
    """A one-time code that a person can type: four groups of four, without letters that look like digits."""
    letters = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def hash_of(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def csrf_of(session_secret: str) -> str:
    """What a page must bring beside the cookie; another site's page cannot read it."""
    return hmac.new(session_secret.encode(), b"csrf", hashlib.sha256).hexdigest()[:32]


def is_same(one: str, other: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())
