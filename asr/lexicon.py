"""Puts right what was heard with the right sounds but written with the wrong characters.

In: readable text, and the words that this city and its knowledge base use.
Out: the text with such spans rewritten, and a `Correction` for each.
Not known here: sound itself, models, where terms and texts come from, who undoes a correction.

A noisy channel: the text is divided into words at the least cost (negative log probability). A word may
stand for a span that sounds like it, but then pays for every changed character, every differing tone and
syllable, and a fixed price besides. So 攻击尽 becomes 公积金, while 攻击|尽快 stays: its words are likelier.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from asr.sounds import Sound, sound_of, sounds_of
from asr.terms import Term
from asr.types import Correction, Segment
from asr.vocabulary import Vocabulary, cheapest_path, count_words

_RUN = re.compile("(?:[\u4e00-\u9fff〇]|(?<![0-9.])[0-9](?![0-9.%]))+")
_HAN = re.compile("[\u4e00-\u9fff〇]{2,}")
_SPOKEN_DIGITS = str.maketrans("0123456789", "零一二三四五六七八九")
# Names of people, firms and places that no list has are rare words, and must not become usual ones.
_BEFORE_NAME = re.compile(
    "[叫姓王李张刘陈杨赵黄周吴徐孙朱胡郭何林罗郑梁谢宋唐许邓韩冯曹彭曾肖董袁潘蒋蔡贾丁魏薛叶阎余杜戴夏钟汪任姜范"
    "姚谭廖邹熊陆郝孔崔邱秦顾侯邵孟龙尹黎俞沈贺倪温施洪翁童柳章卢傅葛邬庄虞]$"
)
_AFTER_NAME = re.compile(
    "[村镇乡县路街巷弄河桥江湖港岛礁寺庙]|(?:有限)?公司|集团|小区|酒店|饭店|宾馆|家园|花园|公寓|大厦|商行|超市"
    "|医院|学校|小学|中学|幼儿园|大道|广场|社区|工业园|先生|女士|师傅|老师|医生|厅长|局长|主任"
)
_DOMAIN_KIND = "知识库用词"


@dataclass(frozen=True, slots=True, kw_only=True)
class LexiconOptions:
    """What a correction must be worth, in nats. Raises `ValueError` for values out of range."""

    correction_cost: float = 4.5
    """Of any correction; the higher, the fewer and the safer."""
    character_cost: float = 1.0
    """Of each changed character."""
    syllable_cost: float = 3.0
    """Of each syllable that is only confusable, not the same."""
    tone_cost: float = 1.0
    """Of each differing tone."""
    short_cost: float = 2.0
    """Of a span of two characters: many words sound alike."""
    word_cost: float = 1.5
    """Where what was heard is a word itself."""
    name_cost: float = 4.0
    """Of a span of two characters that stands where a name would."""

    def __post_init__(self) -> None:
        costs = (
            self.correction_cost,
            self.character_cost,
            self.syllable_cost,
            self.tone_cost,
            self.short_cost,
            self.word_cost,
            self.name_cost,
        )
        if min(costs) < 0:
            raise ValueError("No cost of a correction may be negative.")


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A word that may have been said."""

    word: str
    sounds: tuple[Sound, ...]
    kind: str
    is_term: bool
    fixed: tuple[int, ...] = ()
    """Where the character itself must have been heard: it sounds so by itself, but not in this word."""


@dataclass(frozen=True, slots=True)
class _Step:
    """A stretch of the text, as it is or rewritten."""

    start: int
    end: int
    written: str | None
    reason: str


@dataclass(slots=True)
class _Node:
    """One syllable further into the candidates."""

    next: dict[str, "_Node"] = field(default_factory=dict)
    candidates: list[_Candidate] = field(default_factory=list)


_Arc: TypeAlias = tuple[int, float, _Step]


class Lexicon:
    """The words to be recognised by their sound; unchanging, for any number of threads."""

    def __init__(
        self,
        *,
        general: Mapping[str, int],
        terms: Sequence[Term] = (),
        texts: Iterable[str] = (),
        options: LexiconOptions | None = None,
    ) -> None:
        """`general` are counts of the language at large; `texts` those of the domain, its words count too."""
        self._options = options or LexiconOptions()
        weights = {term.text: term.weight for term in terms}
        domain = count_words(texts, Vocabulary(general, terms=weights))
        self._vocabulary = Vocabulary(general, terms=weights, domain=domain)
        self.terms = frozenset(weights)
        """The terms by themselves, without the other words of the domain."""
        self._root = _Node()
        self._heard_as: dict[str, list[tuple[str, Term]]] = {}
        for term in terms:
            if _HAN.fullmatch(term.text):
                self._add(_Candidate(term.text, sounds_of(term.text), term.kind, True))
            for heard in term.heard:
                self._heard_as.setdefault(heard[0], []).append((heard, term))
        for word in domain:
            if word not in weights and _HAN.fullmatch(word):
                self._add(_Candidate(word, sounds_of(word), _DOMAIN_KIND, False))

    def correct(self, text: str) -> tuple[str, tuple[Correction, ...]]:
        """Rewrite what is safe to rewrite; the corrections' places are those in the new text."""
        written: list[str] = []
        corrections: list[Correction] = []
        length = done = 0
        for run in _RUN.finditer(text):
            for step in self._rewritten(run[0]):
                if step.written is None:
                    continue
                start = run.start() + step.start
                kept = text[done:start]
                corrections.append(
                    Correction(
                        start=length + len(kept),
                        heard=text[start : run.start() + step.end],
                        written=step.written,
                        reason=step.reason,
                    )
                )
                written += (kept, step.written)
                length += len(kept) + len(step.written)
                done = run.start() + step.end
        return "".join((*written, text[done:])), tuple(corrections)

    def _add(self, candidate: _Candidate) -> None:
        """File a candidate under its sounds, and under those that its characters have by themselves."""
        alone = tuple(sound_of(character) for character in candidate.word)
        self._file(candidate)
        if alone != candidate.sounds:
            fixed = tuple(at for at, sound in enumerate(alone) if sound != candidate.sounds[at])
            self._file(replace(candidate, sounds=alone, fixed=fixed))

    def _file(self, candidate: _Candidate) -> None:
        node = self._root
        for sound in candidate.sounds:
            node = node.next.setdefault(sound.key, _Node())
        node.candidates.append(candidate)

    def _rewritten(self, run: str) -> list[_Step]:
        spoken = run.translate(_SPOKEN_DIGITS)
        sounds = [sound_of(character) for character in spoken]

        def arcs(at: int) -> Iterator[_Arc]:
            for end, cost, _ in self._vocabulary.arcs(spoken, at):
                if end == at + 1 or spoken[at:end] == run[at:end]:  # 6横 as it stands is no word
                    yield end, cost, _Step(at, end, None, "")
            yield from self._told(run, at)
            yield from self._sounding_alike(run, spoken, sounds, at)

        return cheapest_path(len(run), arcs)

    def _told(self, run: str, at: int) -> Iterator[_Arc]:
        """Spans that somebody listed as a mishearing of a term."""
        for heard, term in self._heard_as.get(run[at], ()):
            if run.startswith(heard, at):
                cost = self._vocabulary.cost(term.text) or 0.0
                end = at + len(heard)
                yield (
                    end,
                    cost + self._options.character_cost,
                    _Step(at, end, term.text, f"{term.kind}：词表所列"),
                )

    def _sounding_alike(self, run: str, spoken: str, sounds: Sequence[Sound], at: int) -> Iterator[_Arc]:
        node = self._root
        for end in range(at + 1, len(run) + 1):
            found = node.next.get(sounds[end - 1].key)
            if found is None:
                return
            node = found
            heard = run[at:end]
            for candidate in node.candidates:
                if candidate.word == heard or any(candidate.word[k] != heard[k] for k in candidate.fixed):
                    continue
                if candidate.word == spoken[at:end]:  # 6横 is 六横, but 3个 and 1年 stay
                    is_name = candidate.is_term and not self._vocabulary.is_word(candidate.word)
                    price = self._options.character_cost if is_name else None
                elif heard.isascii() or any(sign.isdigit() and sign.isascii() for sign in heard):
                    price = None
                else:
                    price = self._price(candidate, spoken, at, sounds[at:end])
                cost = self._vocabulary.cost(candidate.word)
                if price is None or cost is None:
                    continue
                same = all(
                    a.syllable == b.syllable for a, b in zip(candidate.sounds, sounds[at:end], strict=True)
                )
                reason = f"{candidate.kind}：读音{'相同' if same else '相近'}"
                yield end, cost + price, _Step(at, end, candidate.word, reason)

    def _price(self, candidate: _Candidate, run: str, at: int, sounds: Sequence[Sound]) -> float:
        options = self._options
        end = at + len(sounds)
        heard = run[at:end]
        is_short = len(heard) == 2
        is_name = is_short and (_AFTER_NAME.match(run, end) or _BEFORE_NAME.search(run, 0, at))
        pairs = list(zip(candidate.sounds, sounds, strict=True))
        return (
            options.correction_cost
            + options.character_cost * sum(a != b for a, b in zip(candidate.word, heard, strict=True))
            + options.syllable_cost * sum(a.syllable != b.syllable for a, b in pairs)
            + options.tone_cost * sum(a.tone != b.tone for a, b in pairs)
            + options.short_cost * is_short
            + options.name_cost * bool(is_name)
            + options.word_cost * self._vocabulary.is_word(heard)
        )


def corrected(segment: Segment, lexicon: Lexicon | None) -> Segment:
    """The segment with its text put right; `raw_text` stays as it was heard."""
    if lexicon is None or not segment.text:
        return segment
    text, corrections = lexicon.correct(segment.text)
    return replace(segment, text=text, corrections=corrections)
