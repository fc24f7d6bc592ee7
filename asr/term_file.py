"""An admin's own list of terms: one CSV file, changed as a whole or term by term.

In: terms, or the text of a list. Out: the terms that are in it, and its text.
Not known here: who changes it, what the terms are used for, when it is read by the ears.

The file is replaced at once (written aside, then renamed), so that a reader sees the old or the new list.
Where several servers share it, `home` sees to that.
"""

import csv
import hashlib
import io
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from asr.terms import MAX_TERMS, BadTerms, Term, parse_terms, read_terms
from asr.types import AsrError

_COLUMNS = ("term", "kind", "weight", "heard")
_CHANGED = "词表刚被别人改过，请刷新后再改。"


class TermConflict(AsrError):
    """The list is not any more what the change was made for."""

    code = "asr.terms_changed"


class Home(Protocol):
    """Where the text of the list is kept."""

    def fetch(self) -> None:
        """See that the file is the newest there is, before it is changed."""

    def write(self, content: str, *, by: str) -> bool:
        """Replace the text; False where somebody else was faster. Raises `OSError`."""


class _OwnFile:
    """The list is on this machine alone."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def fetch(self) -> None:
        """Nobody else writes it."""

    def write(self, content: str, *, by: str) -> bool:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        aside = self._path.with_name(f".{self._path.name}.new")
        with aside.open("w", encoding="utf-8", newline="") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self._path)
        return True


class TermFile:
    """The list; several threads may use it."""

    def __init__(self, path: Path, home: Home | None = None) -> None:
        self.path = path
        self._home = home or _OwnFile(path)
        self._lock = threading.Lock()

    def terms(self) -> tuple[Term, ...]:
        """Read the list; empty where there is no file yet. Raises `BadTerms`."""
        return tuple(read_terms(self.path)) if self.path.is_file() else ()

    def text(self) -> str:
        """Write the list out as CSV, headings included. Raises `BadTerms`."""
        return _csv(self.terms())

    def mark(self) -> str:
        """Name the present content: it changes whenever the list does."""
        content = self.path.read_bytes() if self.path.is_file() else b""
        return hashlib.sha256(content).hexdigest()[:16]

    def put(self, terms: Iterable[Term], *, by: str = "", expected: str | None = None) -> tuple[Term, ...]:
        """Add terms; one that is there already is replaced. Raises `BadTerms`, `TermConflict`."""
        with self._lock:
            self._must_be(expected)
            kept = {term.text: term for term in self.terms()} | {term.text: term for term in terms}
            return self._write(tuple(kept.values()), by)

    def remove(self, text: str, *, by: str = "", expected: str | None = None) -> bool:
        """Take a term out; says whether it was there. Raises `BadTerms`, `TermConflict`."""
        with self._lock:
            self._must_be(expected)
            before = self.terms()
            after = tuple(term for term in before if term.text != text)
            if len(after) < len(before):
                self._write(after, by)
            return len(after) < len(before)

    def replace(self, text: str, *, name: str, by: str = "", expected: str | None = None) -> tuple[Term, ...]:
        """Take the text of another list for this one; a bad one changes nothing.

        Raises `BadTerms`, `TermConflict`.
        """
        terms = {term.text: term for term in parse_terms(text.removeprefix("\ufeff"), name=name)}
        with self._lock:
            self._must_be(expected)
            return self._write(tuple(terms.values()), by)

    def _must_be(self, expected: str | None) -> None:
        self._home.fetch()
        if expected is not None and expected != self.mark():
            raise TermConflict(_CHANGED)

    def _write(self, terms: tuple[Term, ...], by: str) -> tuple[Term, ...]:
        if len(terms) > MAX_TERMS:
            raise BadTerms(f"词表超过 {MAX_TERMS} 条。")
        if not self._home.write(_csv(terms), by=by):
            raise TermConflict(_CHANGED)
        return terms


def _csv(terms: Iterable[Term]) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_COLUMNS)
    for term in terms:
        rows.writerow([term.text, term.kind, f"{term.weight:g}", "|".join(term.heard)])
    return text.getvalue()
