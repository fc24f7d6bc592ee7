"""The wire from screens to server: every command that comes in.

In: JSON as a screen sends it. Out: frozen commands, or pydantic's list of what is wrong.
Not known here: what a command does, who may give it.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from knowledge_base.plain_text import plain
from retrieval.types import Mark

Identifier = Annotated[str, Field(min_length=1, max_length=128)]
Typed = Annotated[str, AfterValidator(plain)]
"""What a person typed, or pasted with characters that cannot be shown."""


class Command(BaseModel):
    """Something a screen asks for; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_serialization_defaults_required=True)


class MarkSuggestion(Command):
    """Use, judge, pin or close a card."""

    type: Literal["suggestion.mark"] = "suggestion.mark"
    suggestion_id: Identifier
    article_id: Identifier
    mark: Mark


class UndoCorrection(Command):
    """Put back what was heard; `index` counts the segment's corrections from 0."""

    type: Literal["correction.undo"] = "correction.undo"
    segment_id: Identifier
    index: int = Field(ge=0, le=10_000)


class CorrectSegment(Command):
    """Replace the text of a final."""

    type: Literal["segment.correct"] = "segment.correct"
    segment_id: Identifier
    text: Typed = Field(max_length=2000)


class RestoreSegment(Command):
    """Put a line back as it was heard, whatever people made of it."""

    type: Literal["segment.restore"] = "segment.restore"
    segment_id: Identifier


class WriteNote(Command):
    """Take a note, change the one of that identifier, or take it away (empty text)."""

    type: Literal["note.write"] = "note.write"
    note_id: str = Field(min_length=1, max_length=64)
    text: Typed = Field(max_length=2000)


class TransferCall(Command):
    """Hand the call to another operator."""

    type: Literal["call.transfer"] = "call.transfer"
    operator_id: Typed = Field(min_length=1, max_length=64)
    message: Typed = Field(default="", max_length=500)


class AskQuestion(Command):
    """Search the knowledge base from the desk, in the context of the call."""

    type: Literal["question.ask"] = "question.ask"
    text: str = Field(min_length=1, max_length=2000)


ScreenCommand = Annotated[
    MarkSuggestion
    | UndoCorrection
    | CorrectSegment
    | RestoreSegment
    | WriteNote
    | TransferCall
    | AskQuestion,
    Field(discriminator="type"),
]
"""What a screen may send."""

SCREEN_COMMANDS: TypeAdapter[ScreenCommand] = TypeAdapter(ScreenCommand)
