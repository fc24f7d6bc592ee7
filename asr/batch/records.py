"""What a run has to be told and has to tell about files, wherever that is kept.

In: digests, the fingerprint of what decides the text, pieces and results. Out: what is known already.
Not known here: SQLite (`asr.batch.manifest`), shared storage (`asr.batch.cluster.checkpoints`).
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from asr.batch.types import Piece, Refusal, Transcript
from asr.types import Party


class Records(Protocol):
    """Any thread may use it."""

    def transcript(self, digest: str, fingerprint: str) -> Transcript | None:
        """What was recognised, if all of it was."""
        ...

    def refusal(self, digest: str, fingerprint: str) -> Refusal | None:
        """Why it was refused, if it was."""
        ...

    def pieces(self, digest: str, fingerprint: str) -> Mapping[tuple[Party, int], Piece]:
        """What was recognised of a file that is not finished."""
        ...

    def keep(self, fingerprint: str, pieces: Iterable[tuple[str, Piece]]) -> None:
        """Put recognised pieces on record, each with the digest of its file."""
        ...

    def finish(self, digest: str, fingerprint: str, transcript: Transcript) -> None:
        """Put the whole on record, in place of its pieces."""
        ...

    def refuse(self, digest: str, fingerprint: str, refusal: Refusal) -> None:
        """Put on record that there will be no transcript, and why."""
        ...

    def claim(self, digest: str, fingerprint: str) -> bool:
        """Take a file for oneself; False where somebody else has it."""
        ...

    def release(self, digest: str, fingerprint: str) -> None:
        """Let others have a file that one took."""
        ...
