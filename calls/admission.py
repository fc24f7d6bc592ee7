"""What a call brings when it asks to be let in, and the rules by which it is.

In: nothing. Out: `Opening` and `SwitchboardOptions`, and why a call is refused.
Not known here: calls that run, sockets, engines.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from calls.spool import has_room
from calls.types import AudioFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchboardOptions:
    """How many calls run at once, and how long a call waits for its line."""

    max_calls: int = 32
    """Calls running at once; more are refused."""
    lost_after_s: float = 60.0
    """Seconds that a call stays open after its line vanished."""
    resumable_s: float = 600.0
    """Seconds after a restart within which an interrupted call may be taken up again."""
    min_gap_s: float = 0.5
    """Shorter gaps at a reconnect are no gap: networks breathe."""
    min_free_bytes: int = 200_000_000
    """Free disk space below which no new call is admitted."""
    max_gap_s: float = 900.0
    """Seconds of silence that are kept at most for sound that never came."""
    retry_s: float = 5.0
    """Seconds between attempts to put the end of a call on record while the disk is full."""
    stuck_s: float = 120.0
    """Seconds that a call which is to end may go without hearing any further; then it is cut off."""
    settles_s: float = 10.0
    """Seconds that a line which comes back waits for sound that is still on its way to the disk."""
    drain_s: float = 20.0
    """Seconds that a stopping server gives its calls to finish their finals."""

    def __post_init__(self) -> None:
        if self.max_calls < 1 or min(self.lost_after_s, self.resumable_s, self.min_gap_s, self.max_gap_s) < 0:
            raise ValueError("max_calls must be at least 1 and no duration below 0")
        if min(self.retry_s, self.stuck_s) <= 0:
            raise ValueError("retry_s and stuck_s must be above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a line says when it opens a call."""

    call_id: str
    audio_format: AudioFormat
    operator_id: str | None = None
    caller: str | None = None
    dialled: str | None = None
    started_at: datetime | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


def refusal_of(
    options: SwitchboardOptions,
    *,
    calls: int,
    is_stopping: bool,
    has_ears: bool,
    can_hear: bool,
    folder: Path,
) -> str | None:
    """Why no further call can be admitted beside so many, or None; `folder` is where sound is kept."""
    if is_stopping:
        return "服务正在停止，请稍后重拨。"
    if calls >= options.max_calls:
        return f"同时通话已达上限（{options.max_calls} 路），请稍后再试或增加机器。"
    if not has_ears:
        return "没有识别机可用，暂不能接入新通话，请管理员检查识别机。"
    if not can_hear:
        return "识别能力已达上限，暂不能接入新通话，请稍后再试。"
    if not has_room(folder, min_free_bytes=options.min_free_bytes):
        return "磁盘空间不足，暂不接收新通话，请管理员清理磁盘。"
    return None
