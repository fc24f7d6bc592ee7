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
from functools import cache

from pypinyin import lazy_pinyin

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
_ALLOWED = {3: 0.5}
"""By length, how much may differ in sound; nothing in shorter names, a syllable in longer ones."""


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

    @property
    def is_district(self) -> bool:
        """Whether it says no more than the district."""
        return self.kind == _DISTRICT_KIND


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
        self._places.pop(_CITY, None)
        names = sorted(self._places, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, names)) or "(?!)")
        self._by_sound: dict[tuple[str, ...], _Entry] = {}
        for name in reversed(names):
            self._by_sound[_sounds(name)] = self._places[name]
        self._of_length: dict[int, list[tuple[tuple[str, ...], _Entry]]] = defaultdict(list)
        for sounds, entry in self._by_sound.items():
            self._of_length[len(sounds)].append((sounds, entry))
        self._longest = max(map(len, self._by_sound), default=0)

    @property
    def districts(self) -> frozenset[str]:
        """All that known places lie in."""
        return frozenset(district for entry in self._places.values() for district in entry.districts)

    def named(self, text: str, *, by_sound: bool = False) -> Iterator[NamedPlace]:
        """Known names of a text in order, none within another.

        `by_sound` finds as well what was written with other characters of the same sound, as ears do;
        for places where a name is expected.
        """
        end = 0
        for found in self._pattern.finditer(text):
            if by_sound:
                yield from self._alike(text, end, found.start())
            yield self._places[found[0]].at(found.start(), found.end())
            end = found.end()
        if by_sound:
            yield from self._alike(text, end, len(text))

    def _alike(self, text: str, begin: int, stop: int) -> Iterator[NamedPlace]:
        sounds = _sounds(text[begin:stop])
        at = 0
        while at < len(sounds):
            entry, length = self._heard(sounds, at)
            if entry:
                yield entry.at(begin + at, begin + at + length)
            at += length

    def _heard(self, sounds: tuple[str, ...], at: int) -> tuple["_Entry | None", int]:
        """The longest name that begins there, one that sounds the same before one that sounds alike."""
        lengths = range(min(self._longest, len(sounds) - at), _LEAST_CHARS - 1, -1)
        for length in lengths:
            entry = self._by_sound.get(sounds[at : at + length])
            if entry:
                return entry, length
        for length in lengths:
            window = sounds[at : at + length]
            allowed = _ALLOWED.get(length, 1.0 if length > max(_ALLOWED) else 0.0)
            if allowed:
                near = [
                    (cost, entry)
                    for name, entry in self._of_length.get(length, ())
                    if (cost := _distance(name, window, allowed)) <= allowed
                ]
                if near:
                    return min(near, key=lambda each: each[0])[1], length
        return None, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    name: str
    kind: str
    districts: set[str]
    towns: list["_Entry"] = field(default_factory=list)

    def at(self, start: int, end: int) -> NamedPlace:
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
        )


@cache
def _sound(sign: str) -> str:
    """A character's sound without its tone; what many speakers do not tell apart is one sound."""
    sound = lazy_pinyin(sign)[0]
    return re.sub("g$", "", re.sub("^([zcs])h", r"\1", sound)) if sign.isalpha() else sign


def _sounds(text: str) -> tuple[str, ...]:
    return tuple(_sound(sign) for sign in text)


def _distance(name: tuple[str, ...], window: tuple[str, ...], allowed: float) -> float:
    """What differs: a syllable counts 1, or half where it begins or ends the same."""
    cost = 0.0
    for one, other in zip(name, window, strict=True):
        if one != other:
            cost += 0.5 if _ending(one) == _ending(other) or one[0] == other[0] else 1.0
            if cost > allowed:
                break
    return cost


def _ending(sound: str) -> str:
    return sound.lstrip("bpmfdtnlgkhjqxzcsryw")


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
