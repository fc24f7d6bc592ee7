"""Parts for the tests of traces and logs: a collector, and ears that hear words nobody else may see."""

import gzip
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from agent_ui.engines import Engines
from agent_ui.settings import Settings
from agent_ui.tuning import Tuning
from asr.pool_options import PoolOptions
from asr.stream import recognise_call
from asr.text import readable
from asr.types import Hypothesis, Samples
from asr.worker import RecognitionPool
from retrieval.types import Findings, Query
from tests.asr_parts import LengthTranscriber, LoudnessDetector, loud, quiet
from tests.house import Script

NUMBER, CALLER = "13812345678", "15987654321"
SAID = f"我叫王小明，住在幸福路八十八号，电话是{NUMBER}。"
WRITTEN = readable(SAID, is_final=True, keep_fillers=True)
ASKED = "低保怎么申请"
SECRETS = ("王小明", "幸福路", NUMBER, CALLER, ASKED, "低保", "标题T001", "李坐席")
"""What was said, who called, what was asked and found: for the database and for screens alone."""


class SayingTranscriber(LengthTranscriber):
    """Hears the same in every clip, and may break with it in its mouth."""

    def __init__(self, *, breaks_from_s: float = 1e9) -> None:
        super().__init__()
        self._breaks_from_s = breaks_from_s

    def hear(self, clip: Samples) -> Hypothesis:
        if len(clip) / 16_000 >= self._breaks_from_s:
            raise ValueError(SAID)
        return Hypothesis(text=SAID, avg_logprob=-0.2, no_speech_prob=0.1)


@asynccontextmanager
async def open_saying(
    settings: Settings, tuning: Callable[[], Tuning], *, script: Script, transcriber: SayingTranscriber
) -> AsyncIterator[Engines]:
    """Engines of a script, but for ears that are real down to what decodes."""
    async with (
        RecognitionPool(transcriber, PoolOptions(workers=1)) as pool,
        script.open_engines(settings, tuning) as engines,
    ):
        calls = replace(
            engines.calls,
            recognise=lambda call_id, frames, numbers: recognise_call(
                frames, pool=pool, detector=LoudnessDetector()
            ),
        )
        yield replace(engines, calls=calls, watch_finals=pool.timing.listen)


def speech(utterances: int = 2, seconds: float = 6.0) -> bytes:
    """So many utterances on one leg, as 16 kHz PCM."""
    samples = np.concatenate([part for _ in range(utterances) for part in (loud(seconds, 0.4), quiet(1.6))])
    return (samples * 32_767).astype("<i2").tobytes()


async def search(query: Query) -> Findings:
    return Findings(kb_version="v1", matches=())


def leaked(content: bytes | str) -> list[str]:
    """Which secrets stand in it."""
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    return [secret for secret in SECRETS if secret in text]


@dataclass
class Collector:
    """A real HTTP server that takes spans; it may refuse them, or keep who sends them waiting."""

    status: int = 200
    goes_on: threading.Event = field(default_factory=threading.Event)
    bodies: list[bytes] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def spans(self) -> list[Span]:
        found = []
        for body in list(self.bodies):
            request = ExportTraceServiceRequest()
            request.ParseFromString(body)
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    found += scope.spans
        return found

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]

    def children(self, parent: Span) -> list[Span]:
        own = [span for span in self.spans if span.parent_span_id == parent.span_id]
        return sorted(own, key=lambda span: span.start_time_unix_nano)


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a free port."""
    collector = Collector()
    collector.goes_on.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            collector.goes_on.wait(120)
            collector.paths.append(self.path)
            collector.headers.append(dict(self.headers))
            if collector.status == 200:
                collector.bodies.append(body)
            self.send_response(collector.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # who sends has given up

    server = Server(("127.0.0.1", 0), Handler)
    collector.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        collector.goes_on.set()
        server.shutdown()
        server.server_close()
        thread.join()


def details(span: Span) -> dict[str, Any]:
    """Its attributes."""
    return {one.key: getattr(one.value, str(one.value.WhichOneof("value"))) for one in span.attributes}
