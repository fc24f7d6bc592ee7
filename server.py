"""Wires the house: settings, life cycle, routes. The only file that knows everybody.

In: settings from the environment. Out: an ASGI application, or a running server.
Not known here: how anything is done; every line of work lives in a package.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from agent_ui.bodies import BodyGuard
from agent_ui.complaints import add_complaints
from agent_ui.counting import Counting
from agent_ui.door import Door, note_changes
from agent_ui.engines import Engines, OpenEngines
from agent_ui.figures import EarFigures, WeightFigures
from agent_ui.house import House, open_house
from agent_ui.lexicon_rest import Tried
from agent_ui.limits import Limiter, RateGuard
from agent_ui.listening import listen
from agent_ui.logs import write_logs
from agent_ui.pages import add_pages
from agent_ui.refusals import document_refusals
from agent_ui.routes import add_routes
from agent_ui.settings import Settings
from agent_ui.system_desk import Insight
from agent_ui.telephony import open_telephony
from agent_ui.traced_requests import TracedRequests
from agent_ui.tuning import Tuning
from asr.backlog import BatchOptions
from asr.batch.recorded import recorded_ears
from asr.engines import Engine, open_engine
from asr.file_decode import decode_bounded
from asr.footprint import limit_footprint, set_aside
from asr.hearing import Hearing
from asr.pool_options import PoolOptions
from asr.remote.opening import RemoteEars, open_remote
from asr.stream import StreamOptions
from asr.transcriber import WhisperOptions
from asr.vad import SileroDetector
from asr.wording import Wording
from asr.worker import RecognitionPool
from calls.ingest.recording import open_recordings
from calls.ingest.websocket import MAX_MESSAGE_BYTES
from calls.session import Engines as CallEngines
from calls.wrapup.llm.engine import open_model
from calls.wrapup.lore import LoreKeeper
from knowledge_base.versions import VersionFolder
from models.cache import resolve
from models.provenance import provenance
from retrieval.assistant import CallAssistant
from retrieval.explaining import explain
from retrieval.judge import shipped_judge
from retrieval.searcher import Searcher
from retrieval.serving import TakeUp, articles_with_vectors, take_up, take_up_any
from retrieval.types import Findings, Query

log = logging.getLogger("zhiting")


@asynccontextmanager
async def open_engines(settings: Settings, tuning: Callable[[], Tuning]) -> AsyncIterator[Engines]:
    """Load the weights and the published knowledge base."""
    from retrieval.embedder import EmbedderOptions, SentenceEmbedder  # takes seconds: PyTorch comes with it

    weights: list[WeightFigures] = []

    def folder(name: str) -> Path:
        found = resolve(
            name,
            cache_dir=settings.data_dir / "models",
            local_folder=settings.models_folder / name if settings.models_folder else None,
            allow_hub=settings.allow_hub,
            progress=log.info,
        )
        origin = provenance(name, found)
        weights.append(
            WeightFigures(name=name, folder=found, digest=origin.digest, is_pinned=origin.is_pinned)
        )
        return found

    def today() -> date:
        return settings.now().date()

    speech = await asyncio.to_thread(folder, settings.speech_model)
    whisper = WhisperOptions(
        device=settings.device,
        compute_type=settings.compute_type,
        vocabulary=settings.speech_vocabulary,
    )
    engine = await asyncio.to_thread(lambda: _open_ears(settings, speech, whisper))
    remote = engine.decoder if isinstance(engine, RemoteEars) else None
    embedder = await asyncio.to_thread(
        lambda: SentenceEmbedder(folder(settings.embedding_model), EmbedderOptions())
    )
    reranker = None
    if settings.reranker_model:
        from retrieval.reranker import Reranker

        reranker = await asyncio.to_thread(lambda: Reranker(folder(settings.reranker_model)))
    searcher = Searcher(embedder)
    versions = VersionFolder(settings.data_dir / "kb")
    detector = SileroDetector()
    wording = Wording(settings.lexicon_path)
    lore = LoreKeeper(embedder.embed_query)
    options = PoolOptions(
        workers=engine.workers,
        batches=BatchOptions(busy_beam=2),
    )
    async with (
        RecognitionPool(
            engine.decoder if isinstance(engine, RemoteEars) else engine,
            options,
            limits=lambda: tuning().of_ears,
        ) as pool,
        open_model(settings.llm_options, lambda: lore.now) as late,
    ):
        hearing = Hearing(
            pool,
            detector=detector,
            wording=wording,
            options=lambda: StreamOptions(keep_fillers=tuning().keep_fillers),
        )

        def refresh(take: TakeUp = take_up) -> str | None:
            taken_up = take(searcher, versions, embedder)
            snapshot = searcher.snapshot
            if snapshot is None:
                wording.keep_up(None, ())
            else:
                wording.keep_up(snapshot.version.version, snapshot.articles)
                if taken_up is not None or lore.now is None:
                    lore.renew(*articles_with_vectors(snapshot))
            return taken_up

        def try_words(text: str) -> Tried:
            is_current, lexicon = wording.is_current, wording.lexicon
            written, corrections = lexicon.correct(text) if lexicon else (text, ())
            return Tried(text=written, corrections=corrections, is_current=is_current)

        def ears() -> EarFigures:
            return EarFigures(
                engine=engine.name,
                model=settings.speech_model,
                device=engine.device,
                compute_type=engine.compute_type,
                workers=pool.places,
                refuse_lag_s=options.refuse_lag_s,
                stats=pool.stats(),
                remote=remote.figures() if remote else None,
            )

        async def search(query: Query) -> Findings:
            return await searcher.find(query, day=today())

        async def find(text: str, k: int) -> Findings:
            found = await searcher.find(text, day=today(), k=k)
            return (
                await reranker.rerank(text, found, is_loaded=lambda: not pool.has_room) if reranker else found
            )

        await asyncio.to_thread(refresh, take_up_any)
        try:
            yield Engines(
                calls=CallEngines(
                    recognise=hearing.recognise,
                    admit=pool.admit,
                    release=pool.release,
                    lag_s=pool.lag_s,
                    has_ears=lambda: pool.places > 0,
                    has_room=lambda: pool.has_room,
                    search=search,
                ),
                open_assistant=lambda call_id: CallAssistant(call_id, advisor_options=tuning().of_cards),
                embed=embedder.embed_query,
                embed_texts=embedder.embed_passages,
                find=find,
                explain=lambda turns: explain(
                    turns, search=search, judge=shipped_judge(), advisor_options=tuning().of_cards
                ),
                recorded=recorded_ears(
                    pool,
                    engine,
                    model=settings.speech_model,
                    folder=speech,
                    whisper=whisper,
                    lexicon=lambda: wording.lexicon,
                    keep_fillers=settings.keep_fillers,
                ),
                lore=lambda: lore.now,
                refresh=refresh,
                insight=Insight(
                    ears=ears,
                    served=lambda: searcher.snapshot.version if searcher.snapshot else None,
                    words_in_use=lambda: len(wording.lexicon.terms) if wording.lexicon else 0,
                    try_words=try_words,
                    weights=tuple(weights),
                ),
                deaf_s=lambda: remote.deaf_s if remote and not remote.is_standing_in else 0.0,
                late=late,
                watch_finals=pool.timing.listen,
            )
        finally:
            searcher.close()


def _open_ears(settings: Settings, folder: Path, whisper: WhisperOptions) -> Engine | RemoteEars:
    """Load the model, or get ready to reach those that other machines hold."""
    if settings.ears == "local":
        return open_engine(folder, whisper)
    calls_here = settings.calls_heard_here if settings.ears_fallback else None
    return open_remote(
        folder,
        whisper,
        address=settings.ray_address,
        calls_here=calls_here,
        prepare=partial(write_logs, settings.log_options),
    )


def create_app(
    settings: Settings,
    engines_of: OpenEngines = open_engines,
    *,
    on_code: Callable[[str, bool], None] | None = None,
    offers_code: bool = False,
    beside: Callable[[House], Coroutine[Any, Any, None]] | None = None,
) -> FastAPI:
    """The application. Tests bring their own engines; everything else is real.

    `on_code` gets a one-time code to sign in by, and whether there is no account yet: then always, else with
    `offers_code`. `beside` goes on as long as the house is open, or shorter: a simulation.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            open_house(settings, engines_of) as house,
            open_recordings(
                house.switchboard, decode=decode_bounded, data_dir=settings.data_dir
            ) as recordings,
            open_telephony(settings, house.exchange) as telephony,
        ):
            app.state.meter = house.meter
            app.state.take_request = house.traces.take_request
            app.state.limiter = limiter = Limiter(settings.rate_limits, on_limited=house.meter.limited)
            app.state.door = door = Door(house.gate, limiter)
            app.state.drain = lambda: house.switchboard.drain(settings.drain_s)
            add_routes(
                app,
                door,
                settings=settings,
                records=house.records,
                hub=house.hub,
                switchboard=house.switchboard,
                recordings=recordings,
                sounds=house.sounds,
                keeping=house.keeping,
                recorded=house.engines.recorded,
                jobs=house.jobs,
                orders=house.orders,
                outbox=house.outbox,
                forms=house.forms,
                alarms=house.alarms,
                quality=house.quality,
                supervision=house.supervision,
                arrivals=house.arrivals,
                hall=house.hall,
                reports=house.reports,
                warnings=house.warnings,
                recorder=house.recorder,
                exchange=house.exchange,
                telephony=telephony,
                index=house.index,
                desk=house.desk,
                knowledge=house.knowledge,
                find=house.engines.find,
                explain=house.engines.explain,
                system=house.system,
                meter=house.meter,
                lag_s=house.engines.calls.lag_s,
                cluster=house.cluster,
                files=house.files,
                traces=house.traces,
            )
            if house.gate is not None and on_code is not None:
                is_first = await asyncio.to_thread(house.gate.accounts.is_empty)
                if is_first or offers_code:
                    on_code(house.gate.offer_code(), is_first)
            going_on = asyncio.create_task(beside(house)) if beside else None
            yield
            if going_on is not None:
                going_on.cancel()
                await asyncio.gather(going_on, return_exceptions=True)

    app = FastAPI(
        title="智听 Zhiting",
        version=version("zhiting"),
        lifespan=lifespan,
        # FastAPI's own, which variables can switch on, would send paths and queries with numbers in them
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.add_middleware(BodyGuard)
    app.middleware("http")(note_changes)
    app.add_middleware(RateGuard)
    app.add_middleware(Counting)
    if settings.traces:
        app.add_middleware(TracedRequests)
    add_complaints(app)
    add_pages(app)
    document_refusals(app)
    return app


def serve(
    settings: Settings,
    on_ready: Callable[[str], None],
    *,
    engines_of: OpenEngines = open_engines,
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
    app = create_app(settings, engines_of, on_code=on_code, offers_code=offers_code)

    async def drain() -> None:
        await app.state.drain()

    def ready(address: str) -> None:
        set_aside()
        on_ready(address)

    listen(
        app,
        host=settings.host,
        port=settings.port,
        max_message_bytes=MAX_MESSAGE_BYTES,
        on_ready=ready,
        certificate=(cert, key) if cert and key else None,
        fit_tls=settings.fit_tls,
        proxies=settings.proxies,
        drain=drain if settings.drain_s else None,
    )
