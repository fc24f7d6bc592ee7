"""Words that somebody says will come up in a recording.

In: the text of a prompt, and single words. Out: a `Lexicon` by which they are recognised by their sound.
Not known here: models; the text of a prompt is not told to one.
"""

import re
from collections.abc import Sequence

from asr.lexicon import Lexicon
from asr.terms import keyword_terms
from asr.vocabulary import general_words

_APART = re.compile(r"[^\u4e00-\u9fff〇]+")
_MOST = 200


def lexicon_of(prompt: str, words: Sequence[str] = ()) -> Lexicon | None:
    """The names and words that a prompt holds between its marks and spaces; None where it holds none.

    What the language at large knows as a word is recognised without it.
    """
    general = general_words()
    said = [word for word in _APART.split(prompt) if word not in general]
    terms = keyword_terms([*words, *said], kind="提示词")[:_MOST]
    return Lexicon(general=general, terms=terms) if terms else None
