"""How the early warning fares over REST: what it has learnt, what is muted, storms, mails.

In: HTTP requests that passed the door. Out: JSON; errors as `{"code", "message"}` under `detail`.
Not known here: warnings themselves, how mails are sent.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from starlette.status import HTTP_202_ACCEPTED, HTTP_204_NO_CONTENT

from access.types import NotAllowed, Scope
from agent_ui.door import caller_of, note_target, refusal
from agent_ui.mail_settings import is_mailbox
from agent_ui.paging import Offset, RowNumber
from agent_ui.warning_bodies import (
    LookoutOut,
    MailOut,
    MailStandingOut,
    MailTestIn,
    MuteOut,
    StandingOut,
    StormsIn,
)
from insight.raised.desk import WarningDesk
from insight.raised.types import BadDeed


def warning_mails_router(desk: WarningDesk) -> APIRouter:
    """`/v1/warnings/lookout` and what is set there, `/v1/warnings/mails`."""
    router = APIRouter(prefix="/v1/warnings", tags=["warnings"])

    def see_all(request: Request) -> None:
        if not caller_of(request).may(Scope.CALLS_ALL):
            raise refusal(NotAllowed())

    def administer(request: Request) -> None:
        if not caller_of(request).may(Scope.SYSTEM):
            raise refusal(NotAllowed())

    @router.get("/lookout", dependencies=[Depends(see_all)])
    def get_lookout() -> LookoutOut:
        """Tell what was learnt, up to when was looked, what is muted, storms, and how mails fare."""
        mails = desk.mails.standing()
        values = {name: getattr(mails, name) for name in MailStandingOut.model_fields if name != "is_on"}
        return LookoutOut(
            is_ready=desk.lookout.is_ready,
            layers={
                layer: StandingOut.model_validate(standing)
                for layer, standing in desk.lookout.standing.items()
            },
            mutes=[MuteOut.model_validate(mute) for mute in desk.store.mutes(desk.clock())],
            storm_days=sorted(desk.storms.read()),
            mails=MailStandingOut(is_on=desk.server is not None, **values),
        )

    @router.put("/storm-days", dependencies=[Depends(see_all)])
    def set_storm_days(body: StormsIn, request: Request) -> LookoutOut:
        """Say for which days a storm is announced, all of them; nothing is learnt from such days."""
        try:
            days = desk.storms.set(body.days, desk.clock())
        except BadDeed as error:
            raise HTTPException(422, {"code": error.code, "message": error.message}) from None
        note_target(request, " ".join(day.isoformat() for day in sorted(days))[:200])
        return get_lookout()

    @router.delete("/mutes/{mute_id}", status_code=HTTP_204_NO_CONTENT, dependencies=[Depends(see_all)])
    def lift_mute(mute_id: RowNumber) -> None:
        """Hear of a matter again."""
        if not desk.store.lift_mute(mute_id):
            raise HTTPException(404, {"code": "warning.unknown_mute", "message": "没有这条静默。"})

    @router.get("/mails", dependencies=[Depends(administer)])
    def list_mails(offset: Offset = 0, limit: Annotated[int, Query(ge=1, le=500)] = 100) -> list[MailOut]:
        """List mails, newest first, with what came of each."""
        return [MailOut.model_validate(mail) for mail in desk.mails.mails(limit=limit, offset=offset)]

    @router.post("/mails", status_code=HTTP_202_ACCEPTED, dependencies=[Depends(administer)])
    def test_mails(body: MailTestIn, request: Request) -> dict[str, int]:
        """Send a mail that says nothing, to see whether one arrives."""
        if desk.server is None:
            message = "没有设置邮件服务器（ZHITING_MAIL_HOST）。"
            raise HTTPException(409, {"code": "mail.off", "message": message})
        if not is_mailbox(body.recipient):
            raise HTTPException(422, {"code": "mail.bad_address", "message": "这不是邮箱地址。"})
        note_target(request, body.recipient)
        return {"mail_id": desk.mails.test(body.recipient, now=desk.clock())}

    @router.post(
        "/mails/{mail_id}/retry", status_code=HTTP_204_NO_CONTENT, dependencies=[Depends(administer)]
    )
    def retry_mail(mail_id: RowNumber) -> None:
        """Try a mail again at once, also one that was given up."""
        if not desk.mails.retry(mail_id, now=desk.clock()):
            raise HTTPException(404, {"code": "mail.unknown", "message": "没有这封待发的邮件。"})

    return router
