"""`zhiting evaluate`: how well it hears and how well it suggests, measured on calls that are known.

In: a folder of references and recordings. Out: tables, or JSON on standard output; exit code 2 and a
sentence where the folder is not one, 1 where something failed.
Not known here: how anything is counted (`docs/evaluation.md` defines it).
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from asr.transcriber import WhisperOptions
from asr.types import AsrError, BadAudio
from knowledge_base.importer import load_sample
from knowledge_base.types import KnowledgeError
from knowledge_base.versions import VersionFolder
from models.cache import resolve
from models.errors import WeightsError
from retrieval.assistant import CallAssistant
from retrieval.embedder import SentenceEmbedder
from retrieval.publishing import publish
from retrieval.searcher import Searcher
from retrieval.serving import take_up
from scripts import evaluate_asr, evaluate_retrieval
from scripts.call_data import BadData, ReferenceCall, read_calls, with_recordings
from scripts.transcripts import EarSettings, Transcripts, transcribe_calls
from server import Settings

app = typer.Typer(help="Measure hearing and suggesting on known calls.", no_args_is_help=True)
_console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)

Folder = Annotated[
    Path,
    typer.Argument(metavar="DIR", help="NAME.json beside NAME.wav, or recordings with a manifest.jsonl."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


@app.command()
def asr(folder: Folder, as_json: AsJson = False) -> None:
    """Character error rate of every leg of every call."""
    with _failing_politely():
        settings = Settings()
        calls = read_calls(folder)
        ears = _ears(settings)
        heard = _heard(calls, ears, settings)
        scores = [evaluate_asr.score_call(call, heard.segments[call.call_id]) for call in calls]
        told = evaluate_asr.report(scores, x_realtime=heard.x_realtime, settings=ears.told())
        _tell(told, [evaluate_asr.table(scores)], as_json=as_json)


@app.command()
def retrieval(
    folder: Folder,
    as_json: AsJson = False,
    recognised: Annotated[bool, typer.Option(help="Whether the recordings are listened to as well.")] = True,
) -> None:
    """Hits, silence, precision and churn of the cards, on reference text and on recognised text."""
    with _failing_politely():
        settings = Settings()
        calls = read_calls(folder)
        if recognised:
            with_recordings(calls)  # before anything that takes long
        heard = _heard(calls, _ears(settings), settings).segments if recognised else None
        told, tables = asyncio.run(_judge(calls, heard, settings))
        _tell(told, tables, as_json=as_json)


async def _judge(
    calls: list[ReferenceCall], heard: Any, settings: Settings
) -> tuple[dict[str, Any], list[Table]]:
    async with _open_matching(settings) as matching:
        day = settings.now().date()
        with _progress("reading calls", len(calls)) as advance:
            counts = await evaluate_retrieval.count_calls(
                calls,
                heard,
                open_assistant=CallAssistant,
                search=lambda query: matching.searcher.find(query, day=day),
                on_done=advance,
            )
        topics = {topic for call in calls for turn in call.turns for topic in turn.relevant_topics}
        told = matching.told() | {"day": day.isoformat(), "topics_without_article": matching.missing(topics)}
    return evaluate_retrieval.report(counts, told), evaluate_retrieval.tables(counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Matching:
    """The search that is judged, and over what."""

    searcher: Searcher
    is_sample: bool

    def told(self) -> dict[str, Any]:
        """The state of the knowledge base, in JSON form."""
        snapshot = self.searcher.snapshot
        assert snapshot is not None  # a version was taken up before this was made
        version = snapshot.version
        return {
            "kb_version": version.version,
            "kb_is_sample": self.is_sample,
            "articles": version.articles,
            "embedding_model": version.model,
        }

    def missing(self, topics: set[str]) -> list[str]:
        """Relevant topics that no search can find, because there is no such article."""
        snapshot = self.searcher.snapshot
        return sorted(topics - snapshot.place.keys()) if snapshot else sorted(topics)


@asynccontextmanager
async def _open_matching(settings: Settings) -> AsyncIterator[_Matching]:
    """Open the published knowledge base, or the sample where nothing has been published."""
    embedder = await asyncio.to_thread(SentenceEmbedder, _weights(settings, settings.embedding_model))
    versions = VersionFolder(settings.data_dir / "kb")
    is_sample = versions.current() is None
    if is_sample:
        _console.print("Nothing is published yet: the sample knowledge base is judged.")
        versions = VersionFolder(await asyncio.to_thread(_publish_sample, settings, embedder))
    searcher = Searcher(embedder)
    try:
        take_up(searcher, versions, embedder)
        yield _Matching(searcher=searcher, is_sample=is_sample)
    finally:
        searcher.close()


def _publish_sample(settings: Settings, embedder: SentenceEmbedder) -> Path:
    """Publish the sample beside the served knowledge base; quick where it has not changed."""
    folder = settings.data_dir / "evaluation" / "kb"
    folder.mkdir(parents=True, exist_ok=True)
    with Progress(console=_console) as progress:
        task = progress.add_task("embedding the sample", total=None)
        publish(
            load_sample(),
            embedder=embedder,
            folder=folder,
            now=settings.now(),
            progress=lambda done, total: progress.update(task, completed=done, total=total),
            keep=1,
        )
    return folder


def _ears(settings: Settings) -> EarSettings:
    return EarSettings(
        model=settings.speech_model,
        folder=_weights(settings, settings.speech_model),
        whisper=WhisperOptions(device=settings.device, compute_type=settings.compute_type),
        beam_size=settings.beam_size,
    )


def _weights(settings: Settings, name: str) -> Path:
    return resolve(
        name,
        cache_dir=settings.data_dir / "models",
        local_folder=settings.models_folder / name if settings.models_folder else None,
        allow_hub=settings.allow_hub,
        progress=_console.print,
    )


def _heard(calls: list[ReferenceCall], ears: EarSettings, settings: Settings) -> Transcripts:
    with _progress("hearing calls", len(calls)) as advance:
        place = settings.data_dir / "evaluation" / "transcripts"
        return asyncio.run(transcribe_calls(calls, ears, place, on_done=advance))


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[str], None]]:
    with Progress(console=_console) as progress:
        task = progress.add_task(what, total=total)
        yield lambda _call_id: progress.advance(task)


@contextmanager
def _failing_politely() -> Iterator[None]:
    for noisy in ("httpx", "sentence_transformers", "faster_whisper"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        yield
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        _console.print(f"setting {'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}")
        raise typer.Exit(2) from None
    except (BadData, BadAudio) as error:
        _console.print(error.message)
        raise typer.Exit(2) from None
    except (AsrError, KnowledgeError, WeightsError) as error:
        _console.print(error.message)
        raise typer.Exit(1) from None


def _tell(told: dict[str, Any], tables: list[Table], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1))
        return
    for each in tables:
        Console().print(each)
