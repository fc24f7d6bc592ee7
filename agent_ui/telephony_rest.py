"""Telephone systems announce their lines here: `POST /v1/telephony/lines`.

In: JSON, or a form as a dialplan writes it. Out: announcements, kept until the line comes.
Not known here: the lines themselves.
"""

from typing import Annotated, Any
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent_ui.telephony import Telephony
from asr.types import Party
from calls.ingest.announcing import Announcement

_MAX_BYTES = 32_768
_OWN = ("uuid", "call_id", "party", "operator_id", "caller", "dialled")

Name = Annotated[str, Field(max_length=64)]


class LineBody(BaseModel):
    """What is said of a line."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uuid: UUID
    call_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,61}$")] | None = None
    party: Party | None = None
    parties: tuple[Party, ...] = Field(default=(), max_length=2)
    operator_id: Name = ""
    caller: Name = ""
    dialled: Name = ""
    meta: dict[Name, Any] = Field(default_factory=dict, max_length=60)

    @model_validator(mode="after")
    def _fits_together(self) -> "LineBody":
        if len(set(self.parties)) != len(self.parties):
            raise ValueError("a party may be heard on one line only")
        if len(self.parties) > 1 and Party.MIXED in self.parties:
            raise ValueError("mixed stands alone")
        if self.parties and self.party is not None and self.party not in self.parties:
            raise ValueError("party is none of the parties")
        return self

    @property
    def announcement(self) -> Announcement:
        """The same, as lines look for it."""
        named = {"operator_id": self.operator_id, "caller": self.caller, "dialled": self.dialled}
        parties = self.parties or ((Party.MIXED,) if self.party is Party.MIXED else ())
        return Announcement(
            key=self.call_id or str(self.uuid),
            party=self.party,
            parties=parties,
            fields={name: value for name, value in named.items() if value} | self.meta,
        )


def telephony_router(telephony: Telephony, clock: Any) -> APIRouter:
    """The addresses for telephone systems."""
    router = APIRouter(prefix="/v1/telephony")

    @router.post("/lines", status_code=201)
    async def announce(request: Request) -> dict[str, str]:
        """Say which call a line belongs to, and what is to be kept of that call, before the line comes."""
        line = await _line_in(request)
        announcement = line.announcement
        telephony.announcements.make(str(line.uuid), announcement, clock())
        return {"uuid": str(line.uuid), "call_id": announcement.key}

    return router


async def _line_in(request: Request) -> LineBody:
    """A dialplan sends forms: what it says beside the known fields is kept with the call."""
    body = await request.body()
    if len(body) > _MAX_BYTES:
        raise HTTPException(413, {"code": "call.bad_message", "message": "登记内容过大。"})
    try:
        if "json" in request.headers.get("content-type", ""):
            return LineBody.model_validate_json(body)
        fields = dict(parse_qsl(body.decode(), strict_parsing=True, max_num_fields=64))
        own: dict[str, Any] = {name: fields.pop(name) for name in _OWN if fields.get(name)}
        if parties := fields.pop("parties", ""):
            own["parties"] = parties.split(",")
        return LineBody.model_validate(own | {"meta": {name: fields[name] for name in fields}})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "登记"
        message = f"登记内容不对（{where}：{first['msg']}）。"
        raise HTTPException(422, {"code": "call.bad_message", "message": message}) from None
    except ValueError:
        message = "登记内容既不是 JSON，也不是表单。"
        raise HTTPException(422, {"code": "call.bad_message", "message": message}) from None
