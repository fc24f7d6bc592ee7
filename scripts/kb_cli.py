"""`zhiting kb`: bring knowledge in and out, publish it, look something up.

In: files of articles, questions. Out: tables and sentences; exit code 1 where something failed.
Not known here: how files are read, articles kept and versions made.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Column, Table

from agent_ui.settings import Settings
from knowledge_base.duplicates import find_duplicates
from knowledge_base.exporter import ExportKind, export
from knowledge_base.importer import Import, load_sample, read_articles
from knowledge_base.store import ArticleStore
from knowledge_base.types import ArticleState
from knowledge_base.versions import VersionFolder
from retrieval.publishing import changes, roll_back
from retrieval.searcher import Searcher
from retrieval.serving import take_up
from scripts import kb_learning_cli
from scripts.kb_parts import (
    console,
    depot_of,
    embedder_of,
    failing_politely,
    opened,
    publish_all,
    state_of_new,
    step_back,
)

app = typer.Typer(help="Knowledge base: import, export, publish, search, learn.", no_args_is_help=True)
kb_learning_cli.add_to(app)

_SHOWN_ERRORS = 50
Background = Annotated[
    bool, typer.Option("--background", help="At the lowest priority, and errors as JSON: for the server.")
]


@app.command("import")
def import_articles(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="JSON Lines, CSV, Excel, Word, PDF, Markdown, HTML or text files."),
    ] = None,
    sample: Annotated[bool, typer.Option("--sample", help="Import the 160 sample articles.")] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Only say what would be imported.")] = False,
    columns: Annotated[
        list[str] | None, typer.Option("--map", help="COLUMN=FIELD for a column of unusual name.")
    ] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Keep the articles as drafts.")] = False,
    author: Annotated[str, typer.Option(help="Who imports, for the history.")] = "",
) -> None:
    """Bring articles into the store; they are found once they are published."""
    if not files and not sample:
        raise typer.BadParameter("name a file, or --sample")
    mapping = dict(_pair(text) for text in columns or [])
    settings = Settings()
    with failing_politely(), opened(settings) as database:
        store = ArticleStore(database)
        articles = list(load_sample()) if sample else []
        for file in files or []:
            if not file.is_file():
                raise typer.BadParameter(f"{file} is no file")
            found = read_articles(file.read_bytes(), name=file.name, mapping=mapping)
            _tell(file.name, found)
            articles += found.articles
        present = store.publishable(settings.now().date())
        for pair in find_duplicates(articles, present):
            console.print(f"疑似重复：{pair.article_id} 与 {pair.other_id}（{pair.shared}）：{pair.text}")
        if preview:
            console.print(f"可导入 {len(articles)} 条。未作任何改动。")
            return
        done = store.upsert(
            articles,
            now=settings.now(),
            author=author,
            state=ArticleState.DRAFT if draft else state_of_new(settings),
            note="、".join(file.name for file in files or []),
        )
        console.print(f"新增 {done.added} 条，更新 {done.changed} 条，未变 {done.unchanged} 条。")


@app.command("export")
def export_articles(
    file: Annotated[Path, typer.Argument(help="Ends in .jsonl, .csv, .xlsx or .md.")],
) -> None:
    """Write every article that is not deleted to a file that `import` reads back unchanged."""
    try:
        kind = ExportKind(file.suffix.lstrip(".").lower())
    except ValueError:
        raise typer.BadParameter("the file's name must end in .jsonl, .csv, .xlsx or .md") from None
    settings = Settings()
    with failing_politely(), opened(settings) as database:
        articles = ArticleStore(database).every()
        file.write_bytes(export(articles, kind))
        console.print(f"已导出 {len(articles)} 条到 {file}。")


@app.command("publish")
def publish_articles(
    background: Background = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    skip_canaries: Annotated[
        bool, typer.Option("--skip-canaries", help="Publish even where canary questions fail.")
    ] = False,
) -> None:
    """Make a new version from all approved articles that hold; running servers take it up by themselves."""
    settings = Settings()
    if background:
        step_back(settings)
    with failing_politely(as_json=background), opened(settings) as database:
        if dry_run:
            articles = ArticleStore(database).publishable(settings.now().date())
            made = changes(articles, folder=settings.data_dir / "kb")
            for word, ids in (("新增", made.added), ("更新", made.changed), ("移除", made.removed)):
                console.print(f"{word} {len(ids)} 条：{'、'.join(ids[:20])}{'…' if len(ids) > 20 else ''}")
            return
        version = publish_all(
            settings, database, asks_canaries=not skip_canaries, threads=1 if background else None
        )
    console.print(f"已发布版本 {version.version}：{version.articles} 条知识，{version.passages} 个段落。")


@app.command()
def rollback(
    version: Annotated[str, typer.Argument(help="Name of a kept version; `versions` lists them.")],
    background: Background = False,
) -> None:
    """Serve a kept version again; running servers take it up by themselves."""
    settings = Settings()
    if background:
        step_back(settings)
    with failing_politely(as_json=background), depot_of(settings) as depot:
        embedder = embedder_of(settings)
        roll_back(
            version,
            folder=settings.data_dir / "kb",
            model=embedder.name,
            dimension=embedder.dimension,
            depot=depot,
        )
    console.print(f"已恢复到版本 {version}。")


def load_sample_once(settings: Settings, *, wants_sample: bool = True) -> None:
    """Bring the database to the newest schema; publish the sample where nothing was ever published.

    A store of objects that is new gets what is published here.
    """
    with failing_politely(), opened(settings) as database:
        versions = VersionFolder(settings.data_dir / "kb")
        with depot_of(settings) as depot:
            if depot is not None:
                depot.share()
        if not wants_sample or versions.current() is not None:
            return
        store = ArticleStore(database)
        if store.count() == 0:
            store.upsert(load_sample(), now=settings.now(), author="示例")
        version = publish_all(settings, database)
    console.print(f"已发布版本 {version.version}：{version.articles} 条知识，{version.passages} 个段落。")


@app.command()
def search(
    question: Annotated[str, typer.Argument(help="What a citizen asks.")],
    k: Annotated[int, typer.Option("--k", "-k", min=1, max=50, help="How many articles.")] = 5,
) -> None:
    """Look a question up in the published version."""
    settings = Settings()
    with failing_politely():
        embedder = embedder_of(settings)
        searcher = Searcher(embedder)
        if take_up(searcher, VersionFolder(settings.data_dir / "kb"), embedder) is None:
            console.print("还没有发布过知识库：先运行 zhiting kb import，再运行 zhiting kb publish。")
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
        console.print(table)
        searcher.close()


@app.command()
def versions() -> None:
    """List the published versions, oldest first."""
    folder = VersionFolder(Settings().data_dir / "kb")
    current = folder.current()
    table = Table("", Column("版本", no_wrap=True), "发布时间", "知识", "段落", "模型")
    with failing_politely():
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
    console.print(table)


def _pair(text: str) -> tuple[str, str]:
    column, equals, field = text.partition("=")
    if not equals or not column:
        raise typer.BadParameter("write --map COLUMN=FIELD")
    return column.strip(), field.strip()


def _tell(name: str, found: Import) -> None:
    for column, field in found.columns:
        if field is None:
            console.print(f"{name}：“{column}”列未导入（用 --map 指定它是什么）。")
    for problem in found.errors[:_SHOWN_ERRORS]:
        console.print(f"{name}:{problem.row}: {problem.message}")
    if len(found.errors) > _SHOWN_ERRORS:
        console.print(f"{name}：另有 {len(found.errors) - _SHOWN_ERRORS} 行有错。")
