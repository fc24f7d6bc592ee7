"""Trying out a question over REST: what a call would show after these turns, and why.

In: one or several turns of a dialogue. Out: for every turn the query, the matches with channels and
probabilities, and the cards on screen; errors as `{"code", "message"}` under `detail`.
Not known here: how the explanation is made; the function that makes it takes the path of a real call.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, Field, StringConstraints

from agent_ui.door import change_nothing
from asr.types import Party
from knowledge_base.types import KnowledgeError
from retrieval.explaining import Explanation, Judged, Step

MAX_TURNS = 20
Explain = Callable[[Sequence[tuple[Party, str]]], Awaitable[Explanation]]
"""Turns as (party, text) → what a call would see."""
Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class TurnIn(BaseModel):
    """What somebody says."""

    party: Literal["citizen", "operator"] = "citizen"
    text: Said


class TryIn(BaseModel):
    """A dialogue, oldest turn first."""

    turns: list[TurnIn] = Field(min_length=1, max_length=MAX_TURNS)


class ChannelOut(BaseModel):
    """What one way of comparing thinks of a match; `rank` counts from 1."""

    score: float
    rank: int


class JudgedOut(BaseModel):
    """A match, and how probable it is that it helps now."""

    article_id: str
    title: str
    excerpt: str
    department: str
    passage: str = Field(description="The part of the article that fits best.")
    probability: float
    is_enough: bool = Field(description="Whether that is enough for a card.")
    fused: float = Field(description="The weighted sum of the channels.")
    channels: dict[str, ChannelOut]

    @classmethod
    def of(cls, judged: Judged) -> "JudgedOut":
        """The match in its outward form."""
        match = judged.match
        return cls(
            article_id=match.article.article_id,
            title=match.article.title,
            excerpt=judged.excerpt,
            department=match.article.department,
            passage=match.passage.text,
            probability=judged.probability,
            is_enough=judged.is_enough,
            fused=match.fused,
            channels={
                channel.value: ChannelOut(score=found.score, rank=found.rank)
                for channel, found in match.channels.items()
            },
        )


class StepOut(BaseModel):
    """What one turn led to."""

    party: Party
    text: str
    query: str | None = Field(description="What was looked for; null where the turn asks for nothing.")
    act: str | None = Field(description="What the turn does, e.g. `asks`.")
    opens_matter: bool
    parts: list[tuple[str, float]] = Field(description="(text, weight) of the turns in the query.")
    matches: list[JudgedOut] = Field(description="Likeliest first.")
    cards: list[str] = Field(description="Identifiers of the articles on screen after the turn, in order.")
    is_changed: bool = Field(description="Whether the turn changed the screen.")

    @classmethod
    def of(cls, step: Step) -> "StepOut":
        """The step in its outward form."""
        return cls(
            party=step.party,
            text=step.text,
            query=step.query.text if step.query else None,
            act=step.query.act.value if step.query else None,
            opens_matter=bool(step.query and step.query.opens_matter),
            parts=list(step.query.turns) if step.query else [],
            matches=[JudgedOut.of(judged) for judged in step.judged],
            cards=[card.article_id for card in step.cards],
            is_changed=step.is_changed,
        )


class TryOut(BaseModel):
    """Every turn in order."""

    steps: list[StepOut]
    threshold: float = Field(description="The probability from which a match is worth a card.")
    kb_version: str


def try_router(explain: Explain) -> APIRouter:
    """The route."""
    router = APIRouter(prefix="/v1/kb", tags=["knowledge base"])

    @router.post("/try", dependencies=[Depends(change_nothing)])
    async def try_out(body: TryIn) -> TryOut:
        """Say what a call would show after these turns, and why."""
        try:
            told = await explain([(Party(turn.party), turn.text) for turn in body.turns])
        except KnowledgeError as error:
            raise HTTPException(503, {"code": error.code, "message": error.message}) from error
        return TryOut(
            steps=[StepOut.of(step) for step in told.steps],
            threshold=told.threshold,
            kb_version=told.kb_version,
        )

    return router
