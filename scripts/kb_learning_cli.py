"""`zhiting kb`, what is learnt from use: canary questions, gaps, how articles fare, the sample's vectors.

In: questions, spans of time. Out: tables and sentences.
Not known here: how gaps are found and grouped.
"""

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.table import Table

from agent_ui.settings import Settings
from calls.usage import ArticleUsage, Usage
from knowledge_base.canaries import CanaryStore
from knowledge_base.feedback import Feedback
from knowledge_base.importer import load_sample, sample_vectors
from knowledge_base.store import ArticleStore
from knowledge_base.types import Canary
from knowledge_base.versions import VersionFolder
from retrieval.gaps import asked_in, group, usual_vector
from retrieval.publishing import publish
from retrieval.snapshot import Snapshot
from retrieval.vector_files import write_pack
from scripts.kb_parts import console, embedder_of, failing_politely, opened, state_of_new

Days = Annotated[int, typer.Option(min=1, max=3650, help="Look back so many days.")]
canary = typer.Typer(help="Questions that must find their article before a version is served.")


def add_to(app: typer.Typer) -> None:
    """Hang the commands into `zhiting kb`."""
    app.add_typer(canary, name="canary")
    app.command()(gaps)
    app.command()(adopt)
    app.command()(usage)
    app.command("sample-vectors", hidden=True)(make_sample_vectors)


@canary.callback(invoke_without_command=True)
def list_canaries(context: typer.Context) -> None:
    """List the canary questions."""
    if context.invoked_subcommand is not None:
        return
    with failing_politely(), opened(Settings()) as database:
        table = Table("试问", "应找到", "在前")
        for one in CanaryStore(database).all():
            table.add_row(one.question, one.article_id, str(one.within))
        console.print(table)


@canary.command("add")
def add_canary(
    question: Annotated[str, typer.Argument(help="What a citizen asks.")],
    article_id: Annotated[str, typer.Argument(help="Article that must be found.")],
    within: Annotated[int, typer.Option(min=1, max=50, help="Among that many best.")] = 3,
) -> None:
    """Add a canary question, or change what it must find."""
    with failing_politely(), opened(Settings()) as database:
        ArticleStore(database).get(article_id)
        CanaryStore(database).put(Canary(question=question, article_id=article_id, within=within))
        console.print(f"已添加试问：{question} → {article_id}。")


@canary.command("remove")
def remove_canary(question: Annotated[str, typer.Argument(help="The question as it is listed.")]) -> None:
    """Take a canary question away."""
    with failing_politely(), opened(Settings()) as database:
        if not CanaryStore(database).remove(question):
            console.print("没有这条试问。")
            raise typer.Exit(1)
        console.print("已移除。")


def gaps(days: Days = 30) -> None:
    """List questions that found nothing good, grouped, largest group first."""
    settings = Settings()
    with failing_politely(), opened(settings) as database:
        since = settings.now() - timedelta(days=days)
        settled = Feedback(database).settled()
        found = Usage(database).missed(since=since, asked_in=asked_in)
        missed = [one for one in found if one.question not in settled]
        if not missed:
            console.print("这段时间没有未命中的问题。")
            return
        embedder = embedder_of(settings)
        vectors = np.array([embedder.embed_query(one.question) for one in missed])
        titles = [article.title for article in ArticleStore(database).every()]
        table = Table("次数", "问题", "原因", "通话")
        for one in group(vectors, usual=usual_vector(embedder.embed_query, titles)):
            first = missed[one.places[0]]
            table.add_row(str(len(one.places)), first.question, first.why, first.call_id)
        console.print(table)


def adopt(
    question: Annotated[str, typer.Argument(help="A question of `gaps`.")],
    article_id: Annotated[str, typer.Argument(help="Article that answers it.")],
    author: Annotated[str, typer.Option(help="Who says so, for the history.")] = "",
) -> None:
    """Make a missed question a similar question of an article; it is found after the next publish."""
    settings = Settings()
    with failing_politely(), opened(settings) as database:
        ArticleStore(database).add_questions(
            article_id, [question], author=author, now=settings.now(), state=state_of_new(settings)
        )
        Feedback(database).settle([question], article_id=article_id, author=author, now=settings.now())
        console.print(f"已加入 {article_id} 的相似问法，发布后生效。")


def usage(days: Days = 90) -> None:
    """List how the articles fared on the screens; those never shown come last."""
    settings = Settings()
    with failing_politely(), opened(settings) as database:
        counts = Usage(database).articles(since=settings.now() - timedelta(days=days))
        table = Table("编号", "标题", "展示", "采用", "有用", "有误")
        rows = [
            (counts.get(article.article_id, ArticleUsage(article_id=article.article_id)), article.title)
            for article in ArticleStore(database).publishable(settings.now().date())
        ]
        for count, title in sorted(rows, key=lambda row: (-row[0].shown, row[0].article_id)):
            numbers = (count.shown, count.used, count.helpful, count.wrong)
            table.add_row(count.article_id, title, *map(str, numbers))
        console.print(table)


def make_sample_vectors(
    file: Annotated[Path | None, typer.Argument(help="Where to; else the file that is shipped.")] = None,
) -> None:
    """Embed the sample articles and write their vectors, so that the first start need not."""
    settings = Settings()
    with failing_politely(), tempfile.TemporaryDirectory() as folder:
        embedder = embedder_of(settings)
        made = publish(load_sample(), embedder=embedder, folder=Path(folder), now=settings.now())
        snapshot = Snapshot.load(
            VersionFolder(Path(folder)).path(made.version), model=embedder.name, dimension=embedder.dimension
        )
        vectors = {p.content_hash: snapshot.dense.vector(p.passage_id) for p in snapshot.passages.values()}
        target = file or sample_vectors()
        write_pack(target, vectors, model=embedder.name)
    console.print(f"已写入 {len(vectors)} 个向量：{target}。")
