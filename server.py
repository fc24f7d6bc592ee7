"""Wires the house: settings, life cycle, routes. The only file that knows everybody.

In: settings from the environment. Out: an ASGI application, or a running server.
Not known here: how anything is done; every line of work lives in a package.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

from fastapi import FastAPI, Request, Response

from access.gate import Gate
from agent_ui.data_folder import claim, local_key
from agent_ui.door import Door
from agent_ui.hub import Hub
from agent_ui.job_settings import job_limits
from agent_ui.kb_try_rest import Explain
from agent_ui.knowledge_desk import KnowledgeDesk
from agent_ui.listening import listen
from agent_ui.pages import add_pages
from agent_ui.routes import add_routes
from agent_ui.screens import Desk
from agent_ui.settings import Settings
from asr.backlog import BatchOptions
from asr.batch.recorded import RecordedEars, recorded_ears
from asr.engines import open_engine
from asr.file_decode import decode_bounded
from asr.footprint import limit_footprint
from asr.pool_options import PoolOptions
from asr.stream import StreamOptions, recognise_call
from asr.transcriber import WhisperOptions
from asr.types import AudioFrame, Party, Segment
from asr.vad import SileroDetector
from asr.wording import Wording
from asr.worker import RecognitionPool
from calls.admission import SwitchboardOptions
from calls.commands import Commands
from calls.ingest.recording import open_recordings
from calls.ingest.websocket import MAX_MESSAGE_BYTES
from calls.jobs.desk import JobDesk, open_jobs
from calls.journal import Journal
from calls.line import LineOptions
from calls.records import Records
from calls.session import Assistant
from calls.session import Engines as CallEngines
from calls.switchboard import Switchboard
from calls.types import KbPublished, StorageFailed
from knowledge_base.database import migrate, open_database
from knowledge_base.types import KnowledgeError
from knowledge_base.versions import VersionFolder
from models.cache import resolve
from retrieval.assistant import CallAssistant
from retrieval.embedder import EmbedderOptions, SentenceEmbedder
from retrieval.explaining import explain
from retrieval.judge import shipped_judge
from retrieval.reranker import Reranker
from retrieval.searcher import Searcher
from retrieval.serving import take_up
from retrieval.types import Findings, Query
from retrieval.vectors import Vector

log = logging.getLogger("zhiting")

LAG_EVERY_S = 2.0
"""How often the screens of a call are told how far its text is behind."""
KB_LOOK_EVERY_S = 2.0
"""How often the server looks for what another process has published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """The engines that need weights, as the house uses them."""

    calls: CallEngines
    open_assistant: Callable[[str], Assistant]
    embed: Callable[[str], Vector]
    """The vector of a question. Blocks."""
    find: Callable[[str, int], Awaitable[Findings]]
    """Search for a typed question: (text, at most so many) → matches."""
    explain: Explain
    """What a call would see after some turns, and why."""
    kb_version: Callable[[], str | None]
    """The version of the knowledge base that answers now."""
    recorded: RecordedEars
    """How recordings are heard beside the calls."""
    refresh: Callable[[], str | None]
    """Take up a version published meanwhile and return its name; None where there is none. Blocks."""


Answer: TypeAlias = Callable[[Request], Awaitable[Response]]
OpenEngines: TypeAlias = Callable[[Settings], AbstractAsyncContextManager[Engines]]


@asynccontextmanager
async def open_engines(settings: Settings) -> AsyncIterator[Engines]:
    """Load the weights and the published knowledge base."""

    def folder(name: str) -> Path:
        return resolve(
            name,
            cache_dir=settings.data_dir / "models",
            local_folder=settings.models_folder / name if settings.models_folder else None,
            allow_hub=settings.allow_hub,
            progress=log.info,
        )

    def today() -> date:
        return settings.now().date()

    speech = await asyncio.to_thread(folder, settings.speech_model)
    whisper = WhisperOptions(
        device=settings.device,
        compute_type=settings.compute_type,
        vocabulary=settings.speech_vocabulary,
    )
    transcriber = await asyncio.to_thread(open_engine, speech, whisper)
    embedder = await asyncio.to_thread(
        lambda: SentenceEmbedder(folder(settings.embedding_model), EmbedderOptions())
    )
    reranker = None
    if settings.reranker_model:
        reranker = await asyncio.to_thread(lambda: Reranker(folder(settings.reranker_model)))
    searcher = Searcher(embedder)
    versions = VersionFolder(settings.data_dir / "kb")
    detector = SileroDetector()
    wording = Wording(settings.lexicon_path)
    options = PoolOptions(
        workers=transcriber.workers,
        max_calls=settings.calls_at_once,
        batches=BatchOptions(final_beam=settings.beam_size, busy_beam=2),
    )
    async with RecognitionPool(transcriber, options) as pool:

        def recognise(
            call_id: str, frames: AsyncIterator[AudioFrame], numbers: Mapping[Party, int]
        ) -> AsyncIterator[Segment]:
            return recognise_call(
                frames,
                pool=pool,
                detector=detector,
                options=StreamOptions(keep_fillers=settings.keep_fillers),
                first_numbers={party: number + 1 for party, number in numbers.items()},
                lexicon=wording.lexicon,
            )

        def refresh() -> str | None:
            taken_up = take_up(searcher, versions, embedder)
            served = searcher.snapshot
            if served is None:
                wording.keep_up(None, ())
            else:
                wording.keep_up(served.version.version, served.articles)
            return taken_up

        async def search(query: Query) -> Findings:
            return await searcher.find(query, day=today())

        async def find(text: str, k: int) -> Findings:
            found = await searcher.find(text, day=today(), k=k)
            return (
                await reranker.rerank(text, found, is_loaded=lambda: not pool.has_room) if reranker else found
            )

        await asyncio.to_thread(refresh)
        try:
            yield Engines(
                calls=CallEngines(
                    recognise=recognise,
                    admit=pool.admit,
                    release=pool.release,
                    lag_s=pool.lag_s,
                    has_room=lambda: pool.has_room,
                    search=search,
                ),
                open_assistant=CallAssistant,
                embed=embedder.embed_query,
                find=find,
                explain=lambda turns: explain(turns, search=search, judge=shipped_judge()),
                kb_version=lambda: searcher.snapshot.version.version if searcher.snapshot else None,
                recorded=recorded_ears(
                    pool,
                    transcriber,
                    model=settings.speech_model,
                    folder=speech,
                    whisper=whisper,
                    lexicon=lambda: wording.lexicon,
                    keep_fillers=settings.keep_fillers,
                ),
                refresh=refresh,
            )
        finally:
            searcher.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What is open while the server runs."""

    settings: Settings
    records: Records
    hub: Hub
    switchboard: Switchboard
    desk: Desk
    knowledge: KnowledgeDesk
    jobs: JobDesk
    engines: Engines
    gate: Gate | None
    """None where the door is open."""


@asynccontextmanager
async def open_house(settings: Settings, engines_of: OpenEngines) -> AsyncIterator[House]:
    """Open everything in the order of the data, and close it in reverse."""
    async with AsyncExitStack() as stack:
        stack.enter_context(claim(settings.data_dir))
        database = open_database(settings.data_dir / "zhiting.db")
        stack.callback(database.dispose)
        await asyncio.to_thread(migrate, database)
        gate = None
        if not settings.open:
            keys = {"本机程序": stack.enter_context(local_key(settings.data_dir))}
            keys |= {"配置令牌": settings.token} if settings.token else {}
            gate = Gate.open(database, clock=settings.now, keys=keys)
        audio_folder = settings.data_dir / "audio"
        audio_folder.mkdir(exist_ok=True)
        engines = await stack.enter_async_context(engines_of(settings))
        records = Records(database)

        def received_s(call_id: str) -> float | None:
            session = switchboard.session(call_id)
            return session.line.received_s if session else None

        hub = Hub(records=records, clock=settings.now, received_s=received_s)
        journal = Journal(database, hub.tell)
        journal.start()
        stack.push_async_callback(journal.stop)
        switchboard = Switchboard(
            journal=journal,
            records=records,
            engines=engines.calls,
            open_assistant=engines.open_assistant,
            publish=hub.tell_partial,
            audio_folder=audio_folder,
            clock=settings.now,
            options=SwitchboardOptions(
                max_calls=settings.calls_at_once,
                lost_after_s=settings.lost_after_s,
                resumable_s=settings.resumable_s,
                min_free_bytes=settings.min_free_mb * 1_000_000,
            ),
            line_options=LineOptions(),
        )
        await switchboard.recover()
        stack.push_async_callback(switchboard.close)
        knowledge = KnowledgeDesk.open(
            database,
            folder=settings.data_dir / "kb",
            environment=settings.environment(),
            embed=engines.embed,
            clock=settings.now,
            needs_review=settings.kb_review,
        )
        stack.push_async_callback(knowledge.press.close)
        jobs = await stack.enter_async_context(
            open_jobs(
                database,
                folder=settings.data_dir / "jobs",
                ears=engines.recorded,
                limits=job_limits(settings),
                clock=settings.now,
            )
        )
        commands = Commands(journal=journal, records=records, switchboard=switchboard, clock=settings.now)
        for work in (_watch_versions(engines, switchboard), _tell_lags(engines, switchboard, hub)):
            stack.callback(asyncio.create_task(work).cancel)
        yield House(
            settings=settings,
            records=records,
            hub=hub,
            switchboard=switchboard,
            desk=Desk(hub=hub, records=records, commands=commands, find=engines.find, clock=settings.now),
            knowledge=knowledge,
            jobs=jobs,
            engines=engines,
            gate=gate,
        )


async def _watch_versions(engines: Engines, switchboard: Switchboard) -> None:
    """Take up what another process publishes, and tell the screens."""
    while True:
        await asyncio.sleep(KB_LOOK_EVERY_S)
        try:
            version = await asyncio.to_thread(engines.refresh)
        except KnowledgeError as error:
            log.error("the new version cannot be used, the old one stays: %s", error.code)
            continue
        if version is not None:
            log.info("knowledge base version %s answers from now on", version)
            try:
                await switchboard.announce(KbPublished(version=version))
            except StorageFailed as error:  # the version answers all the same
                log.error("version %s could not be announced: %s", version, error.code)


async def _tell_lags(engines: Engines, switchboard: Switchboard, hub: Hub) -> None:
    """Tell every screen of a running call how far its text is behind; a page also takes it as a heartbeat."""
    while True:
        await asyncio.sleep(LAG_EVERY_S)
        for session in switchboard.sessions():
            call = session.call
            lag_s = max(engines.calls.lag_s(call.call_id), session.line.unheard_s)
            hub.tell_lag(call.call_id, call.operator_id, lag_s)


def create_app(
    settings: Settings,
    engines_of: OpenEngines = open_engines,
    *,
    on_code: Callable[[str, bool], None] | None = None,
    offers_code: bool = False,
) -> FastAPI:
    """The application. Tests bring their own engines; everything else is real.

    `on_code` gets a one-time code to sign in by, and whether there is no account yet: then always, else with
    `offers_code`.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            open_house(settings, engines_of) as house,
            open_recordings(
                house.switchboard, decode=decode_bounded, data_dir=settings.data_dir
            ) as recordings,
        ):
            app.state.door = door = Door(house.gate)
            add_routes(
                app,
                door,
                settings=settings,
                records=house.records,
                hub=house.hub,
                switchboard=house.switchboard,
                recordings=recordings,
                recorded=house.engines.recorded,
                jobs=house.jobs,
                desk=house.desk,
                knowledge=house.knowledge,
                find=house.engines.find,
                explain=house.engines.explain,
                kb_version=house.engines.kb_version,
            )
            if house.gate is not None and on_code is not None:
                is_first = await asyncio.to_thread(house.gate.accounts.is_empty)
                if is_first or offers_code:
                    on_code(house.gate.offer_code(), is_first)
            yield

    async def note_changes(request: Request, answer: Answer) -> Response:
        door: Door = request.app.state.door
        return await door.note_changes(request, answer)

    app = FastAPI(title="智听 Zhiting", version=version("zhiting"), lifespan=lifespan)
    app.middleware("http")(note_changes)
    add_pages(app)
    return app


def serve(
    settings: Settings,
    on_ready: Callable[[str], None],
    *,
    on_code: Callable[[str, bool], None] | None = None,
    offers_code: bool = False,
) -> None:
    """Run until told to stop; a second signal ends at once. `on_ready` gets the address."""
    limit_footprint()
    if not settings.is_guarded:
        log.warning(
            "SPEECH AND PASSWORDS PASS UNENCRYPTED: set ZHITING_TLS_CERT and ZHITING_TLS_KEY, "
            "or ZHITING_PROXIES behind a proxy that speaks HTTPS (docs/access.md)"
        )
    cert, key = settings.tls_cert, settings.tls_key
    listen(
        create_app(settings, on_code=on_code, offers_code=offers_code),
        host=settings.host,
        port=settings.port,
        max_message_bytes=MAX_MESSAGE_BYTES,
        on_ready=on_ready,
        certificate=(cert, key) if cert and key else None,
        proxies=settings.proxies,
    )
