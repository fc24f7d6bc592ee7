"""Measures what calls feel of a publish: suggestion latency before, during and after it.

In: how many articles, how many of them changed, how many calls.
Out: latencies of the search behind suggestions, in milliseconds, by phase; as a table or as JSON.
Not known here: recognition; what is measured runs beside whatever else the machine does.

    python -m scripts.measure_publishing --articles 20000 --changed 500 --calls 8 --json

The articles are the sample's, varied. All but the changed ones get random vectors beforehand (as if a former
publish had embedded them), so that preparing takes minutes and not hours; the changed ones are embedded by
the real model in a child process of lowest priority, as the server does it. Load and major faults (memory
read back from the disk) are told too: where others use the machine, look at `before` for what they cost.
"""

import asyncio
import json
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from agent_ui.settings import Settings
from agent_ui.upkeep import KB_LOOK_EVERY_S
from knowledge_base.importer import load_sample
from knowledge_base.passages import cut
from knowledge_base.press import Press
from knowledge_base.progress import Stage
from knowledge_base.store import ArticleStore
from knowledge_base.types import Article
from knowledge_base.versions import VersionFolder
from retrieval.publishing import publish
from retrieval.searcher import Searcher
from retrieval.serving import take_up
from retrieval.vector_files import VectorJournal
from retrieval.vectors import Embedder
from scripts.kb_parts import console, embedder_of, opened

_PAUSE_S = 1.5
"""Between two questions of one call: as often as a quick talker ends a turn."""


def varied(count: int) -> Iterator[Article]:
    """Articles like the sample's, each a little different."""
    sample = load_sample()
    for number in range(count):
        article = sample[number % len(sample)]
        yield replace(
            article,
            article_id=f"M{number:05}",
            title=f"{article.title}（{number}）",
            questions=tuple(f"{question}{number}" for question in article.questions),
        )


def main(
    articles: Annotated[int, typer.Option(min=10)] = 20_000,
    changed: Annotated[int, typer.Option(min=1)] = 500,
    calls: Annotated[int, typer.Option(min=1)] = 8,
    whole: Annotated[
        bool, typer.Option(help="Change every passage of the changed articles, not one question of each.")
    ] = False,
    calm_s: Annotated[float, typer.Option(min=5, help="How long is measured before and after.")] = 60.0,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Prepare a folder, publish into it while calls ask, tell the latencies."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings()
        models = settings.models_folder or settings.data_dir / "models"
        (Path(folder) / "models").symlink_to(models.resolve(), target_is_directory=True)
        edit = _reworded if whole else _with_another_question
        report = asyncio.run(
            _measure(
                settings.model_copy(update={"data_dir": Path(folder)}),
                articles,
                [edit(article) for article in islice(varied(articles), changed)],
                calls,
                calm_s,
            )
        )
    if as_json:
        typer.echo(json.dumps(report))
    else:
        for name, value in report.items():
            console.print(f"{name:<28}{value}")


def _with_another_question(article: Article) -> Article:
    return replace(article, questions=(f"改过的问法{article.article_id}", *article.questions[1:]))


def _reworded(article: Article) -> Article:
    return replace(
        article,
        title=f"新{article.title}",
        questions=tuple(f"新{question}" for question in article.questions),
        body="\n".join(f"新{line}" for line in article.body.splitlines()),
    )


async def _measure(
    settings: Settings, count: int, edited: Sequence[Article], calls: int, calm_s: float
) -> dict[str, float]:
    folder = settings.data_dir / "kb"
    folder.mkdir()
    wanted = list(varied(count))
    embedder = embedder_of(settings, threads=1)
    _pretend_embedded(wanted, folder, embedder)
    started = time.monotonic()
    first = publish(wanted, embedder=embedder, folder=folder, now=settings.now())
    report: dict[str, float] = {
        "articles": count,
        "passages": first.passages,
        "changed": len(edited),
        "calls": calls,
    }
    report["first_publish_s"] = round(time.monotonic() - started, 1)
    with opened(settings) as database:
        store = ArticleStore(database)
        store.upsert(wanted, now=settings.now())
        store.upsert(edited, now=settings.now())
    searcher, versions = Searcher(embedder), VersionFolder(folder)
    take_up(searcher, versions, embedder)
    press = Press(
        (sys.executable, "-m", "scripts.cli", "kb"),
        environment=settings.environment(),
        folder=folder,
        clock=settings.now,
    )
    phases: dict[str, list[float]] = {}
    faults: Counter[str] = Counter()
    report["load_at_start"] = round(os.getloadavg()[0], 1)
    questions = [question for article in load_sample() for question in article.questions]
    async with _calling(searcher, settings, questions, calls) as latencies:

        async def phase(name: str, seconds: float) -> None:
            faulted = resource.getrusage(resource.RUSAGE_SELF).ru_majflt
            await asyncio.sleep(seconds)
            faults[name] += resource.getrusage(resource.RUSAGE_SELF).ru_majflt - faulted
            phases.setdefault(name, []).extend(latencies)
            latencies.clear()

        await phase("warming", 5.0)
        await phase("before", calm_s)
        started = time.monotonic()
        press.publish()
        while press.state().is_running:
            await phase("publishing", KB_LOOK_EVERY_S)
        report["publish_s"] = round(time.monotonic() - started, 1)
        if press.state().stage is not Stage.DONE:
            raise SystemExit(f"publishing failed: {press.state().message}")
        started = time.monotonic()
        loading = asyncio.create_task(asyncio.to_thread(take_up, searcher, versions, embedder))
        while not loading.done():
            await phase("taking_up", 0.5)
        await loading
        report["take_up_s"] = round(time.monotonic() - started, 1)
        await phase("after", calm_s)
    searcher.close()
    for name in ("before", "publishing", "taking_up", "after"):
        report[f"{name}_searches"] = len(phases[name])
        if not phases[name]:
            continue
        for label, share in (("p50", 50), ("p95", 95), ("max", 100)):
            report[f"{name}_{label}_ms"] = round(float(np.percentile(phases[name], share)), 1)
        report[f"{name}_major_faults"] = faults[name]
    report["load_at_end"] = round(os.getloadavg()[0], 1)
    return report


def _pretend_embedded(articles: Sequence[Article], folder: Path, embedder: Embedder) -> None:
    """Leave random vectors behind, as a killed publish leaves those that it made."""
    chance = np.random.default_rng(7)
    with VectorJournal(folder / ".vectors", model=embedder.name, dimension=embedder.dimension) as journal:
        for article in articles:
            hashes = [passage.content_hash for passage in cut(article)]
            vectors = chance.standard_normal((len(hashes), embedder.dimension)).astype(np.float32)
            journal.add(zip(hashes, vectors / np.linalg.norm(vectors, axis=1, keepdims=True), strict=True))


@asynccontextmanager
async def _calling(
    searcher: Searcher, settings: Settings, questions: Sequence[str], calls: int
) -> AsyncIterator[list[float]]:
    """Let so many calls ask one question after the other; gives the list that the latencies go to."""
    latencies: list[float] = []

    async def call(number: int) -> None:
        await asyncio.sleep(_PAUSE_S * number / calls)
        for turn in range(10**6):
            # A number makes each question new: an embedding that is remembered would cost nothing.
            question = f"{questions[(number * 997 + turn) % len(questions)]}{number}{turn}"
            started = time.monotonic()
            await searcher.find(question, day=settings.now().date())
            latencies.append((time.monotonic() - started) * 1000)
            await asyncio.sleep(_PAUSE_S)

    tasks = [asyncio.create_task(call(number)) for number in range(calls)]
    try:
        yield latencies
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    typer.run(main)
