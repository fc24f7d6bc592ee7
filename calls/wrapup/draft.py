"""The draft of a wrap-up without a language model: grows with every final, ready when the call ends.

In: the final segments so far, the number of the line, what is known beforehand, a function that embeds.
Out: a `Draft`.
Not known here: databases, the web, which model embeds.

It is made anew each time: embedding remembers what it has seen, and the rest takes milliseconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from asr.types import Segment
from calls.wrapup.examples import Examples
from calls.wrapup.gazetteer import Gazetteer
from calls.wrapup.kinds import Cues, find_kind, find_urgency
from calls.wrapup.matters import Directory, find_matter
from calls.wrapup.names import find_name
from calls.wrapup.phones import find_phone
from calls.wrapup.pieces import pieces_of
from calls.wrapup.places import find_place
from calls.wrapup.summary import summarise
from calls.wrapup.topics import Embed, Topics
from calls.wrapup.types import UNKNOWN, Draft, Field

_LINE_SURE = 0.6
"""Of the number that the line tells: it is a number of the caller, if not the one to call back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lore:
    """What an installation knows before anybody calls."""

    topics: Topics
    gazetteer: Gazetteer
    directory: Directory
    cues: Cues
    examples: Examples


def drafted(segments: Sequence[Segment], *, lore: Lore, embed: Embed, caller: str = "") -> Draft:
    """Write what the call so far tells; segments that are not final are left out."""
    finals = sorted((each for each in segments if each.is_final), key=lambda each: each.start_s)
    pieces = pieces_of(finals)
    votes = lore.topics.vote(pieces, embed)
    matter = find_matter(votes, pieces, lore.topics, lore.directory)
    kind = find_kind(pieces, matter.titles, lore.cues, lore.examples.shares(pieces, embed))
    district, place = find_place(pieces, lore.gazetteer)
    phone = find_phone(pieces, caller)
    if not phone.value and caller:
        phone = Field(value=caller, confidence=_LINE_SURE)
    name = find_name(pieces)
    summary, detail = summarise(votes, place, dictated=(*name.spans, *phone.spans))
    return Draft(
        kind=kind,
        urgency=find_urgency(pieces, kind.value, lore.cues, lore.examples.alarm(pieces, embed)),
        caller_name=name,
        caller_phone=phone,
        district=district,
        place=place,
        category=matter.category,
        department=matter.departments[0] if matter.departments else UNKNOWN,
        departments=matter.departments,
        summary=summary,
        detail=detail,
        knowledge=matter.knowledge,
    )
