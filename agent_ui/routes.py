"""Every address of the house, and what is needed to come to it.

In: an application, the door, and the parts that stand behind the addresses.
Out: routes and sockets.
Not known here: how the parts were opened.
"""

import asyncio
from collections.abc import Callable
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, FastAPI

from access.types import Scope
from agent_ui.alarms_rest import alarms_router
from agent_ui.arrivals_rest import arrivals_router
from agent_ui.audit_rest import audit_router
from agent_ui.call_search_rest import call_search_router
from agent_ui.call_sound_rest import call_sound_router
from agent_ui.calls_rest import one_call_router
from agent_ui.cluster import Cluster
from agent_ui.departments_rest import departments_router
from agent_ui.door import Door
from agent_ui.hall_desk import HallDesk
from agent_ui.hall_rest import hall_router
from agent_ui.health import health_router
from agent_ui.hub import Hub
from agent_ui.job_files_rest import job_files_router
from agent_ui.jobs_rest import jobs_router
from agent_ui.kb_editing_rest import editing_router
from agent_ui.kb_learning_rest import learning_router, reports_router
from agent_ui.kb_publish_rest import canaries_router, publish_router
from agent_ui.kb_rest import articles_router
from agent_ui.kb_try_rest import Explain, try_router
from agent_ui.keeping_desk import KeepingDesk
from agent_ui.knowledge_desk import KnowledgeDesk
from agent_ui.lexicon_rest import lexicon_router
from agent_ui.lines import lines_router
from agent_ui.meter import Meter
from agent_ui.metrics_rest import metrics_router
from agent_ui.oidc_rest import OidcOptions, oidc_router
from agent_ui.order_advice_rest import order_advice_router
from agent_ui.order_attachments_rest import AttachmentLimits, order_attachments_router
from agent_ui.order_erasure_rest import order_erasure_router
from agent_ui.orders_rest import one_order_router, orders_router
from agent_ui.people_rest import people_router
from agent_ui.quality_rest import quality_router
from agent_ui.record_rest import record_router
from agent_ui.recorded_rest import recorded_router
from agent_ui.recordings_rest import recordings_router
from agent_ui.refusals import refusals
from agent_ui.reports_rest import city_reports_router
from agent_ui.rest import Find, calls_router, search_router
from agent_ui.retention_rest import retention_router
from agent_ui.screens import Desk
from agent_ui.session_rest import session_router
from agent_ui.settings import Settings
from agent_ui.shared_files import SharedFiles
from agent_ui.sockets import socket_router
from agent_ui.supervision_rest import supervision_router
from agent_ui.system_desk import SystemDesk, shipped_terms
from agent_ui.system_rest import system_router
from agent_ui.telephony import Telephony
from agent_ui.telephony_rest import telephony_router
from agent_ui.traces import Traces
from agent_ui.transcriptions_rest import TranscriptionOptions, transcriptions_router
from agent_ui.warning_mails_rest import warning_mails_router
from agent_ui.warnings_rest import warnings_router
from agent_ui.webhooks_rest import webhooks_router
from agent_ui.wrapup_rest import wrapup_router
from asr.batch.recorded import RecordedEars
from calls.arrivals.store import ArrivalStore
from calls.audio.sound import Recordings as Sounds
from calls.forms.desk import FormDesk
from calls.ingest.exchange import Exchange
from calls.ingest.recording import Recordings
from calls.jobs.desk import JobDesk
from calls.orders.desk import OrderDesk
from calls.orders.events import EVENT_TYPES as ORDER_EVENTS
from calls.outward import EVENT_TYPES as CALL_EVENTS
from calls.quality.desk import QualityDesk
from calls.recorded import Recorder
from calls.records import Records
from calls.safety.desk import AlarmDesk
from calls.search.types import CallIndex
from calls.supervision.desk import SupervisionDesk
from calls.switchboard import Switchboard
from calls.webhooks.outbox import Outbox
from insight.raised.desk import WarningDesk
from insight.raised.events import EVENT_TYPES as WARNING_EVENTS
from insight.reports.desk import ReportDesk

_EVENTS = (*ORDER_EVENTS, *CALL_EVENTS, *WARNING_EVENTS)


def add_routes(
    app: FastAPI,
    door: Door,
    *,
    settings: Settings,
    records: Records,
    hub: Hub,
    switchboard: Switchboard,
    recordings: Recordings,
    sounds: Sounds,
    keeping: KeepingDesk,
    recorded: RecordedEars,
    jobs: JobDesk,
    orders: OrderDesk,
    outbox: Outbox,
    forms: FormDesk,
    alarms: AlarmDesk,
    quality: QualityDesk,
    supervision: SupervisionDesk,
    arrivals: ArrivalStore,
    hall: HallDesk,
    reports: ReportDesk,
    warnings: WarningDesk,
    recorder: Recorder,
    exchange: Exchange,
    telephony: Telephony,
    index: CallIndex,
    desk: Desk,
    knowledge: KnowledgeDesk,
    find: Find,
    explain: Explain,
    system: SystemDesk,
    meter: Meter,
    lag_s: Callable[[str], float],
    cluster: Cluster,
    files: SharedFiles,
    traces: Traces,
) -> None:
    """Open the house's addresses."""

    def include(
        router: APIRouter, read: Scope | None, write: Scope | None = None, *, refuses: tuple[int, ...] = ()
    ) -> None:
        """Let in whoever may; `refuses`: what its routes answer beside what any route does."""
        dependencies = [Depends(door.needs(read, write))]
        app.include_router(router, dependencies=dependencies, responses=refusals(*refuses))

    async def seat_of(call_id: str) -> str | None:
        call = await asyncio.to_thread(records.call, call_id)
        return call.operator_id if call else None

    include(search_router(find=find), Scope.KNOWLEDGE_READ)
    # Before the routes of calls: `/v1/calls/recordings` and `search` are no calls of these names.
    include(recordings_router(recordings, seat_of), Scope.AUDIO, refuses=(409, 415, 499))
    app.include_router(transcriptions_router(door, recorded, _transcription_options(settings)))
    include(jobs_router(jobs), Scope.RECORDINGS, refuses=(409, 415))
    include(job_files_router(jobs), Scope.RECORDINGS, refuses=(409, 416))
    include(recorded_router(recorder), Scope.AUDIO, refuses=(409,))
    include(call_search_router(index, ZoneInfo(settings.timezone)), None)
    # Whose calls somebody may see is looked at there, call by call.
    include(calls_router(records, settings.now, ZoneInfo(settings.timezone)), None)
    include(one_call_router(records, settings.now), None)
    include(call_sound_router(records, sounds), None, refuses=(416,))
    include(
        record_router(records, sounds, keeping, settings.now, door.needs(Scope.SYSTEM)), None, refuses=(409,)
    )
    include(telephony_router(telephony, settings.now), Scope.AUDIO, refuses=(409,))
    include(retention_router(keeping), Scope.SYSTEM)
    include(wrapup_router(forms, orders, records), None, refuses=(400, 409, 412, 428))
    include(orders_router(orders, records), None, refuses=(404, 409))  # so it is with orders
    include(one_order_router(orders), None, refuses=(400, 409, 412, 428))
    include(order_erasure_router(orders, keeping), Scope.SYSTEM, refuses=(409,))
    include(order_advice_router(orders), None)
    include(order_attachments_router(orders, _attachment_limits(settings)), None, refuses=(409, 415))
    include(departments_router(orders.directories), None, Scope.SYSTEM)
    include(webhooks_router(outbox, events=_EVENTS, clock=settings.now), Scope.SYSTEM)
    include(alarms_router(alarms), Scope.CALLS_ALL)
    include(supervision_router(supervision), Scope.CALLS_ALL, refuses=(404, 412))
    include(hall_router(hall), Scope.HALL)
    include(arrivals_router(arrivals, stir=hall.stir, clock=settings.now), Scope.AUDIO)
    include(city_reports_router(reports), None, refuses=(404, 409))  # a department sees those about it
    include(warning_mails_router(warnings), None, refuses=(409,))
    # departments see their own there
    include(warnings_router(warnings, orders, alarms, records), None, refuses=(400, 409, 412, 428))
    include(quality_router(quality), None)  # looked at there, call by call
    include(reports_router(knowledge), Scope.KNOWLEDGE_READ, refuses=(409,))
    for router in (articles_router, publish_router, canaries_router, learning_router, editing_router):
        include(
            router(knowledge), Scope.KNOWLEDGE_READ, Scope.KNOWLEDGE_WRITE, refuses=(400, 404, 409, 412, 428)
        )
    include(try_router(explain), Scope.KNOWLEDGE_WRITE)
    include(
        lexicon_router(system.terms, shipped=shipped_terms(), try_words=system.insight.try_words),
        Scope.SYSTEM,
        refuses=(412,),
    )
    include(system_router(system), Scope.SYSTEM, refuses=(412,))
    include(
        metrics_router(meter, system, outbox, cluster, files=files, traces=traces, lag_s=lag_s), Scope.METRICS
    )
    _add_people(app, door, settings, orders)
    if door.gate is not None:
        include(audit_router(door.gate), Scope.SYSTEM)
    app.include_router(
        socket_router(
            door=door,
            desk=desk,
            hall=hall,
            switchboard=switchboard,
            seat_of=seat_of,
            clock=settings.now,
        )
    )
    app.include_router(lines_router(door=door, exchange=exchange, settings=settings, clock=settings.now))
    app.include_router(
        health_router(
            switchboard=switchboard,
            hub=hub,
            cluster=cluster,
            served=system.insight.served,
            objects=files.objects,
        )
    )


def _add_people(app: FastAPI, door: Door, settings: Settings, orders: OrderDesk) -> None:
    """Signing in, and who may."""
    app.include_router(
        session_router(door, has_single_sign_on=bool(settings.oidc_issuer), crm_url=settings.crm_url)
    )
    if door.gate is not None:
        people = people_router(door, door.gate, is_department=orders.is_department)
        app.include_router(people, responses=refusals(409))
        if settings.oidc_issuer:
            app.include_router(oidc_router(door.gate, _oidc_options(settings)))


def _attachment_limits(settings: Settings) -> AttachmentLimits:
    return AttachmentLimits(
        max_bytes=settings.attachment_max_mb * 1_000_000, min_free_bytes=settings.min_free_mb * 1_000_000
    )


def _transcription_options(settings: Settings) -> TranscriptionOptions:
    return TranscriptionOptions(
        folder=settings.data_dir / "transcriptions",
        max_bytes=settings.transcription_max_mb * 1_000_000,
        beam_size=settings.beam_size,
    )


def _oidc_options(settings: Settings) -> OidcOptions:
    return OidcOptions(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value(),
        name_claim=settings.oidc_name_claim,
        role_claim=settings.oidc_role_claim,
        roles=settings.oidc_roles,
        operator_claim=settings.oidc_operator_claim,
    )
