"""Keeps what an admin set while calls run: in memory for whoever asks, and in one JSON file.

In: the defaults, and changes with their author. Out: the `Tuning` of the moment, also after a restart.
Not known here: what a setting does, HTTP.

The file holds what differs from the defaults. One that cannot be read at the start is reported in the log,
and the defaults hold; a file that turns bad later leaves the last good one. Where several servers share it,
`home` sees to that.
"""

import hashlib
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from agent_ui.tuning import BadSetting, Tuning, Value, checked, differences, tuned
from calls.papers.own_file import OwnFile, state_of
from calls.papers.types import Home

log = logging.getLogger(__name__)
FILE_NAME = "tuning.json"
"""In the data folder."""


class SettingsChanged(Exception):
    """The settings are not any more what the change was made for."""

    code = "system.settings_changed"
    message = "设置刚被别人改过，请刷新后再改。"


class Change(BaseModel):
    """A value that somebody set."""

    value: bool | int | float | str
    changed_by: str
    changed_at: datetime


class _Content(BaseModel):
    changes: dict[str, Change]


@dataclass(frozen=True, slots=True)
class Kept:
    """One state of the file; its parts belong together."""

    now: Tuning
    changes: Mapping[str, Change]
    """What differs from the defaults, by name."""
    mark: str
    """Names this state: it changes whenever a setting does."""


class TuningFile:
    """The settings of the moment; any thread may read and change them."""

    def __init__(self, path: Path, defaults: Tuning, home: Home | None = None) -> None:
        """Read the file, where there is one."""
        self.path = path
        self.defaults = defaults
        self.is_readable = True
        """Whether all of the file was understood when it was read, or has been written since."""
        self._home = home or OwnFile(path)
        self._lock = threading.Lock()
        self._seen = state_of(path)
        self._kept = self._state_of(self._read() or {})
        if self._kept.changes:
            log.info("set by admins, whatever the environment says: %s", differences(defaults, self.now))

    @property
    def now(self) -> Tuning:
        """What holds now."""
        return self._kept.now

    @property
    def kept(self) -> Kept:
        """What holds now, who set it, and its mark."""
        return self._kept

    def look(self) -> None:
        """Read the file again where it has changed. Blocks."""
        with self._lock:
            self._look()

    def change(
        self, wished: Mapping[str, object], *, by: str, at: datetime, expected: str | None = None
    ) -> tuple[Tuning, Kept]:
        """Set values, None for the default; all or nothing. Returns what held before, and what holds now.

        Raises `BadSetting`, `SettingsChanged` where `expected` is not the mark any more, and `OSError` where
        the file cannot be written; nothing changes then.
        """
        with self._lock:
            self._home.fetch()
            self._look()
            before = self._kept
            if expected is not None and expected != before.mark:
                raise SettingsChanged
            changes = dict(before.changes)
            for name, value in wished.items():
                default = getattr(self.defaults, name, None)
                set_to = (
                    default if value is None and default is not None else checked(name, value, self.defaults)
                )
                if set_to == default:
                    changes.pop(name, None)
                elif set_to != getattr(before.now, name):
                    changes[name] = Change(value=set_to, changed_by=by, changed_at=at)
            if changes != before.changes or not self.is_readable:
                kept = self._state_of(changes)
                if not self._home.write(_text_of(changes), by=by):
                    raise SettingsChanged
                self._seen, self._kept, self.is_readable = state_of(self.path), kept, True
            return before.now, self._kept

    def _state_of(self, changes: Mapping[str, Change]) -> Kept:
        values: dict[str, Value] = {name: change.value for name, change in changes.items()}
        now = tuned(self.defaults, values)
        text = _Content(changes=dict(changes)).model_dump_json() + repr(now)
        return Kept(now=now, changes=changes, mark=hashlib.sha256(text.encode()).hexdigest()[:16])

    def _look(self) -> None:
        seen = state_of(self.path)
        if seen == self._seen:
            return
        self._seen, self.is_readable = seen, True
        before, changes = self.now, self._read()
        if changes is not None:
            self._kept = self._state_of(changes)
            log.info("the settings were changed elsewhere: %s", differences(before, self.now))

    def _read(self) -> dict[str, Change] | None:
        """What the file says; None where it cannot be read."""
        try:
            changes = _Content.model_validate_json(self.path.read_bytes()).changes
        except FileNotFoundError:
            return {}
        except (OSError, ValidationError) as error:
            self.is_readable = False
            log.error("%s cannot be read, what held before it holds: %s", self.path, type(error).__name__)
            return None
        found = {}
        for name, change in changes.items():
            try:
                value = checked(name, change.value, self.defaults)
            except BadSetting as error:
                self.is_readable = False
                log.error("in %s the setting %s is left out: %s", self.path, name, error.message)
                continue
            if value != getattr(self.defaults, name):
                found[name] = change.model_copy(update={"value": value})
        return found


def fault_of(content: str, defaults: Tuning) -> str | None:
    """What is wrong with the content of such a file; None where nothing is."""
    try:
        for name, change in _Content.model_validate_json(content).changes.items():
            checked(name, change.value, defaults)
    except ValidationError as error:
        return f"{FILE_NAME} 不是这样的文件（{error.error_count()} 处不对）。"
    except BadSetting as error:
        return error.message
    return None


def _text_of(changes: Mapping[str, Change]) -> str:
    return _Content(changes=dict(changes)).model_dump_json(indent=2) + "\n"
