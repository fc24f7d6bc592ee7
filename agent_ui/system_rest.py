"""The system over REST, for admins: settings that may change while calls run, and how the machine fares.

In: HTTP requests that passed the door. Out: JSON; errors as `{"code", "message"}` under `detail`.
Not known here: what a setting does, how anything is measured.

The settings have an ETag. A change that brings `If-Match` is refused with 412 where somebody else was faster.
"""

import logging
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from agent_ui.door import author_of, note_target
from agent_ui.state_rows import Level, Row, Section, Unit, sections, worst
from agent_ui.system_desk import SystemDesk
from agent_ui.tuning import KNOBS, BadSetting, Effect, Group, Knob, KnobKind, differences
from agent_ui.tuning_file import Kept, SettingsChanged, TuningFile

log = logging.getLogger(__name__)


class SettingOut(BaseModel):
    """One setting: its value, what else it could be, and who set it."""

    name: str
    group: Group
    kind: KnobKind
    value: bool | int | float | str
    default: bool | int | float | str
    least: float | None
    most: float | None
    step: float | None
    unit: str
    effect: Effect
    changed_by: str | None
    changed_at: datetime | None

    @classmethod
    def of(cls, knob: Knob, file: TuningFile, kept: Kept) -> "SettingOut":
        """The setting in its outward form."""
        default, change = getattr(file.defaults, knob.name), kept.changes.get(knob.name)
        least, most = knob.range_with(default) or (None, None)
        return cls(
            name=knob.name,
            group=knob.group,
            kind=knob.kind,
            value=getattr(kept.now, knob.name),
            default=default,
            least=least,
            most=most,
            step=knob.step,
            unit=knob.unit,
            effect=knob.effect,
            changed_by=change.changed_by if change else None,
            changed_at=change.changed_at if change else None,
        )


class SettingsOut(BaseModel):
    """All that may be set, in the order in which it is shown."""

    settings: list[SettingOut]


class SettingsIn(BaseModel):
    """Values by name; null is the default. What is not named stays."""

    model_config = ConfigDict(extra="forbid")

    changes: dict[str, Any] = Field(max_length=100)


class RowOut(BaseModel):
    """One figure; `note` says what to do."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    value: str | bool | int | float | None
    unit: Unit
    limit: int | float | None
    level: Level
    note: str | None

    @classmethod
    def of(cls, row: Row) -> "RowOut":
        """The row in its outward form."""
        return cls.model_validate(row)


class SectionOut(BaseModel):
    """Figures of one thing; the level is that of the worst."""

    name: str
    level: Level
    rows: list[RowOut]

    @classmethod
    def of(cls, section: Section) -> "SectionOut":
        """The section in its outward form."""
        return cls(name=section.name, level=section.level, rows=[RowOut.of(row) for row in section.rows])


class StateOut(BaseModel):
    """The whole house at one moment."""

    at: datetime
    level: Level
    sections: list[SectionOut]


def system_router(desk: SystemDesk) -> APIRouter:
    """The routes below `/v1/system`."""
    router = APIRouter(prefix="/v1/system", tags=["system"])
    file = desk.tuning

    def told(kept: Kept, response: Response) -> SettingsOut:
        response.headers["ETag"] = f'"{kept.mark}"'
        return SettingsOut(settings=[SettingOut.of(knob, file, kept) for knob in KNOBS])

    @router.get("/settings")
    def list_settings(response: Response) -> SettingsOut:
        """List what may be set while calls run."""
        return told(file.kept, response)

    @router.patch("/settings")
    def change_settings(
        body: SettingsIn,
        request: Request,
        response: Response,
        if_match: Annotated[str | None, Header(description="The ETag of what was looked at.")] = None,
    ) -> SettingsOut:
        """Set some of it, all or nothing; it holds at once, or for calls that begin from now on."""
        expected = None if if_match in (None, "*") else if_match.strip().strip('"')
        try:
            before, kept = file.change(
                body.changes, by=author_of(request), at=desk.clock(), expected=expected
            )
        except (BadSetting, SettingsChanged) as error:
            status = 412 if isinstance(error, SettingsChanged) else 422
            raise HTTPException(status, {"code": error.code, "message": error.message}) from error
        except OSError as error:
            log.error("the settings could not be saved: %s", error.strerror)
            raise HTTPException(
                507, {"code": "system.not_saved", "message": "设置未能保存，请检查磁盘空间和权限。"}
            ) from error
        note_target(request, differences(before, kept.now))
        return told(kept, response)

    @router.get("/state")
    async def get_state(request: Request) -> StateOut:
        """Tell how the server and its machine fare, and what to do about it."""
        server = request.scope.get("server")
        figures = await desk.figures(port=server[1] if server else None)
        rows = sections(figures)
        return StateOut(
            at=figures.at,
            level=worst([section.level for section in rows]),
            sections=[SectionOut.of(section) for section in rows],
        )

    return router
