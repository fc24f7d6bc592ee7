"""To which departments an order may go, and why. Pure.

In: what the knowledge base says of the matter, who handled the same before, the directory.
Out: `Suggestion`s, the likeliest first.
Not known here: how articles vote, how orders are compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from asr.types import Party
from calls.forms.departments import name_of, unit_of
from calls.orders.directory import Directory, UnitKind
from calls.orders.types import Order
from calls.wrapup.draft import Lore
from calls.wrapup.matters import MatterOptions, find_matter
from calls.wrapup.pieces import Piece
from calls.wrapup.topics import Embed
from calls.wrapup.types import Span

MOST = 5
_HISTORY_SHARE = 0.4
"""Of all, what it counts that a department has answered the same before. Set by judgement."""
_KNOWN = 1.5
"""Score of the nearest article: an order is a sentence or two, where a call has many that add up."""
_LEAST = 0.05
"""Sureness below which a department is not worth a line."""
_TITLES = 2
_SHORT = 8


class Why(StrEnum):
    """Why a department is suggested."""

    WRITTEN_DOWN = "written_down"
    """Whoever wrote the order down chose it."""
    KNOWLEDGE = "knowledge"
    """Articles on the matter name it; their titles are told."""
    HISTORY = "history"
    """It has answered orders of the same matter; how many is told."""
    DISTRICT = "district"
    """It is the one of that kind in the district of the matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One of them, with what is told about it."""

    why: Why
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A department, how sure that is, and why."""

    unit_id: str
    name: str
    confidence: float
    reasons: tuple[Reason, ...]


def suggest(
    order: Order, *, directory: Directory, lore: Lore | None, embed: Embed, handled: Mapping[str, int]
) -> tuple[Suggestion, ...]:
    """Suggest departments; none where nothing speaks for any."""
    scores: dict[str, float] = {}
    reasons: dict[str, list[Reason]] = {}

    def speak(unit_id: str | None, score: float, reason: Reason) -> None:
        if unit_id is not None and directory.may_handle(unit_id):
            scores[unit_id] = scores.get(unit_id, 0.0) + score
            reasons.setdefault(unit_id, []).append(reason)

    kept = 1.0 - (_HISTORY_SHARE if handled else 0.0)
    for name, sure, titles in _by_knowledge(order, lore, embed) if lore else ():
        reason = Reason(why=Why.KNOWLEDGE, detail="、".join(titles))
        speak(unit_of(directory, name), kept * sure, reason)
    for unit_id, count in handled.items():
        share = count / sum(handled.values())
        speak(unit_id, _HISTORY_SHARE * share, Reason(why=Why.HISTORY, detail=str(count)))
    for unit_id in list(scores):
        local = _of_district(directory, unit_id, order.content.district)
        if local is not None and local not in scores:
            speak(local, scores[unit_id] / 2, Reason(why=Why.DISTRICT, detail=order.content.district))
    written = order.content.department_id
    if written is not None:
        speak(written, 0.0, Reason(why=Why.WRITTEN_DOWN))
    worth = [unit_id for unit_id in scores if scores[unit_id] >= _LEAST or unit_id == written]
    ranked = sorted(worth, key=lambda unit_id: (unit_id != written, -scores[unit_id], unit_id))
    return tuple(
        Suggestion(
            unit_id=unit_id,
            name=name_of(directory, unit_id),
            confidence=min(0.99, scores[unit_id]),
            reasons=tuple(reasons[unit_id]),
        )
        for unit_id in ranked[:MOST]
    )


def _by_knowledge(order: Order, lore: Lore, embed: Embed) -> list[tuple[str, float, list[str]]]:
    """Departments with how sure they are and the articles that name them."""
    pieces = [
        Piece(
            party=Party.CITIZEN,
            text=text,
            span=Span(segment_id=order.order_id, start=0, end=len(text)),
            sureness=0.0,
        )
        for text in (_whole(order.content.summary), *_sentences(order.content.detail))
    ]
    matter = find_matter(
        lore.topics.vote(pieces, embed),
        pieces,
        lore.topics,
        lore.directory,
        MatterOptions(least_score=_KNOWN),
    )
    department_of = {article.title: article.department for article in lore.topics.articles}
    found = []
    for field in matter.departments:
        titles = [title for title, _ in matter.titles if department_of.get(title) == field.value]
        found.append((field.value, field.confidence, titles[:_TITLES]))
    return found


def _whole(summary: str) -> str:
    """A summary as a sentence: fewer characters than a sentence has would not be listened to."""
    return summary if len(summary) > _SHORT else f"市民反映{summary}"


def _sentences(detail: str) -> list[str]:
    return [text for text in detail.replace("！", "。").replace("？", "。").split("。") if text.strip()]


def _of_district(directory: Directory, unit_id: str, district: str) -> str | None:
    """The unit of that district with the same work, such as 普陀区综合行政执法局 for 市综合行政执法局."""
    work = directory.units[unit_id].name.removeprefix("市")
    for unit in directory.of_kind(UnitKind.DEPARTMENT):
        parent = directory.units[unit.parent_id] if unit.parent_id else None
        if district and parent is not None and parent.name == district and unit.name == f"{district}{work}":
            return unit.unit_id
    return None
