"""Exports: whatever an article holds, the importer reads it back unchanged."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge_base.columns import clean
from knowledge_base.exporter import ExportKind, export
from knowledge_base.importer import load_sample, read_articles
from knowledge_base.types import Article
from tests.retrieval_parts import article

AWKWARD = [
    article(
        "B1",
        "# 标题 *带* 标记 | 竖线",
        body="第一行。\n\n- 列表\n1. 编号\n  缩进两格\n=SUM(A1)\n> 引用\n## 标题\n\n\n\\行 <b>&amp;",
        questions=("一|二", "反斜杠\\", "=1+1", "- 横线", "编号：A9"),
        keywords=("a|b", "\\|"),
        category="类：别",
        department="部 门",
        district="普陀区",
        source="https://example.gov.cn/a_b?c=1&d=2#e",
        effective_from=date(2026, 1, 1),
        expires_on=date(2027, 1, 1),
    ),
    article(
        "B2",
        "+1",
        body="关键词：这一行不是关键词\n|---|\n| a | b |\n```\n代码\n```\n---\n\u3000\u3000全角缩进",
    ),
    article("B3", "相似问法是什么", body="编号：X\n相似问法\n", questions=(), keywords=()),
]

words = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cn"), include_characters="\n#*-|\\_`<>&= 1.中文：\u3000"),
    max_size=30,
)
lines = words.map(lambda text: " ".join(clean(text).split("\n")).strip())
full = lines.filter(bool)


@pytest.mark.parametrize("kind", ExportKind)
def test_awkward_articles_come_back(kind: ExportKind) -> None:
    wanted = [replace(a, body=a.body.strip()) for a in AWKWARD]
    found = read_articles(export(wanted, kind), name=f"导出.{kind}")
    assert found.errors == ()
    assert list(found.articles) == wanted


@pytest.mark.parametrize("kind", ExportKind)
def test_the_sample_comes_back(kind: ExportKind) -> None:
    sample = load_sample()
    stamped = [replace(a, updated_at=datetime(2026, 3, 5, tzinfo=UTC)) for a in sample]
    assert read_articles(export(stamped, kind), name=f"a.{kind}").articles == sample


@pytest.mark.parametrize("kind", ExportKind)
@settings(max_examples=25, deadline=None)
@given(
    title=full,
    body=words.map(clean).filter(bool),
    questions=st.lists(full, unique=True, max_size=3),
    source=lines,
)
def test_any_article_comes_back(
    kind: ExportKind, title: str, body: str, questions: list[str], source: str
) -> None:
    wanted = Article(article_id="B1", title=title, body=body, questions=tuple(questions), source=source)
    found = read_articles(export([wanted], kind), name=f"a.{kind}")
    assert (found.errors, found.articles) == ((), (wanted,))
