"""Wires the house: settings, life cycle, routes. The only file that knows everybody.

In: settings from the environment. Out: an ASGI application, or a running server.
Not known here: how anything is done; every line of work lives in a package.
"""

import asyncio
import fcntl
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Protocol
from zoneinfo import ZoneInfo

import uvicorn
from fastapi import Depends, FastAPI, Query, Request, Response, WebSocket
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

import agent_ui
from agent_ui.access import TokenRule, is_loopback
from agent_ui.hub import Hub
from agent_ui.rest import rest_router
from agent_ui.screens import Desk
from asr.segmenter import SegmenterOptions
from asr.stream import recognise_call
from asr.transcriber import WhisperOptions, WhisperTranscriber
from asr.types import AudioFrame, Party, Segment
from asr.vad import SileroDetector
from asr.worker import PoolOptions, RecognitionPool
from calls.commands import Commands
from calls.ingest.websocket import MAX_MESSAGE_BYTES, carry
from calls.journal import Journal
from calls.line import LineOptions
from calls.session import Assistant
from calls.session import Engines as CallEngines
from calls.switchboard import Switchboard, SwitchboardOptions
from calls.types import KbPublished, Stream
from knowledge_base.database import migrate, open_database
from knowledge_base.store import ArticleStore
from models.cache import resolve
from retrieval.assistant import CallAssistant
from retrieval.embedder import SentenceEmbedder
from retrieval.searcher import Searcher
from retrieval.types import Match
from retrieval.types import Query as Need

log = logging.getLogger("zhiting")

STATIC = Path(agent_ui.__file__).parent / "static"
KB_LOOK_EVERY_S = 2.0
"""How often the server looks whether another process has published."""


class Settings(BaseSettings):
    """Everything that can be set; each field is `ZHITING_` + its name in the environment."""

    model_config = SettingsConfigDict(env_prefix="ZHITING_", env_file=".env", extra="ignore")

    data_dir: Path = Path("var")
    """One place for all data: database, knowledge base versions, audio, weights."""
    host: str = "127.0.0.1"
    """Address to listen on. Anything but loopback needs `token`."""
    port: int = Field(default=8300, ge=0, le=65535)
    """Port to listen on; 0 takes a free one."""
    token: str | None = Field(default=None, min_length=16)
    """Bearer token that REST and sockets ask for; without one, anybody on this machine may come in."""
    timezone: str = "Asia/Shanghai"
    """Time zone of times shown and of what "today" means."""
    speech_model: str = "whisper-base"
    """Name in the weights manifest, a folder, or the hub name of a faster-whisper model."""
    embedding_model: str = "e5-small"
    """Name in the weights manifest, a folder, or the hub name of a sentence-transformers model."""
    models_folder: Path | None = None
    """Folder to look for weights in before packages and hub."""
    allow_hub: bool = True
    """Whether weights may be fetched from a model hub where neither folder nor package has them."""
    device: str = "auto"
    """`cpu`, `cuda` or `auto`."""
    compute_type: str = "default"
    """Number format of the speech model; `default` is int8 on a CPU and float16 on a GPU."""
    beam_size: int = Field(default=5, ge=1, le=10)
    """Hypotheses followed when a final is recognised; 1 is quickest."""
    max_calls: int = Field(default=32, ge=1)
    """Calls running at once; more are refused."""
    lost_after_s: float = Field(default=60.0, ge=0)
    """Seconds that a call stays open after its line vanished."""
    resumable_s: float = Field(default=600.0, ge=0)
    """Seconds after a restart within which an interrupted call may be taken up again."""
    min_free_mb: int = Field(default=200, ge=0)
    """Free disk space, in megabytes, below which no new call is admitted."""

    @model_validator(mode="after")
    def _is_guarded(self) -> "Settings":
        if not is_loopback(self.host) and self.token is None:
            raise ValueError(
                f"refusing to listen on {self.host} without a token: "
                "set ZHITING_TOKEN (16 characters or more), or listen on 127.0.0.1"
            )
        ZoneInfo(self.timezone)
        return self

    def now(self) -> datetime:
        """The present moment in the configured time zone."""
        return datetime.now(ZoneInfo(self.timezone))


class Ears(Protocol):
    """What the house needs of the speech engine."""

    def recognise(
        self, frames: AsyncIterator[AudioFrame], numbers: Mapping[Party, int]
    ) -> AsyncIterator[Segment]:
        """Frames of one call → its segments; `numbers` are the last utterance numbers so far."""


class Memory(Protocol):
    """What the house needs of the knowledge base's search."""

    @property
    def version(self) -> str | None:
        """Name of the version that answers now."""

    def refresh(self) -> bool:
        """Take up a version published meanwhile; True where there was one. Blocking."""

    async def search(self, need: Need) -> Sequence[Match]:
        """Search with the dialogue of a call."""

    async def search_text(self, text: str, k: int) -> Sequence[Match]:
        """Search with a typed question."""

    def open_assistant(self, call_id: str) -> Assistant:
        """An assistant for one call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """The two engines that need weights."""

    ears: Ears
    memory: Memory


OpenEngines = Callable[[Settings], AbstractAsyncContextManager[Engines]]


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What is open while the server runs."""

    settings: Settings
    journal: Journal
    hub: Hub
    switchboard: Switchboard
    commands: Commands
    desk: Desk
    articles: ArticleStore
    engines: Engines


@asynccontextmanager
async def open_house(settings: Settings, open_engines: OpenEngines) -> AsyncIterator[House]:
    """Open everything in the order of the data, and close it in reverse."""
    data = settings.data_dir
    data.mkdir(parents=True, exist_ok=True)
    with claim(data):
        database = open_database(data / "zhiting.db")
        await asyncio.to_thread(migrate, database)
        async with open_engines(settings) as engines:
            hub = Hub(clock=settings.now)
            journal = Journal(database, hub.tell)
            hub.read_from(journal)
            journal.start()
            switchboard = Switchboard(
                journal=journal,
                engines=CallEngines(recognise=engines.ears.recognise, search=engines.memory.search),
                open_assistant=engines.memory.open_assistant,
                publish=hub.tell_partial,
                audio_folder=data / "audio",
                clock=settings.now,
                options=SwitchboardOptions(
                    max_calls=settings.max_calls,
                    lost_after_s=settings.lost_after_s,
                    resumable_s=settings.resumable_s,
                    min_free_bytes=settings.min_free_mb * 1_000_000,
                ),
                line_options=LineOptions(),
            )
            await switchboard.recover()
            commands = Commands(journal=journal, switchboard=switchboard, clock=settings.now)
            watch = asyncio.create_task(
                _watch_versions(engines.memory, switchboard), name="knowledge base versions"
            )
            try:
                yield House(
                    settings=settings,
                    journal=journal,
                    hub=hub,
                    switchboard=switchboard,
                    commands=commands,
                    desk=Desk(hub=hub, commands=commands, answer=engines.memory.answer, clock=settings.now),
                    articles=ArticleStore(database),
                    engines=engines,
                )
            finally:
                watch.cancel()
                await switchboard.close()
                await journal.stop()
                database.dispose()
