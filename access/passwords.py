"""Passwords become hashes that are slow to guess, and are compared with them.

In: passwords. Out: Argon2id hashes (RFC 9106, its second recommended parameters), yes or no.
Not known here: whose password it is.

Bound: two are computed at a time, as each takes 64 MiB; up to 32 more wait, others are turned away.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from access.types import BadAccount, TooManyAttempts

LEAST_CHARS = 10
MOST_CHARS = 200
_AT_ONCE = 2
_WAITING = 32
_RETRY_S = 5.0

# Written small, as tests take cheaper ones.
hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
_computing = threading.BoundedSemaphore(_AT_ONCE)
_queue = threading.BoundedSemaphore(_AT_ONCE + _WAITING)
nobody = hasher.hash("nobody has this password")
"""Compared with where there is no such account, so that the time taken does not tell."""


def check_strength(password: str, *, name: str) -> None:
    """Raise `BadAccount` where a password is too short, too long, or just the name."""
    if len(password) < LEAST_CHARS:
        raise BadAccount(f"密码至少 {LEAST_CHARS} 个字符。", code="access.weak_password")
    if len(password) > MOST_CHARS:
        raise BadAccount(f"密码最多 {MOST_CHARS} 个字符。", code="access.weak_password")
    if len(set(password)) < 5 or name.lower() in password.lower():
        raise BadAccount("密码太容易猜到：不要包含用户名，也不要重复少数字符。", code="access.weak_password")


def hash_password(password: str) -> str:
    """Hash a password with a new salt. Blocks some 50 ms."""
    with _one_of_few():
        return hasher.hash(password)


def is_password(password: str, password_hash: str | None) -> bool:
    """Whether that is the password; takes equally long where there is none. Blocks some 50 ms."""
    with _one_of_few():
        try:
            hasher.verify(password_hash or nobody, password[: MOST_CHARS + 1])
            return password_hash is not None
        except (VerificationError, InvalidHashError):
            return False


@contextmanager
def _one_of_few() -> Iterator[None]:
    if not _queue.acquire(blocking=False):
        raise TooManyAttempts(_RETRY_S)
    try:
        with _computing:
            yield
    finally:
        _queue.release()
