"""All that is open while a server runs, opened in the order of the data and closed in reverse.

In: settings, and what opens the engines. Out: a `House`, for as long as it is needed.
Not known here: which engines there are, addresses, pages.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.pool import QueuePool

from access.gate import Gate
from agent_ui.cluster import Cluster, open_cluster
from agent_ui.data_folder import claim, local_key
from agent_ui.engines import Engines, OpenEngines
from agent_ui.gauges import DiskGauge, WordGauge
from agent_ui.hall_desk import HallDesk, open_hall
from agent_ui.hub import Hub
from agent_ui.job_settings import job_limits
from agent_ui.keeping_desk import KeepingDesk, keep_to_terms
from agent_ui.knowledge_desk import KnowledgeDesk
from agent_ui.logs import name_process
from agent_ui.meter import Meter
from agent_ui.papers import LEXICON, open_papers
from agent_ui.report_prose import open_prose
from agent_ui.screens import Desk
from agent_ui.settings import Settings
from agent_ui.shared_files import SharedFiles, open_files
from agent_ui.system_desk import SystemDesk
from agent_ui.traces import Traces, open_traces
from agent_ui.upkeep import announcing, tell_deafness, tell_lags, tell_slow_disk, watch_versions
from agent_ui.warning_parts import open_warnings
from asr.term_file import TermFile
from calls.arrivals.store import ArrivalStore
from calls.audio.keeper import keep_packed, sender_of
from calls.audio.sound import Recordings
from calls.commands import Commands
from calls.fanout import tell_all
from calls.forms.desk import FormDesk
from calls.forms.drafter import Drafter
from calls.forms.engines import EmbeddedEngine
from calls.forms.keeping import FormStore
from calls.ingest.echoes import Echoes
from calls.ingest.exchange import Exchange
from calls.jobs.desk import JobDesk, open_jobs
from calls.journal import Journal
from calls.line import LineOptions
from calls.orders.desk import OrderDesk
from calls.orders.directory_file import FILE_NAME as DEPARTMENTS
from calls.quality.desk import QualityDesk
from calls.recorded import Recorder
from calls.records import Records
from calls.safety.desk import AlarmDesk
from calls.search.follower import follow
from calls.search.index import FullTextIndex
from calls.search.types import CallIndex
from calls.supervision.desk import SupervisionDesk
from calls.switchboard import Switchboard
from calls.tape import Tapes
from calls.webhooks.outbox import Outbox
from calls.webhooks.posting import send_out
from insight.raised.desk import WarningDesk
from insight.reports.desk import ReportDesk
from knowledge_base.database import open_migrated
from knowledge_base.types import DatabaseUnusable

log = logging.getLogger(__name__)

_LETS_GO_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What is open while the server runs."""

    settings: Settings
    records: Records
    sounds: Recordings
    keeping: KeepingDesk
    hub: Hub
    journal: Journal
    switchboard: Switchboard
    exchange: Exchange
    recorder: Recorder
    index: CallIndex
    desk: Desk
    knowledge: KnowledgeDesk
    system: SystemDesk
    meter: Meter
    jobs: JobDesk
    orders: OrderDesk
    outbox: Outbox
    forms: FormDesk
    form_store: FormStore
    alarms: AlarmDesk
    quality: QualityDesk
    supervision: SupervisionDesk
    arrivals: ArrivalStore
    hall: HallDesk
    reports: ReportDesk
    warnings: WarningDesk
    engines: Engines
    cluster: Cluster
    files: SharedFiles
    traces: Traces
    gate: Gate | None
    """None where the door is open."""


@asynccontextmanager
async def open_house(settings: Settings, engines_of: OpenEngines) -> AsyncIterator[House]:
    """Open everything in the order of the data, and close it in reverse."""
    async with AsyncExitStack() as stack:
        stack.enter_context(claim(settings.data_dir))
        database = await asyncio.to_thread(_open_database, settings.database)
        stack.push_async_callback(_close, database)
        gate = _open_gate(settings, database, stack)
        files = await stack.enter_async_context(open_files(settings))
        papers, tuning = await open_papers(settings, database, lambda: cluster)
        engines = await stack.enter_async_context(engines_of(settings, lambda: tuning.now))
        records = Records(database)
        cluster = open_cluster(
            settings.bus,
            data_dir=settings.data_dir,
            database=database,
            lease_s=settings.lease_s,
            records=records,
        )
        traces, engines = await stack.enter_async_context(
            open_traces(settings.trace_options, engines, process_id=name_process(cluster.process_id))
        )
        received_s = _received_s(lambda: switchboard)
        meter = Meter(received_s)
        alarms = AlarmDesk.open(
            database, settings.data_dir, journal=lambda: journal, records=records, clock=settings.now
        )
        hub = Hub(
            records=records,
            clock=settings.now,
            received_s=lambda call_id: cluster.received_s(call_id, received_s(call_id)),
            alarms=alarms.current,
        )
        echoes = Echoes()
        to_desks = tell_all(
            alarms.guard.hear,
            lambda entries: drafter.hear(entries),  # noqa: PLW0108 - it is opened further down
            echoes.hear,
        )
        journal = Journal(
            database,
            tell_all(
                hub.tell,
                cluster.ours(to_desks),
                meter.hear,
                lambda entries: hall.stir(),
                cluster.tell,
            ),
        )
        journal.start(traces.on_written)
        stack.push_async_callback(journal.stop)
        stack.push_async_callback(alarms.guard.close)
        switchboard = Switchboard(
            journal=journal,
            records=records,
            engines=engines.calls,
            open_assistant=engines.open_assistant,
            publish=tell_all(
                hub.tell_partial, alarms.guard.hear_partial, echoes.hear_partial, cluster.tell_partial
            ),
            tapes=await stack.enter_async_context(aclosing(Tapes(settings.audio_folder))),
            clock=settings.now,
            options=lambda: tuning.now.of_calls(settings),
            line_options=LineOptions(),
            holdings=cluster.holdings,
            on_taken_up=cluster.taking_up(alarms.take_up),
        )
        orders = OrderDesk.open(
            database,
            settings.data_dir,
            settings.timezone,
            embed=engines.embed,
            model=settings.embedding_model,
            lore=engines.lore,
            clock=settings.now,
            objects=files.objects,
            home=papers.home(DEPARTMENTS),
        )
        hall = open_hall(database, settings, lambda: orders.directory)
        store = FormStore(database)
        forms = FormDesk(journal=journal, records=records, store=store, orders=orders, clock=settings.now)
        drafter = Drafter(
            desk=forms,
            records=records,
            store=store,
            engine=EmbeddedEngine(lore=engines.lore, embed=engines.embed),
            late=engines.late,
            clock=settings.now,
            watch=traces.watch,
        )
        stack.push_async_callback(drafter.close)
        stack.push_async_callback(cluster.close)
        await cluster.begin(
            switchboard, hub=hub, journal=journal, tell=to_desks, stir=hall.stir, on_papers=papers.wake
        )
        await switchboard.recover()
        if cluster.is_alone:
            await alarms.take_up_all()
        stack.push_async_callback(switchboard.close)
        stack.callback(journal.hurry)  # calls that close wait for what they write
        knowledge = KnowledgeDesk.open(
            database,
            folder=settings.data_dir / "kb",
            environment=settings.environment(),
            embed=engines.embed,
            clock=settings.now,
            asks_review=lambda: tuning.now.kb_review,
            around=traces.around,
        )
        stack.push_async_callback(knowledge.press.close)
        terms = TermFile(settings.lexicon_path, papers.home(LEXICON))
        system = SystemDesk(
            settings=settings,
            tuning=tuning,
            terms=terms,
            switchboard=switchboard,
            hub=hub,
            journal=journal,
            versions=knowledge.versions,
            insight=engines.insight,
            clock=settings.now,
            started_at=settings.now(),
            disk=DiskGauge(settings.data_dir),
            words=WordGauge(terms),
        )
        jobs = await stack.enter_async_context(
            open_jobs(
                database,
                folder=settings.jobs_folder,
                ears=engines.recorded,
                limits=job_limits(settings),
                clock=settings.now,
                sharing=cluster.sharing_jobs(has_one_folder=settings.jobs_dir is not None),
                watch=traces.watch,
            )
        )
        keeping = KeepingDesk.open(database, files.sounds, lambda: tuning.now.of_keeping, clock=settings.now)
        index = FullTextIndex(database)
        outbox = Outbox(database)
        quality = QualityDesk.open(
            database, settings.data_dir, records=records, timezone=settings.timezone, clock=settings.now
        )
        retell = await stack.enter_async_context(open_prose(settings))
        reports = ReportDesk.open(
            database,
            timezone=settings.timezone,
            clock=settings.now,
            plan=lambda: tuning.now.of_reports,
            names=lambda: {name: unit.name for name, unit in orders.directory.units.items()},
            retell=retell,
        )
        warnings = await stack.enter_async_context(
            open_warnings(settings, database, orders, engines, cluster)
        )
        for work in (
            watch_versions(
                files.refreshing(engines.refresh), announcing(journal, settings.now), cluster.is_leader
            ),
            tell_lags(engines.calls.lag_s, switchboard, hub, cluster),
            tell_deafness(engines.deaf_s, switchboard),
            files.keep_sending("attachments", orders.attachments.sender()),
            tell_slow_disk(switchboard),
            drafter.run(),
            hall.run(),
            papers.keep_up((tuning.look, orders.directories.look)),
            *cluster.once(
                lambda: keep_packed(files.sounds, records, settings.audio_form),
                lambda: files.keep_sending(
                    "audio", sender_of(files.sounds, records, keep_s=settings.audio_local_s)
                ),
                is_shared=settings.audio_dir is not None,
            ),
            *cluster.once(
                lambda: follow(index),
                lambda: send_out(outbox, settings.now, traces.watch),
                quality.follow,
                lambda: keep_to_terms(keeping),
                reports.keep_making,
            ),
        ):
            stack.push_async_callback(_stop, asyncio.create_task(work))
        yield House(
            settings=settings,
            records=records,
            sounds=files.sounds,
            keeping=keeping,
            hub=hub,
            journal=journal,
            switchboard=switchboard,
            exchange=Exchange(switchboard=switchboard, echoes=echoes, idle_s=settings.carrier_idle_s),
            recorder=Recorder(journal=journal, records=records, clock=settings.now),
            index=index,
            desk=Desk(
                hub=hub,
                records=records,
                commands=Commands(
                    journal=journal, records=records, switchboard=switchboard, clock=settings.now
                ),
                find=engines.find,
                clock=settings.now,
            ),
            knowledge=knowledge,
            system=system,
            meter=meter,
            jobs=jobs,
            outbox=outbox,
            orders=orders,
            forms=forms,
            form_store=store,
            alarms=alarms,
            quality=quality,
            supervision=SupervisionDesk.open(database, orders),
            arrivals=ArrivalStore(database),
            hall=hall,
            reports=reports,
            warnings=warnings,
            engines=engines,
            cluster=cluster,
            files=files,
            traces=traces,
            gate=gate,
        )


def _open_database(where: str | Path) -> Engine:
    """The database, ready. Ends the process with a sentence where it cannot be used."""
    try:
        return open_migrated(where)
    except DatabaseUnusable as error:
        log.critical("%s", error.message)
        raise SystemExit(error.message) from None


def _open_gate(settings: Settings, database: Engine, stack: AsyncExitStack) -> Gate | None:
    """Who asks whoever comes for a name; None where the door is open."""
    if settings.open:
        return None
    keys = {"本机程序": stack.enter_context(local_key(settings.data_dir))}
    keys |= {"配置令牌": settings.token} if settings.token else {}
    return Gate.open(database, clock=settings.now, keys=keys)


def _received_s(switchboard: Callable[[], Switchboard]) -> Callable[[str], float | None]:
    """How much sound a call that runs here has brought."""

    def received_s(call_id: str) -> float | None:
        return session.line.received_s if (session := switchboard().session(call_id)) else None

    return received_s


async def _close(database: Engine) -> None:
    """Close it once the threads of work that was ended have let go of their connections."""
    pool = database.pool
    with suppress(TimeoutError):
        async with asyncio.timeout(_LETS_GO_S):
            while isinstance(pool, QueuePool) and pool.checkedout():  # noqa: ASYNC110 - threads tell nobody
                await asyncio.sleep(0.01)
    database.dispose()


async def _stop(work: asyncio.Task[None]) -> None:
    """End work that goes on without end, before what it uses is closed."""
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
