"""The rules of spoken service, as a file says them.

In: text in TOML. Out: `QualityRules`; `BadQualityRules` says which entry is wrong.
Not known here: calls, where files are kept.
"""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from calls.quality.types import BadQualityRules, Check

FILE_NAME = "quality.toml"
Share = Annotated[float, Field(gt=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0)]
Words = tuple[Annotated[str, Field(min_length=1)], ...]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Least(_Table):
    """Below which a call is not scored."""

    seconds: float = Field(ge=0)
    operator_utterances: int = Field(ge=1)


class Greeting(_Table):
    """Words of a greeting."""

    within_utterances: int = Field(ge=1)
    hello: Words
    who: Words


class Repeating(_Table):
    """How the matter is said back."""

    cues: Words
    common_pairs: int = Field(ge=1)
    common_pairs_alone: int = Field(ge=1)


class Closing(_Table):
    """Words of a good end."""

    within_utterances: int = Field(ge=1)
    words: Words


class Forbidden(_Table):
    """Words that are not said to citizens; `alone`: not as all of an answer."""

    alone: Words
    words: Words
    points_each: Share


class Silence(_Table):
    """How long nobody may speak."""

    longest_s: Positive
    share: Share
    excuses: Words


class Interruption(_Table):
    """What counts as taking the word from the citizen."""

    overlap_s: Positive
    own_s: Positive
    points_each: Share
    acknowledgements: Words


class Pace(_Table):
    """How fast the operator speaks."""

    slow_per_min: Positive
    fast_per_min: Positive
    least_characters: int = Field(ge=1)


class QualityRules(_Table):
    """All of it."""

    weights: Mapping[Check, Annotated[float, Field(ge=0.0, le=100.0)]]
    least: Least
    greeting: Greeting
    repeating: Repeating
    closing: Closing
    forbidden: Forbidden
    silence: Silence
    interruption: Interruption
    pace: Pace


def read_rules(own: str = "") -> QualityRules:
    """Read the rules that come with the product, tables of the own text in their place.

    Raises `BadQualityRules`.
    """
    try:
        tables = _shipped() | tomllib.loads(own)
        return QualityRules.model_validate(tables)
    except tomllib.TOMLDecodeError as error:
        raise BadQualityRules(f"质检规则文件格式不对：{error}") from None
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise BadQualityRules(f"质检规则 {where} 不对：{error.errors()[0]['msg']}") from None


def rules_of(data_dir: Path) -> QualityRules:
    """Read the rules of an installation. Raises `BadQualityRules`."""
    path = data_dir / FILE_NAME
    return read_rules(path.read_text(encoding="utf-8") if path.is_file() else "")


@lru_cache(maxsize=1)
def _shipped() -> dict[str, Any]:
    return tomllib.loads((files("calls.quality") / "data" / "rules.toml").read_text(encoding="utf-8"))
