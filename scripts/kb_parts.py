"""What the commands of `zhiting kb` share: the opened database, the model, failing with a sentence.

In: settings. Out: stores and an embedder, closed again; exit code 1 with a sentence where something failed.
Not known here: any one command.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import Progress
from sqlalchemy import Engine

from agent_ui.logs import take_over_trace, write_logs
from agent_ui.settings import Settings
from agent_ui.tuning import defaults_of
from agent_ui.tuning_file import FILE_NAME, TuningFile
from knowledge_base.canaries import CanaryStore
from knowledge_base.database import StoreFailed, has_no_room, migrate, open_database
from knowledge_base.depot import Depot
from knowledge_base.importer import sample_vectors
from knowledge_base.json_text import dumps
from knowledge_base.store import ArticleStore
from knowledge_base.turns import publishing_alone
from knowledge_base.types import ArticleState, KnowledgeError, Version
from knowledge_base.versions import VersionFolder
from models.cache import resolve
from models.errors import WeightsError
from retrieval.publishing import publish

if TYPE_CHECKING:
    from retrieval.embedder import SentenceEmbedder

LOWEST_PRIORITY = 19
console = Console(highlight=False, soft_wrap=True)


@contextmanager
def opened(settings: Settings) -> Iterator[Engine]:
    """The database, migrated."""
    database = open_database(settings.database)
    try:
        migrate(database)
        yield database
    finally:
        database.dispose()


@contextmanager
def depot_of(settings: Settings) -> Iterator[Depot | None]:
    """What all servers share of the versions; None where there is no object store. Raises `ObjectsAway`."""
    objects = settings.open_objects()
    if objects is None:
        yield None
        return
    database = open_database(settings.database)
    try:
        yield Depot(
            objects=objects,
            versions=VersionFolder(settings.data_dir / "kb"),
            alone=lambda: publishing_alone(database),
        )
    finally:
        objects.close()
        database.dispose()


@contextmanager
def failing_politely(*, as_json: bool = False) -> Iterator[None]:
    """Tell an error of ours as a sentence, or as `{code, message}` for a program, and exit with 1."""
    try:
        yield
    except (KnowledgeError, WeightsError, OSError, StoreFailed) as error:
        if isinstance(error, OSError | StoreFailed) and not has_no_room(error):
            raise
        code, message = _told(error)
        if as_json:
            typer.echo(dumps({"code": code, "message": message}))
        else:
            console.print(message)
        raise typer.Exit(1) from None


def _told(error: Exception) -> tuple[str, str]:
    if isinstance(error, KnowledgeError):
        return error.code, str(error)
    if isinstance(error, WeightsError):
        return "models.unavailable", str(error)
    return "kb.disk_full", "磁盘已满，没有发布，原来的版本继续使用；请清理磁盘后再试。"


def state_of_new(settings: Settings) -> ArticleState:
    """The state of an article that is no draft: by what an admin has set, else by the environment."""
    tuning = TuningFile(settings.data_dir / FILE_NAME, defaults_of(settings)).now
    return ArticleState.IN_REVIEW if tuning.kb_review else ArticleState.APPROVED


def embedder_of(settings: Settings, *, threads: int | None = None) -> "SentenceEmbedder":
    """The embedding model of the settings; on every core, as nobody is on the telephone here."""
    from retrieval.embedder import EmbedderOptions, SentenceEmbedder  # takes seconds: PyTorch comes with it

    folder = resolve(
        settings.embedding_model,
        cache_dir=settings.data_dir / "models",
        local_folder=settings.models_folder / settings.embedding_model if settings.models_folder else None,
        allow_hub=settings.allow_hub,
    )
    return SentenceEmbedder(folder, EmbedderOptions(threads=threads or os.cpu_count() or 1))


def step_back(settings: Settings) -> None:
    """Let every other process go first, and write log lines as the server does that has started this one."""
    os.nice(LOWEST_PRIORITY)
    write_logs(settings.log_options)
    take_over_trace(os.environ)


def publish_all(
    settings: Settings, database: Engine, *, asks_canaries: bool = True, threads: int | None = None
) -> Version:
    """Publish what is approved and holds, with a bar of progress where a person is looking."""
    with depot_of(settings) as depot, Progress(console=console, transient=True) as progress:
        task = progress.add_task("计算向量", total=None)
        return publish(
            ArticleStore(database).publishable(settings.now().date()),
            embedder=embedder_of(settings, threads=threads),
            folder=settings.data_dir / "kb",
            now=settings.now(),
            canaries=CanaryStore(database).all() if asks_canaries else (),
            packs=[path for path in [sample_vectors()] if path.is_file()],
            progress=lambda done, total: progress.update(task, completed=done, total=total),
            depot=depot,
        )
