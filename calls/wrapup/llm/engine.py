"""The second engine: the embedded draft, made better by a language model where it can show from what.

In: the final segments of a call and the embedded engine's draft. Out: a draft, or `ModelFailed`.
Not known here: HTTP, when somebody drafts, what becomes of a draft.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pydantic import ValidationError

from asr.types import Segment
from calls.wrapup.draft import Lore
from calls.wrapup.llm.endpoint import Endpoint, failure, open_endpoint
from calls.wrapup.llm.grounding import Grounded, ground
from calls.wrapup.llm.options import EndpointOptions
from calls.wrapup.llm.prompt import prompt_of
from calls.wrapup.llm.types import Answer, Choices, schema_of
from calls.wrapup.types import Draft

_LEAST_CHARS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEngine:
    """Drafts once more after the end of a call; ends in time by itself."""

    endpoint: Endpoint
    lore: Callable[[], Lore | None]
    """What is known at the moment."""
    most_chars: int = 6_000
    """Of a call that are shown to the model."""

    def __post_init__(self) -> None:
        if self.most_chars < _LEAST_CHARS:
            raise ValueError(f"most_chars must be {_LEAST_CHARS} or more")

    @property
    def name(self) -> str:
        """What the draft is said to be by."""
        return "llm"

    async def draft(self, segments: Sequence[Segment], *, embedded: Draft, caller: str = "") -> Draft | None:
        """A draft that holds, or None where nothing was said or is known.

        Raises `ModelFailed`: the embedded draft stands, and somebody should be told the reason.
        """
        grounded = await self.grounded(segments, embedded=embedded)
        return grounded.draft if grounded else None

    async def grounded(self, segments: Sequence[Segment], *, embedded: Draft) -> Grounded | None:
        """The same, with what was kept of the answer and what dropped."""
        lore = self.lore()
        if lore is None:
            return None
        choices = Choices.of(lore)
        prompt = prompt_of(segments, choices, self.most_chars)
        if not prompt.lines:
            return None
        text = await self.endpoint.ask(prompt.system, prompt.user, schema_of(choices))
        try:
            answer = Answer.model_validate_json(text)
        except ValidationError:
            raise failure("llm.bad_answer") from None  # the answer itself may hold what was said
        grounded = ground(answer, prompt.lines, choices, lore.gazetteer, embedded)
        if not grounded.kept:
            raise failure("llm.ungrounded")
        return grounded


@asynccontextmanager
async def open_model(
    options: EndpointOptions | None, lore: Callable[[], Lore | None]
) -> AsyncIterator[ModelEngine | None]:
    """The engine that the settings name; None where they name none."""
    if options is None:
        yield None
        return
    async with open_endpoint(options) as endpoint:
        yield ModelEngine(endpoint=endpoint, lore=lore)
