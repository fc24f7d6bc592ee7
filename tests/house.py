"""The real application on a real port, with scripted engines behind it.

In: settings. Out: an address. Weights are left out; the database, the sockets and the journal are real.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from websockets.asyncio.client import ClientConnection, connect

from agent_ui.engines import Engines, OpenEngines
from agent_ui.figures import EarFigures, WeightFigures
from agent_ui.lexicon_rest import Tried, Try
from agent_ui.listening import configured
from agent_ui.settings import Settings
from agent_ui.system_desk import Insight
from agent_ui.tuning import Tuning
from asr.pool_stats import PoolStats
from asr.transcriber import Transcriber
from asr.types import EarsFull
from calls.forms.engines import LateEngine
from calls.ingest.websocket import MAX_MESSAGE_BYTES
from calls.session import Engines as CallEngines
from calls.session import Recognise
from calls.wrapup.draft import Lore
from knowledge_base.types import Version
from retrieval.explaining import Search, explain
from retrieval.judge import shipped_judge
from retrieval.types import Findings
from retrieval.vectors import Vector
from server import create_app
from tests.asr_parts import LengthTranscriber, ears_for_recordings
from tests.call_parts import ScriptedAssistant, find_nothing, hear_seconds
from tests.databases import prepare

PUBLISHED_AT = datetime(2026, 3, 5, 10, 15, tzinfo=UTC)
SERVED = Version(
    version="v1",
    published_at=PUBLISHED_AT,
    articles=2,
    passages=3,
    model="scripted",
    dimension=8,
    content_hash="0" * 64,
)
EARS = EarFigures(
    engine="scripted",
    model="scripted",
    device="cpu",
    compute_type=None,
    workers=1,
    refuse_lag_s=5.0,
    stats=PoolStats(
        calls=0,
        queued_finals=0,
        queued_partials=0,
        oldest_final_s=0.0,
        load=0.0,
        finals=0,
        partials=0,
        partials_dropped=0,
        finals_reused=0,
        rejected=0,
        failed=0,
        batches=0,
        mean_batch=0.0,
        decoded_s=0.0,
    ),
)


@dataclass
class Script:
    """What the scripted engines do, and what they were told."""

    suggests: dict[str, tuple[str, ...]] = field(default_factory=dict)
    max_calls: int = 100
    answer: Findings | Exception = field(default_factory=lambda: Findings(kb_version="v1", matches=()))
    """What every typed question finds, or what the search breaks with."""
    recognise: Recognise = hear_seconds
    try_words: Try = lambda text: Tried(text=text, corrections=(), is_current=True)
    """What the ears would put right in a text."""
    search: Search = find_nothing
    """What the dialogue of a call, or one that is tried out, finds."""
    transcriber: Transcriber = field(default_factory=LengthTranscriber)
    """Hears recordings."""
    embed: Callable[[str], Vector] = lambda text: np.eye(8, dtype=np.float32)[len(text) % 8]
    lore: Callable[[], Lore | None] = lambda: None
    """What drafts of wrap-ups are made with; without it there are none."""
    ears: EarFigures = EARS
    deaf_s: float = 0.0
    """For how long nothing has been there to recognise calls."""
    late: LateEngine | None = None
    assistants: list[ScriptedAssistant] = field(default_factory=list)
    admitted: set[str] = field(default_factory=set)

    @asynccontextmanager
    async def open_engines(self, settings: Settings, tuning: Callable[[], Tuning]) -> AsyncIterator[Engines]:
        async def find(text: str, k: int) -> Findings:
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

        def admit(call_id: str) -> None:
            if len(self.admitted) >= self.max_calls:
                raise EarsFull("full")
            self.admitted.add(call_id)

        def open_assistant(call_id: str) -> ScriptedAssistant:
            self.assistants.append(ScriptedAssistant(self.suggests))
            return self.assistants[-1]

        async with ears_for_recordings(self.transcriber) as recorded:
            yield Engines(
                calls=CallEngines(
                    recognise=self.recognise,
                    admit=admit,
                    release=self.admitted.discard,
                    search=self.search,
                    lag_s=lambda call_id: 0.0,
                ),
                open_assistant=open_assistant,
                embed=self.embed,
                embed_texts=None,
                find=find,
                explain=lambda turns: explain(
                    turns, search=self.search, judge=shipped_judge(), advisor_options=tuning().of_cards
                ),
                recorded=recorded,
                lore=self.lore,
                late=self.late,
                deaf_s=lambda: self.deaf_s,
                refresh=lambda: None,
                insight=Insight(
                    ears=lambda: self.ears,
                    served=lambda: SERVED,
                    words_in_use=lambda: 0,
                    try_words=self.try_words,
                    weights=(
                        WeightFigures(
                            name="scripted", folder=settings.data_dir, digest="ab" * 32, is_pinned=True
                        ),
                    ),
                ),
            )


@dataclass
class House:
    """Where the application listens."""

    port: int
    token: str | None = None
    codes: list[str] = field(default_factory=list)
    """The one-time codes that were printed."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def socket(self, path: str, **options: Any) -> connect:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= options.pop("additional_headers", {})
        patience = {"open_timeout": WAIT_S, "ping_timeout": None, "close_timeout": WAIT_S}
        url = f"ws://127.0.0.1:{self.port}{path}"
        return connect(url, additional_headers=headers, **patience | options)


@asynccontextmanager
async def running(
    data_dir: Path,
    script: Script | None = None,
    *,
    on_port: int = 0,
    engines_of: OpenEngines | None = None,
    **changes: Any,
) -> AsyncIterator[House]:
    """Run the application within this loop; `changes` are settings, `engines_of` opens real engines."""
    changes = {"open": "token" not in changes} | changes
    settings = Settings(data_dir=data_dir, _env_file=None, **changes)  # type: ignore[call-arg]
    codes: list[str] = []
    prepare(settings.database)
    app = create_app(
        settings,
        engines_of or (script or Script()).open_engines,
        on_code=lambda code, is_first: codes.append(code),
    )
    config = configured(
        app,
        host="127.0.0.1",
        port=on_port,
        max_message_bytes=MAX_MESSAGE_BYTES,
        timeout_keep_alive=60,  # longer than clients keep a line: it must not go when it is used again
        timeout_graceful_shutdown=15,  # a page may be opening a socket just when the house closes
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        if serving.done():
            await serving
            raise RuntimeError("the application did not start")
        await asyncio.sleep(0.01)
    try:
        yield House(port=server.servers[0].sockets[0].getsockname()[1], token=settings.token, codes=codes)
    finally:
        server.should_exit = True
        await serving


WAIT_S = 60.0
"""For what must come at last; a busy machine is no failure."""

START = {"type": "start", "encoding": "pcm_s16le", "sample_rate": 16000, "channels": ["citizen"]}


def sound(seconds: float, channels: int = 1) -> bytes:
    """Quiet noise of that length at 16 kHz."""
    noise = np.random.default_rng(7).integers(-200, 200, round(seconds * 16_000) * channels)
    return noise.astype("<i2").tobytes()


async def send(line: ClientConnection, message: dict[str, Any]) -> None:
    await line.send(json.dumps(message))


async def receive(line: ClientConnection, *, wait_s: float = WAIT_S) -> dict[str, Any]:
    async with asyncio.timeout(wait_s):
        message: dict[str, Any] = json.loads(await line.recv())
        return message


async def receive_until(
    line: ClientConnection, is_it: Callable[[dict[str, Any]], bool], *, wait_s: float = WAIT_S
) -> list[dict[str, Any]]:
    """Everything up to and including the first message that is it."""
    messages = []
    async with asyncio.timeout(wait_s):
        async for text in line:
            messages.append(json.loads(text))
            if is_it(messages[-1]):
                break
    return messages
