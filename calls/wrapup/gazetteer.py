"""The names of places that are known, and in which of the city's districts they lie.

In: lines of a gazetteer: `term,kind,district,weight`.
Out: the places named in a text.
Not known here: calls, numbers, landmarks.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from asr.vocabulary import general_words
from calls.wrapup.sounding import distance, syllable_of

_DISTRICT = {
    "定海": "定海区",
    "普陀": "普陀区",
    "岱山": "岱山县",
    "嵊泗": "嵊泗县",
    "新城": "新城管委会",
}
_PARTED = "普陀山-朱家尖管委会"
_OWN_ADMINISTRATION: Mapping[str, str] = {
    # Inside a county-level district on the map, but run by a committee of their own.
    "临城": "新城管委会",
    "千岛街道": "新城管委会",
    "普陀山": _PARTED,
    "朱家尖": _PARTED,
    "金塘": "定海区",
    "六横": "普陀区",
    "洋山": "嵊泗县",
}
_AREA_END = re.compile("(?:街道|[区县镇乡])$")
_CITY = "舟山市"
_DISTRICT_KIND = "区划"
_AREAS = (_DISTRICT_KIND, "街道乡镇")
_LEAST_CHARS = 2
_LANDING = "码头"
_ALLOWED = {1: 0.2, 2: 0.3, 3: 0.5, 4: 0.7}
"""How far off all syllables may sound together, by length of the name's own part: 沈家门 of 沈家门街道."""
_LONG_ALLOWED = 0.9
_COMMON_END = re.compile("(?:街道|大道|公路|码头|大桥|医院|[路街镇乡区县岛巷弄村])$")
_USUAL = 100
"""How often a word of the language at large is seen, of its 60 million."""
_RARE = 20
_LONGEST_WORD = 4
_SYLLABLE_ALLOWED = 0.5
_DEARNESS = 3.0
"""How many syllables of a longer name are worth one that sounds wholly different."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPlace:
    """A known name in a text."""

    name: str
    """In full: 沈家门街道 where 沈家门 was said."""
    kind: str
    districts: frozenset[str]
    """Where a place of that name lies; empty where that is not known."""
    start: int
    end: int
    town: str = ""
    """A town that is called the same: 东沙 is a beach of 普陀 and, as 东沙镇, a town of 岱山."""
    town_districts: frozenset[str] = frozenset()
    is_heard: bool = False
    """Known by its sound; other characters stand in the text."""
    doubt: float = 0.0
    """How far off it sounds."""

    @property
    def is_district(self) -> bool:
        """Whether it says no more than the district."""
        return self.kind == _DISTRICT_KIND

    @property
    def is_area(self) -> bool:
        """Whether people say that they are from there: a district or a town."""
        return self.kind in _AREAS or bool(self.town)


class Gazetteer:
    """Known names; the longest that fits is taken."""

    def __init__(self, rows: Iterable[str]) -> None:
        self._places: dict[str, _Entry] = {}
        for row in csv.DictReader(rows):
            term, kind = row["term"], row["kind"]
            district = _district(term, kind, row["district"])
            entry = self._places.setdefault(term, _Entry(name=term, kind=kind, districts=set()))
            entry.districts.update({district} if district else ())
        for entry in list(self._places.values()):
            bare = _AREA_END.sub("", entry.name)
            if entry.kind in _AREAS and bare != entry.name and len(bare) >= _LEAST_CHARS:
                known = self._places.get(bare)
                if known is None or known.kind == _DISTRICT_KIND:
                    self._places[bare] = entry  # 六横 is the town 六横镇
                else:
                    known.towns.append(entry)
        for entry in list(self._places.values()):
            bare = entry.name.removesuffix(_LANDING)
            if entry.kind == _LANDING and len(bare) >= _LEAST_CHARS:
                self._places.setdefault(bare, entry)  # the ferry from 三江 leaves at 三江码头
        self._places.pop(_CITY, None)
        names = sorted(self._places, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, names)) or "(?!)")
        by_sound: dict[tuple[str, ...], _Sounding] = {}
        for name in reversed(names):
            by_sound[_syllables(name)] = _Sounding(
                name=name,
                sounds=_syllables(name),
                allowed=_ALLOWED.get(len(_COMMON_END.sub("", name)), _LONG_ALLOWED),
                entry=self._places[name],
            )
        self._by_first: dict[str, list[_Sounding]] = defaultdict(list)
        for sounds, sounding in by_sound.items():
            self._by_first[sounds[0]].append(sounding)
        self._near_first: dict[str, list[_Sounding]] = {}

    @property
    def districts(self) -> frozenset[str]:
        """All that known places lie in."""
        return frozenset(district for entry in self._places.values() for district in entry.districts)

    def named(self, text: str, *, by_sound: bool = False) -> Iterator[NamedPlace]:
        """Known names of a text in order, none within another.

        `by_sound` finds as well what was written with other characters that sound the same or nearly so;
        for places where a name is expected.
        """
        end = 0
        for found in self._pattern.finditer(text):
            if by_sound:
                yield from self._heard(text, end, found.start())
            yield self._places[found[0]].at(found.start(), found.end())
            end = found.end()
        if by_sound:
            yield from self._heard(text, end, len(text))

    def _heard(self, text: str, begin: int, stop: int) -> Iterator[NamedPlace]:
        """What sounds like a name; of those that share a syllable the longer and the nearer one."""
        found = sorted(self._alike(text, begin, stop), key=lambda each: _DEARNESS * each.doubt - each.length)
        kept: list[_Alike] = []
        for each in found:
            if all(each.end <= other.start or other.end <= each.start for other in kept):
                kept.append(each)
        for each in sorted(kept, key=lambda one: one.start):
            yield each.entry.at(each.start, each.end, is_heard=True, doubt=each.doubt)

    def _alike(self, text: str, begin: int, stop: int) -> Iterator["_Alike"]:
        sounds = _syllables(text[begin:stop])
        for at, first in enumerate(sounds):
            for sounding in self._beginning_like(first):
                start, end = begin + at, begin + at + len(sounding.name)
                doubt = _apart(sounding.sounds, sounds[at : end - begin], sounding.allowed)
                if doubt <= sounding.allowed and not _is_speech(text, start, end, sounding.name, doubt):
                    yield _Alike(entry=sounding.entry, start=start, end=end, doubt=doubt)

    def _beginning_like(self, first: str) -> list["_Sounding"]:
        if first not in self._near_first:
            self._near_first[first] = [
                each
                for sound, some in self._by_first.items()
                if distance(sound, first) <= _SYLLABLE_ALLOWED
                for each in some
            ]
        return self._near_first[first]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sounding:
    name: str
    sounds: tuple[str, ...]
    allowed: float
    entry: "_Entry"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Alike:
    entry: "_Entry"
    start: int
    end: int
    doubt: float

    @property
    def length(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    name: str
    kind: str
    districts: set[str]
    towns: list["_Entry"] = field(default_factory=list)

    def at(self, start: int, end: int, *, is_heard: bool = False, doubt: float = 0.0) -> NamedPlace:
        town = self.towns[0] if self.towns else None
        town_districts = frozenset(town.districts if town else ())
        return NamedPlace(
            name=self.name,
            kind=self.kind,
            districts=frozenset(self.districts) | town_districts,
            start=start,
            end=end,
            town=town.name if town else "",
            town_districts=town_districts,
            is_heard=is_heard,
            doubt=doubt,
        )


def _syllables(text: str) -> tuple[str, ...]:
    return tuple(syllable_of(sign) for sign in text)


def _apart(name: tuple[str, ...], window: tuple[str, ...], allowed: float) -> float:
    """How far apart they sound together; more than allowed as soon as one syllable is quite another."""
    if len(name) != len(window):
        return allowed + 1.0
    doubt = 0.0
    for one, other in zip(name, window, strict=True):
        off = distance(one, other)
        doubt += off if off <= _SYLLABLE_ALLOWED else allowed + 1.0
        if doubt > allowed:
            break
    return doubt


def _is_speech(text: str, start: int, end: int, name: str, doubt: float) -> bool:
    """Whether a word, none of the name's own, stands there or reaches in: a misheard name makes no sense."""
    heard = text[start:end]
    if heard in general_words() and (doubt or general_words()[heard] >= _RARE):
        return True
    if not doubt and end - start > _LEAST_CHARS:
        return False
    return any(
        general_words().get(text[at : at + length], 0) >= _USUAL and text[at : at + length] not in name
        for length in range(2, _LONGEST_WORD + 1)
        for at in range(max(0, start - length + 1), min(end, len(text) - length + 1))
    )


def likeliest_district(places: Iterable[tuple[NamedPlace, float]]) -> tuple[str, float]:
    """The district that the named places lie in, with its share of their weights.

    A name that lies in several districts is shared among them.
    """
    votes: dict[str, float] = defaultdict(float)
    for place, weight in places:
        for district in place.districts:
            votes[district] += weight / len(place.districts)
    if not votes:
        return "", 0.0
    best = max(votes, key=lambda name: votes[name])
    return best, votes[best] / sum(votes.values())


def _district(term: str, kind: str, listed: str) -> str:
    for beginning, district in _OWN_ADMINISTRATION.items():
        if term.startswith(beginning) and kind != "桥梁":
            return district
    if kind == _DISTRICT_KIND:
        return next((full for short, full in _DISTRICT.items() if term.startswith(short)), "")
    return _DISTRICT.get(listed, "")
