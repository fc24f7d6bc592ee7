"""Telephone systems announce their lines here, and ask for ports: `/v1/telephony`.

In: JSON, or a form as a dialplan writes it. Out: announcements, kept until the line comes; ports for RTP.
Not known here: the lines themselves.
"""

from dataclasses import replace
from typing import Annotated, Any, Literal, Self
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent_ui.telephony import Telephony
from asr.types import Party
from calls.ingest.announcing import Announcement
from calls.ingest.ari import FORMATS, AriCalls, RtpWish
from calls.ingest.messages import BadMessage
from calls.types import CallConflict, CallError, HouseFull

_MAX_BYTES = 32_768
_OWN = ("uuid", "call_id", "party", "operator_id", "caller", "dialled")

Name = Annotated[str, Field(max_length=64)]


class _Named(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    parties: tuple[Party, ...] = Field(default=(), max_length=2)
    operator_id: Name = ""
    caller: Name = ""
    dialled: Name = ""
    meta: dict[Name, Any] = Field(default_factory=dict, max_length=60)

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> Self:
        if len(set(self.parties)) != len(self.parties):
            raise ValueError("a party may be heard on one line only")
        if len(self.parties) > 1 and Party.MIXED in self.parties:
            raise ValueError("mixed stands alone")
        return self

    @property
    def fields(self) -> dict[str, Any]:
        """What goes on record."""
        named = {"operator_id": self.operator_id, "caller": self.caller, "dialled": self.dialled}
        return {name: value for name, value in named.items() if value} | self.meta


CallId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,61}$")]


class RtpBody(_Named):
    """What will be sent as RTP."""

    call_id: CallId
    format: str = "alaw"
    byte_order: Literal["big", "little"] = "big"
    parties: tuple[Party, ...] = Field(default=(Party.CITIZEN, Party.OPERATOR), min_length=1, max_length=2)
    ssrcs: tuple[Annotated[int, Field(ge=0, lt=1 << 32)], ...] = ()

    @property
    def wish(self) -> RtpWish:
        """The same, as ports are asked for. Raises `BadMessage`."""
        if (codec := FORMATS.get(self.format)) is None:
            raise BadMessage(f"不认识的格式 {self.format[:20]}，可用：{'、'.join(FORMATS)}。")
        return RtpWish(
            key=self.call_id,
            codec=replace(codec, is_big_endian=self.byte_order == "big"),
            parties=self.parties,
            ssrcs=self.ssrcs,
            fields=self.fields,
        )


class LineBody(_Named):
    """What is said of a line."""

    uuid: UUID
    call_id: CallId | None = None
    party: Party | None = None

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if self.parties and self.party is not None and self.party not in self.parties:
            raise ValueError("party is none of the parties")
        return self

    @property
    def announcement(self) -> Announcement:
        """The same, as lines look for it."""
        parties = self.parties or ((Party.MIXED,) if self.party is Party.MIXED else ())
        return Announcement(
            key=self.call_id or str(self.uuid),
            party=self.party,
            parties=parties,
            fields=self.fields,
        )


_PLACE = "#/paths/~1v1~1telephony~1lines/post/requestBody/content/application~1json/schema/$defs/{model}"
_FORM = {"type": "object", "additionalProperties": {"type": "string"}}
_BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": LineBody.model_json_schema(ref_template=_PLACE)},
        "application/x-www-form-urlencoded": {"schema": _FORM},
    },
}


def telephony_router(telephony: Telephony, clock: Any) -> APIRouter:
    """The addresses for telephone systems."""
    router = APIRouter(prefix="/v1/telephony")

    @router.post("/lines", status_code=201, openapi_extra={"requestBody": _BODY})
    async def announce(request: Request) -> dict[str, str]:
        """Say which call a line belongs to, and what is to be kept of that call, before the line comes."""
        line = await _line_in(request)
        announcement = line.announcement
        telephony.announcements.make(str(line.uuid), announcement, clock())
        return {"uuid": str(line.uuid), "call_id": announcement.key}

    @router.post("/rtp", status_code=201)
    async def ask_for_ports(body: RtpBody) -> dict[str, Any]:
        """Say what will be sent; the answer says where to."""
        try:
            ports = await _ari(telephony).expect(body.wish)
        except CallError as error:
            status = _STATUS.get(type(error), 422)
            raise HTTPException(status, {"code": error.code, "message": error.message}) from None
        host = telephony.address
        legs = [{"party": party, "external_host": f"{host}:{port}"} for party, port in ports.items()]
        return {"call_id": body.call_id, "legs": legs}

    @router.delete("/rtp/{call_id}", status_code=204)
    async def end_call(call_id: str) -> None:
        """The call is over: RTP itself does not say so."""
        if not _ari(telephony).end(call_id):
            raise HTTPException(404, {"code": "call.unknown", "message": f"没有这通电话：{call_id[:62]}。"})

    return router


_STATUS: dict[type[CallError], int] = {CallConflict: 409, HouseFull: 503}


def _ari(telephony: Telephony) -> AriCalls:
    if telephony.ari is None:
        message = "没有设置 RTP 端口，请管理员设置 ZHITING_RTP_PORTS。"
        raise HTTPException(503, {"code": "call.refused", "message": message})
    return telephony.ari


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
