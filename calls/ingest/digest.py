"""Who may begin a recording session, by a password: digest authentication (RFC 7616; in SIP RFC 8760).

In: the `Authorization` headers of requests. Out: challenges, and whether an answer to one is right. Pure, but
for the counts that were used.
Not known here: SIP's messages, sockets.

A nonce says when it was made and is signed, so nothing has to be kept of challenges that nobody answers. It
holds for five minutes; each count of it is taken once, so that what was overheard cannot be said again.
Bound: 5,000 nonces in use; the oldest is forgotten, and is of no use any more.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

REALM = "zhiting"
ALGORITHMS = ("SHA-256", "MD5")
"""The better one first, as clients take the first that they know."""
_HASHES = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}
_HOLDS_FOR_S = 300.0
_MAX_NONCES = 5_000
_PART = re.compile(r"(\w+)\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s,\"]+))")


class Verdict(Enum):
    """What is to be thought of an answer."""

    RIGHT = "right"
    STALE = "stale"
    """Right, but to a challenge that holds no longer: the client answers a new one without asking anybody."""
    WRONG = "wrong"


@dataclass(slots=True, kw_only=True)
class Digest:
    """One name and its password."""

    user: str
    password: str = field(repr=False)
    algorithms: Sequence[str] = ALGORITHMS
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    _counts: OrderedDict[str, int] = field(default_factory=OrderedDict)
    """Nonce → the highest count that was taken."""
    _forgotten_until_s: float = 0.0
    """Nonces from before that moment may have been used and forgotten."""

    def challenges(self, now_s: float, *, is_stale: bool = False) -> list[str]:
        """The values of `WWW-Authenticate`, one for each algorithm."""
        nonce, stale = self._nonce(now_s), ", stale=true" if is_stale else ""
        return [
            f'Digest realm="{REALM}", nonce="{nonce}", algorithm={one}, qop="auth"{stale}'
            for one in self.algorithms
        ]

    def check(self, authorization: str, method: str, now_s: float) -> Verdict:
        """Whether a header answers a challenge of ours; an answer is taken once."""
        said = _parts(authorization)
        algorithm = said.get("algorithm", "MD5").upper()
        if said.get("realm") != REALM or algorithm not in self.algorithms:
            return Verdict.WRONG
        count, nonce = said.get("nc", ""), said.get("nonce", "")
        if said.get("qop") != "auth" or not re.fullmatch(r"[0-9a-fA-F]{8}", count):
            return Verdict.WRONG
        wanted = response(
            algorithm,
            user=self.user,
            realm=REALM,
            password=self.password,
            method=method,
            uri=said.get("uri", ""),
            nonce=nonce,
            count=count,
            own_nonce=said.get("cnonce", ""),
        )
        is_user = hmac.compare_digest(said.get("username", "").encode(), self.user.encode())
        is_right = hmac.compare_digest(said.get("response", "").lower().encode(), wanted.encode())
        if not (is_user and is_right and self._is_ours(nonce)):
            return Verdict.WRONG
        return Verdict.RIGHT if self._take(nonce, int(count, 16), now_s) else Verdict.STALE

    def _nonce(self, now_s: float) -> str:
        made = f"{now_s:.3f}:{secrets.token_hex(8)}"
        return base64.urlsafe_b64encode(f"{made}:{self._sign(made)}".encode()).decode().rstrip("=")

    def _sign(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()[:32]

    def _opened(self, nonce: str) -> str:
        try:
            return base64.urlsafe_b64decode(nonce + "=" * (-len(nonce) % 4)).decode("ascii")
        except ValueError:
            return ""

    def _is_ours(self, nonce: str) -> bool:
        made, _, signature = self._opened(nonce).rpartition(":")
        return hmac.compare_digest(signature.encode(), self._sign(made).encode())

    def _take(self, nonce: str, count: int, now_s: float) -> bool:
        """Use a count of a nonce; False where that was used, or the nonce is too old."""
        made_s = float(self._opened(nonce).partition(":")[0])
        if now_s - made_s > _HOLDS_FOR_S or count <= self._counts.get(nonce, 0):
            return False
        if nonce not in self._counts and made_s <= self._forgotten_until_s:
            return False
        self._counts[nonce] = count
        self._counts.move_to_end(nonce)
        while len(self._counts) > _MAX_NONCES:
            oldest, _ = self._counts.popitem(last=False)
            made = float(self._opened(oldest).partition(":")[0])
            self._forgotten_until_s = max(self._forgotten_until_s, made)
        return True


def response(
    algorithm: str,
    *,
    user: str,
    realm: str,
    password: str,
    method: str,
    uri: str,
    nonce: str,
    count: str,
    own_nonce: str,
) -> str:
    """What a client that knows the password answers (RFC 7616, 3.4.1), with `qop=auth`."""

    def of(text: str) -> str:
        return _HASHES[algorithm](text.encode()).hexdigest()

    secret, asked = of(f"{user}:{realm}:{password}"), of(f"{method}:{uri}")
    return of(f"{secret}:{nonce}:{count}:{own_nonce}:auth:{asked}")


def _parts(authorization: str) -> dict[str, str]:
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() != "digest":
        return {}
    return {
        name.lower(): re.sub(r"\\(.)", r"\1", quoted) if quoted else bare
        for name, quoted, bare in _PART.findall(rest[:2_000])
    }
