"""The store: what goes in comes out, changes are told apart from repetitions, deleting is undoable."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from knowledge_base.store import ArticleStore, Upserted
from knowledge_base.types import UnknownArticle
from tests.databases import both_databases
from tests.retrieval_parts import ARTICLES, article

NOW = datetime(2026, 3, 5, 18, 0, tzinfo=UTC)
DAY = date(2026, 3, 5)


@pytest.fixture
def store(engine: Engine) -> ArticleStore:
    store = ArticleStore(engine)
    store.upsert(ARTICLES, now=NOW)
    return store


@both_databases
def test_an_article_comes_back_as_it_went_in(engine: Engine) -> None:
    store = ArticleStore(engine)
    whole = article(
        "B1",
        "“引号”、换行与％",
        questions=("一", "二|三"),
        category="类",
        effective_from=date(2026, 1, 1),
        expires_on=date(2027, 1, 1),
        updated_at=NOW,
    )
    store.upsert([whole], now=NOW)
    assert store.get("B1") == whole


@both_databases
def test_upserting_tells_what_changed_and_leaves_the_rest_alone(store: ArticleStore) -> None:
    later = NOW + timedelta(hours=1)
    changed = article("A1", "路灯不亮怎么报修", body="换了说法。")
    assert store.upsert([changed, ARTICLES[1], article("B9")], now=later) == Upserted(
        added=1, changed=1, unchanged=1
    )
    assert (store.get("A1").body, store.get("A1").updated_at) == ("换了说法。", later)
    assert store.get("A2").updated_at == NOW


@both_databases
def test_pages_go_through_everything_once(store: ArticleStore) -> None:
    pages = [store.page(offset=offset, limit=4) for offset in (0, 4)]
    assert [a.article_id for page in pages for a in page.articles] == ["A1", "A2", "A3", "A4", "A5", "A6"]
    assert {page.total for page in pages} == {6}
    with pytest.raises(ValueError, match="limit"):
        store.page(limit=0)


@both_databases
def test_text_is_found_in_identifier_and_title_literally(store: ArticleStore) -> None:
    store.upsert([article("P%1", "百分之百")], now=NOW)
    assert [a.article_id for a in store.page(text="公交").articles] == ["A5"]
    assert [a.article_id for a in store.page(text="a3").articles] == ["A3"]
    assert [a.article_id for a in store.page(text="%").articles] == ["P%1"]
    assert store.page(text="拨打热线").total == 0


@both_databases
def test_filters(store: ArticleStore) -> None:
    store.upsert(
        [
            article("C1", category="交通", department="交通局", expires_on=DAY),
            article("C2", category="交通", effective_from=DAY + timedelta(days=1)),
        ],
        now=NOW,
    )
    assert [a.article_id for a in store.page(category="交通").articles] == ["C1", "C2"]
    assert [a.article_id for a in store.page(department="交通局").articles] == ["C1"]
    assert store.page(valid_on=DAY).total == 6
    assert [a.article_id for a in store.publishable(DAY)][-2:] == ["A6", "C2"]


def test_deleting_is_undoable(store: ArticleStore) -> None:
    store.delete("A2", now=NOW)
    assert store.count() == 5
    assert "A2" not in {a.article_id for a in store.publishable(DAY)}
    for missing in (
        lambda: store.get("A2"),
        lambda: store.delete("A2", now=NOW),
        lambda: store.restore("X", now=NOW),
    ):
        with pytest.raises(UnknownArticle):
            missing()
    store.restore("A2", now=NOW)
    assert store.get("A2").title == "养老金资格认证"


def test_importing_a_deleted_article_restores_it(store: ArticleStore) -> None:
    store.delete("A2", now=NOW)
    assert store.upsert([ARTICLES[1]], now=NOW).changed == 1
    assert store.count() == 6


def test_many_articles_at_once(engine: Engine) -> None:
    store = ArticleStore(engine)
    many = [article(f"M{i:04}") for i in range(1203)]
    assert store.upsert(many, now=NOW).added == 1203
    assert store.upsert(many, now=NOW).unchanged == 1203


def test_a_moment_without_a_zone_is_refused(store: ArticleStore) -> None:
    with pytest.raises(ValueError, match="time zone"):
        store.upsert([article("Z1")], now=datetime(2026, 3, 5))  # noqa: DTZ001
