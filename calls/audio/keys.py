"""Seals bytes: AES-256-GCM, a key of its own for every file, so that no nonce is ever used twice.

In: the lines of a key file; bytes with a number and what they belong to. Out: sealed bytes, and back.
Not known here: files of sound, what the bytes are.

A key file holds one key a line, `NAME KEY`: a name, and 32 bytes in Base64. The first line seals; all of
them open. To change the key, put a new line on top and keep the old ones as long as there are recordings of
theirs.
"""

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from calls.audio.types import AudioDamaged, KeyMissing

_KEY_BYTES = 32
_NONCE_BYTES = 12
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PURPOSE = b"zhiting recording"


class BadKeys(ValueError):
    """A key file that cannot be used; the message says which line and why, never what stands there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """Seals and opens the pieces of one file."""

    cipher: AESGCM

    def close(self, number: int, data: bytes, about: bytes) -> bytes:
        """Seal one piece; its number and what it belongs to are part of the seal."""
        return self.cipher.encrypt(number.to_bytes(_NONCE_BYTES, "big"), data, about)

    def open(self, number: int, data: bytes, about: bytes) -> bytes:
        """The piece again. Raises `AudioDamaged`."""
        try:
            return self.cipher.decrypt(number.to_bytes(_NONCE_BYTES, "big"), data, about)
        except InvalidTag:
            raise AudioDamaged from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys of the installation; without any, nothing is sealed."""

    by_name: Mapping[str, bytes]

    @property
    def current(self) -> str | None:
        """The one that seals."""
        return next(iter(self.by_name), None)

    def seal(self, name: str, salt: bytes) -> Seal:
        """The seal of the file with that salt. Raises `KeyMissing`."""
        if (key := self.by_name.get(name)) is None:
            raise KeyMissing(name)
        derived = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=salt, info=_PURPOSE).derive(key)
        return Seal(cipher=AESGCM(derived))


NO_KEYS = Keys(by_name={})


def keys_of(text: str) -> Keys:
    """The keys of a file's text. Raises `BadKeys`."""
    keys: dict[str, bytes] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, encoded = line.strip().partition(" ")
        try:
            key = base64.b64decode(encoded.strip(), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not _NAME.fullmatch(name) or name in keys or len(key) != _KEY_BYTES:
            raise BadKeys(f"line {number}: a name of its own, a space, and 32 bytes in Base64 are expected")
        keys[name] = key
    if not keys:
        raise BadKeys("no key in it")
    return Keys(by_name=keys)


def read_keys(path: Path | None) -> Keys:
    """The keys of a file; none where no file is named. Raises `BadKeys`, `OSError`."""
    return keys_of(path.read_text(encoding="utf-8")) if path is not None else NO_KEYS


def new_salt() -> bytes:
    """What makes a file's key its own."""
    return secrets.token_bytes(32)


def new_key_line(name: str) -> str:
    """A line for a key file, with a new key."""
    return f"{name} {base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()}"
