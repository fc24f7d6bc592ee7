"""What a language model is asked and what it may answer.

In: nothing but what drafts hold. Out: `Choices`, `Answer` and the JSON schema that stands for both.
Not known here: prompts, the network, whether an answer is true.

Every field of an answer brings the words it rests on and the number of the line they stand in. Free text is
not asked for: a value is one of a list, or a stretch of quoted words.
"""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from calls.wrapup.draft import Lore
from calls.wrapup.types import Kind, Urgency

MAX_QUOTE = 80
MAX_VALUE = 60
MAX_QUOTES = 3
MAX_SENTENCES = 4


class ModelFailed(Exception):
    """The model's draft is not to be had; the embedded one stands."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code
        self.message = message
        """For people: what happened and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The values that an installation knows."""

    kinds: tuple[str, ...] = tuple(Kind)
    urgencies: tuple[str, ...] = tuple(Urgency)
    categories: tuple[str, ...]
    departments: tuple[str, ...]
    districts: tuple[str, ...]

    @classmethod
    def of(cls, lore: Lore) -> "Choices":
        """All that the articles, the directory and the gazetteer name."""
        return cls(
            categories=tuple(sorted({each.category for each in lore.topics.articles} - {""})),
            departments=tuple(sorted(lore.directory.departments)),
            districts=tuple(sorted(lore.gazetteer.districts)),
        )


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Quote(_Part):
    """Words of one line, as they stand there; an empty one quotes nothing."""

    line: int = 0
    quote: str = Field(default="", max_length=MAX_QUOTE)


class Chosen(Quote):
    """A value that one quote speaks for."""

    value: str = Field(default="", max_length=MAX_VALUE)


class Told(_Part):
    """A value that was said in pieces."""

    quotes: tuple[Quote, ...] = Field(default=(), max_length=MAX_QUOTES)
    value: str = Field(default="", max_length=MAX_VALUE)


class Answer(_Part):
    """A whole answer; what is left out was not said."""

    summary: tuple[Quote, ...] = Field(default=(), max_length=MAX_QUOTES)
    detail: tuple[Quote, ...] = Field(default=(), max_length=MAX_SENTENCES)
    type: Chosen = Chosen()
    urgency: Chosen = Chosen()
    category: Chosen = Chosen()
    department: Chosen = Chosen()
    district: Chosen = Chosen()
    place: Told = Told()
    name: Chosen = Chosen()
    phone: Told = Told()


def schema_of(choices: Choices) -> dict[str, Any]:
    """The JSON schema of an answer. Words come before the value that rests on them, as they are written."""
    line = {"type": "integer"}
    words = {"type": "string", "maxLength": MAX_QUOTE}
    text = {"type": "string", "maxLength": MAX_VALUE}
    one_quote = _object(line=line, quote=words)

    def quotes(most: int) -> dict[str, Any]:
        return {"type": "array", "items": one_quote, "maxItems": most}

    def one_of(values: tuple[str, ...]) -> dict[str, Any]:
        return _object(line=line, quote=words, value={"type": "string", "enum": [*map(str, values), ""]})

    return _object(
        summary=quotes(MAX_QUOTES),
        detail=quotes(MAX_SENTENCES),
        type=one_of(choices.kinds),
        urgency=one_of(choices.urgencies),
        category=one_of(choices.categories),
        department=one_of(choices.departments),
        district=one_of(choices.districts),
        place=_object(quotes=quotes(MAX_QUOTES), value=text),
        name=_object(line=line, quote=words, value=text),
        phone=_object(quotes=quotes(MAX_QUOTES), value=text),
    )


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
