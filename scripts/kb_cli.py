"""`zhiting kb`: bring knowledge in, publish it, look something up.

In: files of articles, questions. Out: tables and sentences; exit code 1 where something failed.
Not known here: how files are read, articles kept and versions made.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from knowledge_base.database import migrate, open_database
from knowledge_base.importer import load_sample, read_articles
from knowledge_base.store import ArticleStore
from knowledge_base.types import KnowledgeError
from knowledge_base.versions import VersionFolder
from models.cache import resolve
from models.errors import WeightsError
from retrieval.embedder import EmbedderOptions, SentenceEmbedder
from retrieval.publishing import publish
from retrieval.searcher import Searcher
from retrieval.serving import take_up
from server import Settings

app = typer.Typer(help="Knowledge base: import, publish, search, versions.", no_args_is_help=True)
_console = Console(highlight=False, soft_wrap=True)


@contextmanager
def _store(settings: Settings) -> Iterator[ArticleStore]:
    database = open_database(settings.data_dir / "zhiting.db")
    try:
        migrate(database)
        yield ArticleStore(database)
    finally:
        database.dispose()


@contextmanager
def _failing_politely() -> Iterator[None]:
    try:
        yield
    except (KnowledgeError, WeightsError) as error:
        _console.print(str(error))
        raise typer.Exit(1) from None


def _embedder(settings: Settings) -> SentenceEmbedder:
    folder = resolve(
        settings.embedding_model,
        cache_dir=settings.data_dir / "models",
        local_folder=settings.models_folder / settings.embedding_model if settings.models_folder else None,
        allow_hub=settings.allow_hub,
    )
    # Nobody is on the telephone here: every core may embed.
    return SentenceEmbedder(folder, EmbedderOptions(threads=os.cpu_count() or 1))


@app.command("import")
def import_articles(
    files: Annotated[list[Path] | None, typer.Argument(help="JSON Lines or CSV files.")] = None,
    sample: Annotated[bool, typer.Option("--sample", help="Import the 160 sample articles.")] = False,
) -> None:
    """Bring articles into the store; they are found once they are published."""
    if not files and not sample:
        raise typer.BadParameter("name a file, or --sample")
    settings = Settings()
    with _failing_politely(), _store(settings) as store:
        articles = list(load_sample()) if sample else []
        for file in files or []:
            found = read_articles(file.read_bytes(), name=file.name)
            for problem in found.errors:
                _console.print(f"{file.name}:{problem.row}: {problem.message}")
            articles += found.articles
        done = store.upsert(articles, now=settings.now())
        _console.print(f"新增 {done.added} 条，更新 {done.changed} 条，未变 {done.unchanged} 条。")


@app.command("publish")
def publish_articles() -> None:
    """Make a new version from all articles that hold; running servers take it up by themselves."""
    settings = Settings()
    with _failing_politely(), _store(settings) as store:
        _publish(settings, store)


def load_sample_once(settings: Settings) -> None:
    """Import and publish the sample articles where nothing was ever published."""
    if VersionFolder(settings.data_dir / "kb").current() is not None:
        return
    with _failing_politely(), _store(settings) as store:
        if store.count() == 0:
            store.upsert(load_sample(), now=settings.now())
        _publish(settings, store)


def _publish(settings: Settings, store: ArticleStore) -> None:
    with Progress(console=_console, transient=True) as progress:
        task = progress.add_task("计算向量", total=None)
        made = publish(
            store.publishable(settings.now().date()),
            embedder=_embedder(settings),
            folder=settings.data_dir / "kb",
            now=settings.now(),
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    _console.print(f"已发布版本 {made.version}：{made.articles} 条知识，{made.passages} 个段落。")


@app.command()
def search(
    question: Annotated[str, typer.Argument(help="What a citizen asks.")],
    k: Annotated[int, typer.Option(min=1, max=50, help="How many articles.")] = 5,
) -> None:
    """Look a question up in the published version."""
    settings = Settings()
    with _failing_politely():
        embedder = _embedder(settings)
        searcher = Searcher(embedder)
        if take_up(searcher, VersionFolder(settings.data_dir / "kb"), embedder) is None:
            _console.print("还没有发布过知识库：先运行 zhiting kb import，再运行 zhiting kb publish。")
            raise typer.Exit(1)
        table = Table("编号", "标题", "部门", "得分", *["dense", "lexical", "pinyin"])
        for match in searcher.search(question, day=settings.now().date(), k=k).matches:
            channels = [f"{found.score:.2f} (#{found.rank})" for found in match.channels.values()]
            table.add_row(
                match.article.article_id,
                match.article.title,
                match.article.department,
                f"{match.score:.2f}",
                *channels,
            )
        _console.print(table)
        searcher.close()


@app.command()
def versions() -> None:
    """List the published versions, oldest first."""
    folder = VersionFolder(Settings().data_dir / "kb")
    current = folder.current()
    table = Table("", "版本", "发布时间", "知识", "段落", "模型")
    for name in folder.names():
        made = folder.describe(name)
        table.add_row(
            "●" if name == current else "",
            name,
            f"{made.published_at:%Y-%m-%d %H:%M}",
            str(made.articles),
            str(made.passages),
            made.model,
        )
    _console.print(table)
