"""Traces of the real application at a real receiver of OTLP: what is in them, and what never is."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from pydantic import ValidationError

from agent_ui.settings import Settings
from agent_ui.traces import Traces
from agent_ui.tracing import DETAILS, attributes, open_tracing
from agent_ui.watch_settings import TraceOptions
from asr.timing import FinalHeard
from calls.watching import unwatched
from knowledge_base.press import Press
from knowledge_base.progress import Stage
from tests.asr_parts import LengthTranscriber
from tests.conftest import Clock
from tests.house import START, Script, receive, receive_until, running, send
from tests.real_server import ROOT, free_port
from tests.test_jobs import Desk, call
from tests.test_metrics import values
from tests.test_remote_ears import A, B, final, listening
from tests.test_webhooks import receiving
from tests.trace_parts import (
    ASKED,
    CALLER,
    SAID,
    WRITTEN,
    Collector,
    SayingTranscriber,
    collecting,
    details,
    leaked,
    open_saying,
    search,
    speech,
)
from tests.waiting import until_true

CARRIER = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"
OTHERS = {"http.request.method", "http.route", "http.response.status_code", "error.type"}
ALLOWED = OTHERS | {f"zhiting.{name}" for name in DETAILS}


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spans need not wait for five seconds here."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "2")


def saying(script: Script, transcriber: SayingTranscriber | None = None) -> Callable[..., object]:
    return partial(open_saying, script=script, transcriber=transcriber or SayingTranscriber())


async def has(collector: Collector, *names: str) -> None:
    await until_true(lambda: all(collector.named(name) for name in names))


def lasts(span: Span) -> int:
    return int(span.end_time_unix_nano - span.start_time_unix_nano)


async def test_a_whole_call_is_traced_and_not_a_word_of_it_leaves(tmp_path: Path) -> None:
    script = Script(suggests={WRITTEN: ("T001",)}, search=search)
    with collecting() as collector:
        async with (
            receiving() as other,
            running(tmp_path, engines_of=saying(script), traces=collector.url) as house,  # type: ignore[arg-type]
            httpx.AsyncClient(base_url=house.url, timeout=60) as client,
        ):
            hook = {"name": "李坐席", "url": f"{other.url}?{CALLER}", "events": ["segment.shown"]}
            assert (await client.post("/v1/webhooks", json=hook)).status_code == 201
            async with house.socket("/v1/calls/audio", additional_headers={"traceparent": CARRIER}) as line:
                await send(line, START | {"call_id": "c-1", "operator_id": "027", "caller": CALLER})
                await receive(line)
                await line.send(speech())
                await send(line, {"type": "stop"})
                await receive_until(line, lambda message: message["type"] == "ended")
            await client.get("/v1/search", params={"q": ASKED})
            await client.get("/v1/calls/c-1")
            await client.get(f"/{CALLER}")
            async with house.socket(f"/v1/screens/calls/c-1?since=0&{CALLER}") as screen:
                said = await receive(screen)
            assert "王小明" in str(said), "the words are there, for those who may see them"
            await other.has(2)
            await has(collector, "webhook", "cards.tell", "GET /v1/search", "wrapup.draft")
        assert collector.bodies
        assert [leaked(body) for body in collector.bodies if leaked(body)] == []
        assert all(set(details(span)) <= ALLOWED for span in collector.spans)
        assert not any(span.events or span.status.message for span in collector.spans)
        assert set(collector.paths) == {"/v1/traces"}
        finals = collector.named("final")
        assert [details(one)["zhiting.segment_id"] for one in finals] == ["citizen-1", "citizen-2"]
        socket = collector.named("WS /v1/calls/audio")[0]
        assert socket.trace_id.hex() == "ab" * 16, "the carrier's trace goes on"
        for one in finals:
            parts = collector.children(one)
            way = [span for span in parts if span.name.startswith("final.")]
            assert [span.name for span in way] == [
                f"final.{part}" for part in ("queue", "decode", "text", "commit", "tell")
            ]
            assert abs(sum(map(lasts, way)) - lasts(one)) < 1_000, "nothing of the way is missing"
            shown = ("commit", "tell") * (2 if one is finals[0] else 0)  # so the script names its segment
            assert [span.name for span in parts if span not in way] == [
                f"cards.{part}" for part in ("search", "advise", *shown)
            ]
            assert one.links[0].trace_id == socket.trace_id
            assert details(way[1])["zhiting.together"] == 1
        names = {span.name for span in collector.spans}
        assert {"GET /v1/calls/{call_id}", "POST /v1/webhooks"} <= names
        assert not any(CALLER in name or "since" in name for name in names)


async def test_a_webhook_brings_the_trace_of_its_delivery(tmp_path: Path) -> None:
    with collecting() as collector:
        async with (
            receiving() as other,
            running(tmp_path, traces=collector.url) as house,
            httpx.AsyncClient(base_url=house.url, timeout=60) as client,
        ):
            made = (await client.post("/v1/webhooks", json={"name": "甲", "url": other.url})).json()
            other.answer = lambda event_id: 503 if other.tries == 1 else 204
            await client.post(f"/v1/webhooks/{made['receiver_id']}/ping")
            await client.post("/v1/orders", json={"type": "求助", "summary": "路灯不亮"})
            await until_true(lambda: len(collector.named("webhook")) >= 1)
        spans = {span.span_id.hex(): span for span in collector.named("webhook")}
        first = next(iter(spans.values()))
        assert (details(first)["error.type"], first.status.code) == ("http 503", Status.STATUS_CODE_ERROR)
        for headers, _ in other.got:
            _, trace_id, span_id, _ = headers["traceparent"].split("-")
            assert spans[span_id].trace_id.hex() == trace_id


async def test_a_file_of_a_job_is_traced(tmp_path: Path) -> None:
    with collecting() as collector:
        async with (
            running(tmp_path, Script(transcriber=LengthTranscriber()), traces=collector.url) as house,
            httpx.AsyncClient(base_url=house.url, timeout=60) as client,
        ):
            desk = Desk(client)
            job_id = (await desk.leave(call(1), b"no recording", name="李坐席"))["job_id"]
            await desk.over(job_id)
        files = {details(span)["zhiting.number"]: span for span in collector.named("job.file")}
        assert set(files) == {1, 2}
        assert details(files[1])["zhiting.sound_s"] == pytest.approx(6.4, abs=1)
        assert details(files[2])["error.type"].startswith("asr.file_")
        assert [leaked(body) for body in collector.bodies if leaked(body)] == []


async def test_a_publish_is_traced_and_its_process_knows_the_trace(tmp_path: Path, clock: Clock) -> None:
    told = tmp_path / "told"
    command = (sys.executable, "-c", f"import os; open({str(told)!r}, 'w').write(os.environ['TRACEPARENT'])")
    with collecting() as collector:
        async with open_tracing(TraceOptions(address=collector.url), process_id="p") as tracing:
            press = Press(
                command,
                environment={},
                folder=tmp_path,
                clock=clock,
                around=Traces(watch=tracing.watch).around,
            )
            press.publish()
            await until_true(told.exists)
            await until_true(lambda: press.state().stage is not Stage.STARTING)
        span = collector.named("kb.publish")[0]
        assert told.read_text().split("-")[1:3] == [span.trace_id.hex(), span.span_id.hex()]


@pytest.mark.parametrize("share", [0.0, 1.0])
async def test_a_share_is_kept_and_what_a_caller_follows_always(tmp_path: Path, share: float) -> None:
    script = Script(suggests={WRITTEN: ("T001",)}, search=search)
    with collecting() as collector:
        async with (
            running(
                tmp_path,
                engines_of=saying(script),  # type: ignore[arg-type]
                traces=f"{collector.url}/",
                traces_share=share,
            ) as house,
            httpx.AsyncClient(base_url=house.url, timeout=60) as client,
        ):
            async with house.socket("/v1/calls/audio") as line:
                await send(line, START)
                await receive(line)
                await line.send(speech(1))
                await send(line, {"type": "stop"})
                await receive_until(line, lambda message: message["type"] == "ended")
            await client.get("/v1/calls")
            await client.get("/v1/orders", headers={"traceparent": CARRIER, "tracestate": f"a={CALLER}"})
        names = {span.name for span in collector.spans}
        assert ("GET /v1/calls" in names, "final" in names, "cards.search" in names) == (share == 1,) * 3
        followed = collector.named("GET /v1/orders")[0]
        assert (followed.trace_id.hex(), followed.parent_span_id.hex()) == ("ab" * 16, "cd" * 8)
        assert [leaked(body) for body in collector.bodies if leaked(body)] == []


async def test_a_collector_that_is_away_disturbs_no_call_and_what_it_missed_is_counted(
    tmp_path: Path,
) -> None:
    script = Script(suggests={WRITTEN: ("T001",)}, search=search)
    gone = f"http://127.0.0.1:{free_port()}"
    async with (
        running(tmp_path, engines_of=saying(script), traces=gone) as house,  # type: ignore[arg-type]
        httpx.AsyncClient(base_url=house.url, timeout=60) as client,
    ):
        async with house.socket("/v1/calls/audio") as line:
            await send(line, START | {"call_id": "c-1"})
            await receive(line)
            await line.send(speech(2))
            await send(line, {"type": "stop"})
            await receive_until(line, lambda message: message["type"] == "ended")
        called = (await client.get("/v1/calls/c-1")).json()
        assert len(called["segments"]) == 2

        async def is_counted() -> bool:
            return values((await client.get("/metrics")).text)["zhiting_traces_lost_total"] > 0

        await until_true(is_counted)


async def test_spans_that_wait_are_bounded_and_the_end_does_not_wait_for_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with collecting() as collector:
        collector.goes_on.clear()
        async with open_tracing(TraceOptions(address=collector.url), process_id="p", most=16) as tracing:
            for number in range(40):
                with tracing.watch("job.file", number=number):
                    pass
            assert tracing.figures().lost == 24
            collector.goes_on.set()
            await until_true(lambda: tracing.figures().sent == 16)
            with tracing.watch("job.file", number=40):
                pass
            await until_true(lambda: tracing.figures().sent == 17)
            collector.status = 400
            with tracing.watch("job.file", number=41):
                pass
            await until_true(lambda: tracing.figures().lost == 25)
            collector.goes_on.clear()
            with tracing.watch("job.file", number=42):
                pass
        assert threading.active_count() < 50
    assert "traces are not taken by the collector" in caplog.text


async def test_a_final_names_the_ear_that_decoded_it() -> None:
    heard: list[FinalHeard] = []
    async with listening() as (pool, link, _):
        pool.timing.listen(heard.append)
        link.come(A)
        work = final(pool)
        await until_true(lambda: len(link.given) == 1)
        link.answer(link.given[0])
        await work
        link.come(B)
    assert heard[0].decoding is not None
    assert (heard[0].decoding.ear, heard[0].decoding.together) == ("a/1", 1)
    assert heard[0].closed_s <= heard[0].decoding.began_s <= heard[0].decoding.ended_s


async def test_only_what_is_on_the_list_gets_into_a_span_and_errors_say_nothing() -> None:
    with pytest.raises(KeyError):
        attributes({"text": SAID})
    with collecting() as collector:
        async with open_tracing(TraceOptions(address=collector.url), process_id="p") as tracing:
            with pytest.raises(ValueError, match="王小明"), tracing.watch("job.file", number=1):
                raise ValueError(SAID)
        span = collector.named("job.file")[0]
        assert (details(span)["error.type"], span.status.code) == ("ValueError", Status.STATUS_CODE_ERROR)
        assert [leaked(body) for body in collector.bodies if leaked(body)] == []


async def test_without_the_setting_nothing_is_sent_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FastAPI has traces, metrics and logs of its own, with paths and queries; they stay off."""
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
        async with (
            running(tmp_path) as house,
            httpx.AsyncClient(base_url=house.url, timeout=60) as client,
        ):
            assert (await client.get("/v1/search", params={"q": ASKED})).status_code == 200
            assert values((await client.get("/metrics")).text)["zhiting_traces_sent_total"] == 0
        assert collector.paths == []


def test_without_the_setting_nothing_of_it_is_imported() -> None:
    """What the house and its routes import; FastAPI itself brings OpenTelemetry's interfaces alone."""
    look = (
        "import sys, agent_ui.house, agent_ui.traced_requests, agent_ui.routes\n"
        "found = [m for m in sys.modules if m.startswith(('opentelemetry.sdk', 'opentelemetry.exporter'))]\n"
        "assert not found and 'agent_ui.tracing' not in sys.modules, found"
    )
    subprocess.run([sys.executable, "-c", look], cwd=ROOT, check=True, timeout=300)


@pytest.mark.parametrize("address", ["collector:4318", "ftp://collector", "http://", "http://c:4318/?key=1"])
def test_an_address_that_cannot_be_one_is_refused(address: str) -> None:
    with pytest.raises(ValidationError, match="traces must be an address"):
        Settings(traces=address, _env_file=None)  # type: ignore[call-arg]


def test_without_the_extra_traces_are_refused_and_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk", None)
    with pytest.raises(ValidationError, match=r"pip install 'zhiting\[traces\]'"):
        Settings(traces="http://collector:4318", _env_file=None)  # type: ignore[call-arg]


async def test_steps_that_nobody_looks_at_cost_next_to_nothing() -> None:
    with unwatched("job.file", number=1) as step:
        step.note(sound_s=1.0)
        step.fail("x")
    assert step.headers == {}
    assert unwatched("a") is unwatched("b")
    await asyncio.sleep(0)
