"""What the record of a call looks like in an answer, and what is asked of it.

In: nothing. Out: pydantic models. Not known here: addresses, who may see what.
"""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from agent_ui.events import CallSnapshot
from calls.audio.types import Codec
from calls.keeping.types import What

Reason = Annotated[str, Field(min_length=2, max_length=200)]


class ReasonIn(BaseModel):
    """Why somebody does it; it goes into the audit log."""

    model_config = ConfigDict(str_strip_whitespace=True)

    reason: Reason


class HoldIn(ReasonIn):
    """Why a call must stay, and until when; for good where that is not said."""

    until: AwareDatetime | None = None


class HoldOut(BaseModel):
    """What keeps a call from being deleted."""

    model_config = ConfigDict(from_attributes=True)

    who: str
    reason: str
    at: datetime
    until: datetime | None
    is_over: bool
    """Its time has passed; it keeps nothing any more."""


class SoundOut(BaseModel):
    """The sound of a call as it is kept."""

    seconds: float
    legs: list[str]
    codec: Codec
    n_bytes: int
    is_sealed: bool
    code: str | None = None
    """Why it cannot be heard, e.g. `audio.key_missing`; the rest is then empty."""
    message: str | None = None


class RecordOut(BaseModel):
    """All that is kept of a call."""

    snapshot: CallSnapshot
    sound: SoundOut | None
    """None where there is none, or no more."""
    hold: HoldOut | None
    is_masked: bool
    """Numbers and names are hidden; `POST …/unmask` shows them."""
    may_manage: bool
    """Whether the asker may hold and delete it."""


class DeletionOut(BaseModel):
    """What stays of what was deleted."""

    model_config = ConfigDict(from_attributes=True)

    call_id: str
    what: What
    at: datetime
    who: str
    reason: str
    counts: dict[str, int]


class DeletionsOut(BaseModel):
    """A page of them, newest first."""

    total: int
    deletions: list[DeletionOut]


class DueOut(BaseModel):
    """Something whose time is over."""

    model_config = ConfigDict(from_attributes=True)

    call_id: str
    what: What
    kind: str
    ended_at: datetime
    days: int
    is_held: bool


class PreviewOut(BaseModel):
    """What the next round would delete; of many the first ones."""

    recordings: int
    calls: int
    held: int
    due: list[DueOut]
