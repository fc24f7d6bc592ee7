"""The book of what was transcribed: by content and settings, so that nothing is decoded twice or lost.

In: digests of files, the fingerprint of what decides their text, pieces and transcripts as they come.
Out: what is known already; who works on what.
Not known here: how files are read or decoded, what results look like on paper.

One SQLite file beside the results; several processes of one machine may share it. A piece is on record when
`keep` returns: whoever is killed goes on at the batch that was in flight.
"""

import os
import threading
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects.sqlite import insert

from asr.batch.owner import is_alive, name_owner
from asr.batch.types import Piece, Refusal, Transcript
from asr.types import Party

_TRANSCRIPT = TypeAdapter(Transcript)
_PIECE = TypeAdapter(Piece)
_BUSY_MS = 30_000

_tables = sa.MetaData()
_files = sa.Table(
    "files",
    _tables,
    sa.Column("digest", sa.String, primary_key=True),
    sa.Column("fingerprint", sa.String, primary_key=True),
    sa.Column("transcript", sa.LargeBinary),  # zlib of JSON; null where it was refused
    sa.Column("code", sa.String),
    sa.Column("attempts", sa.Integer, nullable=False, default=1),
)
_pieces = sa.Table(
    "pieces",
    _tables,
    sa.Column("digest", sa.String, primary_key=True),
    sa.Column("fingerprint", sa.String, primary_key=True),
    sa.Column("party", sa.String, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("piece", sa.LargeBinary, nullable=False),
)
_claims = sa.Table(
    "claims",
    _tables,
    sa.Column("digest", sa.String, primary_key=True),
    sa.Column("fingerprint", sa.String, primary_key=True),
    sa.Column("owner", sa.String, nullable=False),
)
_paths = sa.Table(
    "paths",
    _tables,
    sa.Column("path", sa.String, primary_key=True),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("changed_ns", sa.Integer, nullable=False),
    sa.Column("digest", sa.String, nullable=False),
)
_written = sa.Table(
    "written",
    _tables,
    sa.Column("target", sa.String, primary_key=True),
    sa.Column("mark", sa.String, nullable=False),  # of all that decides what is in it
)
_sent = sa.Table(
    "sent",
    _tables,
    sa.Column("digest", sa.String, primary_key=True),
    sa.Column("receiver", sa.String, primary_key=True),
)


class Manifest:
    """Opened on a path; any thread may use it. Raises `sqlalchemy.exc.OperationalError` on a full disk."""

    def __init__(self, path: Path, *, is_on_network: bool = False) -> None:
        """A file `on a network` is opened by several machines, which share no log that is written ahead."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._engine = sa.create_engine(f"sqlite:///{path}")
        sa.event.listen(self._engine, "connect", _prepare_shared if is_on_network else _prepare)
        _tables.create_all(self._engine)
        self._lock = threading.Lock()
        self._owner = name_owner()

    def close(self) -> None:
        """Give up what is claimed and close."""
        with self._lock, self._engine.begin() as connection:
            connection.execute(_claims.delete().where(_claims.c.owner == self._owner))
        self._engine.dispose()

    def take_over(self) -> None:
        """Whoever else has claimed files works on them no longer: the caller knows."""
        with self._lock, self._engine.begin() as connection:
            connection.execute(_claims.delete().where(_claims.c.owner != self._owner))

    def digest_of(self, path: Path) -> str | None:
        """The digest of a file as it was seen before, if it has not changed since."""
        state = path.stat()
        query = sa.select(_paths.c.digest).where(
            _paths.c.path == _name(path),
            _paths.c.size == state.st_size,
            _paths.c.changed_ns == state.st_mtime_ns,
        )
        with self._engine.connect() as connection:
            found: str | None = connection.scalar(query)
        return found

    def note_digest(self, path: Path, digest: str) -> None:
        """Remember what a file's content is."""
        state = path.stat()
        row = {
            "path": _name(path),
            "size": state.st_size,
            "changed_ns": state.st_mtime_ns,
            "digest": digest,
        }
        self._put(_paths, row, "path")

    def transcript(self, digest: str, fingerprint: str) -> Transcript | None:
        """What was recognised, if all of it was."""
        query = sa.select(_files.c.transcript).where(*_is(_files, digest, fingerprint))
        with self._engine.connect() as connection:
            packed = connection.scalar(query)
        return _TRANSCRIPT.validate_json(zlib.decompress(packed)) if packed else None

    def refusal(self, digest: str, fingerprint: str) -> Refusal | None:
        """Why it was refused, if it was."""
        query = sa.select(_files.c.code, _files.c.attempts).where(
            *_is(_files, digest, fingerprint), _files.c.code.is_not(None)
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return Refusal(code=row.code, attempts=row.attempts) if row else None

    def pieces(self, digest: str, fingerprint: str) -> Mapping[tuple[Party, int], Piece]:
        """What was recognised of a file that is not finished."""
        query = sa.select(_pieces.c.piece).where(*_is(_pieces, digest, fingerprint))
        with self._engine.connect() as connection:
            found = [_PIECE.validate_json(row) for row in connection.scalars(query)]
        return {(piece.party, piece.number): piece for piece in found}

    def keep(self, fingerprint: str, pieces: Iterable[tuple[str, Piece]]) -> None:
        """Put recognised pieces on record, each with the digest of its file."""
        rows = [
            {
                "digest": digest,
                "fingerprint": fingerprint,
                "party": piece.party.value,
                "number": piece.number,
                "piece": _PIECE.dump_json(piece),
            }
            for digest, piece in pieces
        ]
        if not rows:
            return
        with self._lock, self._engine.begin() as connection:
            connection.execute(insert(_pieces).on_conflict_do_nothing(), rows)

    def finish(self, digest: str, fingerprint: str, transcript: Transcript) -> None:
        """Put the whole on record, in place of its pieces."""
        row = {
            "digest": digest,
            "fingerprint": fingerprint,
            "transcript": zlib.compress(_TRANSCRIPT.dump_json(transcript)),
            "code": None,
        }
        self._end(row)

    def refuse(self, digest: str, fingerprint: str, refusal: Refusal) -> None:
        """Put on record that there will be no transcript, and why."""
        row = {
            "digest": digest,
            "fingerprint": fingerprint,
            "transcript": None,
            "code": refusal.code,
            "attempts": refusal.attempts,
        }
        self._end(row)

    def claim(self, digest: str, fingerprint: str) -> bool:
        """Take a file for oneself; False where another living process has it."""
        row = {"digest": digest, "fingerprint": fingerprint, "owner": self._owner}
        with self._lock, self._engine.begin() as connection:
            query = sa.select(_claims.c.owner).where(*_is(_claims, digest, fingerprint))
            owner = connection.scalar(query)
            if owner is not None and owner != self._owner and is_alive(owner):
                return False
            # it is taken only from the owner just seen: another process may be doing the same
            taken = insert(_claims).values(row)
            taken = taken.on_conflict_do_update(
                set_={"owner": self._owner}, where=_claims.c.owner == (owner or self._owner)
            )
            return connection.execute(taken).rowcount > 0

    def release(self, digest: str, fingerprint: str) -> None:
        """Let others have a file."""
        with self._lock, self._engine.begin() as connection:
            connection.execute(_claims.delete().where(*_is(_claims, digest, fingerprint)))

    def mark_of(self, target: Path) -> str | None:
        """What decided the content of a result when it was written."""
        query = sa.select(_written.c.mark).where(_written.c.target == _name(target))
        with self._engine.connect() as connection:
            found: str | None = connection.scalar(query)
        return found

    def note_written(self, target: Path, mark: str) -> None:
        """Remember what decided the content of a result."""
        self._put(_written, {"target": _name(target), "mark": mark}, "target")

    def was_sent(self, digest: str, receiver: str) -> bool:
        """Whether a file's transcript was handed on to that receiver."""
        query = sa.select(_sent.c.digest).where(_sent.c.digest == digest, _sent.c.receiver == receiver)
        with self._engine.connect() as connection:
            return connection.scalar(query) is not None

    def note_sent(self, digest: str, receiver: str) -> None:
        """Remember that it was."""
        row = {"digest": digest, "receiver": receiver}
        with self._lock, self._engine.begin() as connection:
            connection.execute(insert(_sent).values(row).on_conflict_do_nothing())

    def _put(self, table: sa.Table, row: dict[str, object], key: str) -> None:
        changed = {name: value for name, value in row.items() if name != key}
        with self._lock, self._engine.begin() as connection:
            connection.execute(insert(table).values(row).on_conflict_do_update(set_=changed))

    def _end(self, row: Mapping[str, object]) -> None:
        digest, fingerprint = str(row["digest"]), str(row["fingerprint"])
        with self._lock, self._engine.begin() as connection:
            connection.execute(insert(_files).values(row).on_conflict_do_update(set_=row))
            for table in (_pieces, _claims):
                connection.execute(table.delete().where(*_is(table, digest, fingerprint)))


def _name(path: Path) -> str:
    """The path as text that can be kept, whatever bytes its name is of."""
    return os.fsencode(path.absolute()).decode("utf-8", "backslashreplace")


def _prepare(connection: object, _record: object) -> None:
    _set(connection, "journal_mode=WAL", "synchronous=NORMAL")


def _prepare_shared(connection: object, _record: object) -> None:
    _set(connection, "journal_mode=DELETE", "synchronous=FULL")


def _set(connection: object, *pragmas: str) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]  # sqlite3's connection
    for pragma in (f"busy_timeout={_BUSY_MS}", *pragmas):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _is(table: sa.Table, digest: str, fingerprint: str) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.digest == digest, table.c.fingerprint == fingerprint
