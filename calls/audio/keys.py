"""Seals bytes: AES-256-GCM or SM4-GCM, a key of its own for every file, so that no nonce is ever used twice.

In: the lines of a key file; bytes with a number and what they belong to. Out: sealed bytes, and back.
Not known here: files of sound, what the bytes are.

A key file holds one key a line, `NAME KEY`: a name, and 32 bytes in Base64; `NAME KEY sm4` seals with SM4-GCM
(GB/T 32907, 128 bits), and a file's key is then derived with SM3 (GB/T 32905) instead of SHA-256. The first
line seals; all of them open. To change the key, put a new line on top and keep the old ones as long as there
are recordings of theirs; a line keeps its cipher.
"""

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM
from cryptography.hazmat.primitives.hashes import SHA256, SM3
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from calls.audio.types import AudioDamaged, KeyMissing

_KEY_BYTES = 32
_SM4_KEY_BYTES = 16
_TAG_BYTES = 16
_NONCE_BYTES = 12
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PURPOSE = b"zhiting recording"


class BadKeys(ValueError):
    """A key file that cannot be used; the message says which line and why, never what stands there."""


class Suite(StrEnum):
    """What a key seals with."""

    AES = "aes"
    SM4 = "sm4"


class _Aead(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Sm4Gcm:
    """SM4 in the mode and the form of `AESGCM`: the tag stands behind what is sealed."""

    key: bytes

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        """Seal. Raises `UnsupportedAlgorithm` where the machine's OpenSSL has no SM4."""
        sealing = Cipher(SM4(self.key), GCM(nonce)).encryptor()
        sealing.authenticate_additional_data(associated_data)
        return sealing.update(data) + sealing.finalize() + sealing.tag

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        """Open. Raises `InvalidTag`, `UnsupportedAlgorithm`."""
        if len(data) < _TAG_BYTES:
            raise InvalidTag
        opening = Cipher(SM4(self.key), GCM(nonce, data[-_TAG_BYTES:])).decryptor()
        opening.authenticate_additional_data(associated_data)
        return opening.update(data[:-_TAG_BYTES]) + opening.finalize()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """Seals and opens the pieces of one file."""

    cipher: _Aead

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
    suites: Mapping[str, Suite] = field(default_factory=dict)
    """Of keys that seal with another one than `Suite.AES`."""

    @property
    def current(self) -> str | None:
        """The one that seals."""
        return next(iter(self.by_name), None)

    def seal(self, name: str, salt: bytes) -> Seal:
        """The seal of the file with that salt. Raises `KeyMissing`."""
        if (key := self.by_name.get(name)) is None:
            raise KeyMissing(name)
        if self.suites.get(name) is Suite.SM4:
            derived = HKDF(algorithm=SM3(), length=_SM4_KEY_BYTES, salt=salt, info=_PURPOSE).derive(key)
            return Seal(cipher=Sm4Gcm(derived))
        derived = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=salt, info=_PURPOSE).derive(key)
        return Seal(cipher=AESGCM(derived))


NO_KEYS = Keys(by_name={})


def keys_of(text: str) -> Keys:
    """The keys of a file's text. Raises `BadKeys`."""
    keys: dict[str, bytes] = {}
    suites: dict[str, Suite] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, encoded, suite = (*line.split(), "", "")[:3]
        try:
            key = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        is_whole = len(line.split()) <= 3 and suite in ("", *Suite)
        if not _NAME.fullmatch(name) or name in keys or len(key) != _KEY_BYTES or not is_whole:
            raise BadKeys(
                f"line {number}: a name of its own, 32 bytes in Base64, and perhaps sm4 are expected"
            )
        keys[name] = key
        if suite == Suite.SM4:
            suites[name] = Suite.SM4
    if not keys:
        raise BadKeys("no key in it")
    if suites and not has_sm4():
        raise BadKeys("the OpenSSL of this machine has no SM4: take a key without sm4, or another machine")
    return Keys(by_name=keys, suites=suites)


def has_sm4() -> bool:
    """Whether this machine can seal with SM4 and SM3."""
    try:
        Sm4Gcm(bytes(_SM4_KEY_BYTES)).encrypt(bytes(_NONCE_BYTES), b"", b"")
        HKDF(algorithm=SM3(), length=_SM4_KEY_BYTES, salt=b"", info=_PURPOSE).derive(b"")
    except UnsupportedAlgorithm:
        return False
    return True


def read_keys(path: Path | None) -> Keys:
    """The keys of a file; none where no file is named. Raises `BadKeys`, `OSError`."""
    return keys_of(path.read_text(encoding="utf-8")) if path is not None else NO_KEYS


def new_salt() -> bytes:
    """What makes a file's key its own."""
    return secrets.token_bytes(32)


def new_key_line(name: str, suite: Suite = Suite.AES) -> str:
    """A line for a key file, with a new key."""
    line = f"{name} {base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()}"
    return f"{line} {suite}" if suite is not Suite.AES else line
