"""The lexicon in use, and when it has to be made anew.

In: what the knowledge base says, and the file of terms that an admin keeps.
Out: one `Lexicon` at a time; a running call goes on with the one that it began with.
Not known here: where articles are kept, what their versions mean, calls.
"""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from asr.lexicon import Lexicon
from asr.terms import BadTerms, keyword_terms, read_terms, sample_terms, with_short_names
from asr.vocabulary import general_words

log = logging.getLogger(__name__)


class Source(Protocol):
    """A piece of the knowledge base, as far as the ears may expect to hear it."""

    @property
    def title(self) -> str:
        """What it is about."""

    @property
    def body(self) -> str:
        """What it says."""

    @property
    def questions(self) -> tuple[str, ...]:
        """How people ask for it."""

    @property
    def keywords(self) -> tuple[str, ...]:
        """Words that name what it is about."""

    @property
    def department(self) -> str:
        """Whose matter it is; may be empty."""


def open_lexicon(sources: Iterable[Source], file: Path | None = None) -> Lexicon:
    """Make the lexicon of the samples, a knowledge base and an admin's file.

    A file that does not exist yet is an empty list. Takes about a second per 50,000 characters.
    Raises `BadTerms` for a file that cannot be read.
    """
    held = tuple(sources)
    terms = [
        *(
            read_terms(file) if file and file.is_file() else ()
        ),  # first, so that an admin's kind and weight win
        *sample_terms(),
        *keyword_terms([source.department for source in held], kind="部门"),
        *keyword_terms([word for source in held for word in source.keywords], kind="知识库关键词"),
    ]
    texts = [text for source in held for text in (source.title, source.body, *source.questions)]
    return Lexicon(general=general_words(), terms=with_short_names(terms), texts=texts)


class Wording:
    """Holds the lexicon; kept up by one thread, read by any."""

    def __init__(self, file: Path | None = None) -> None:
        self.lexicon: Lexicon | None = None
        self._file = file
        self._made_of: tuple[str | None, int | None] | None = None

    def keep_up(self, version: str | None, sources: Iterable[Source]) -> None:
        """Make the lexicon anew where the version or the file is another than it was made of; may block.

        Raises `BadTerms` for the first lexicon; later a file that turned bad leaves the old one in use
        and is tried again when it changes.
        """
        now = (version, self._changed_ns())
        if now == self._made_of:
            return
        try:
            self.lexicon = open_lexicon(sources, self._file)
        except BadTerms as error:
            if self.lexicon is None:
                raise
            log.error("the old list of terms stays in use: %s", error.message)
        finally:
            self._made_of = now

    @property
    def is_current(self) -> bool:
        """Whether the file as it stands has been looked at; while it is being taken up it has not."""
        return self._made_of is not None and self._made_of[1] == self._changed_ns()

    def _changed_ns(self) -> int | None:
        try:
            return self._file.stat().st_mtime_ns if self._file else None
        except OSError:
            return None
