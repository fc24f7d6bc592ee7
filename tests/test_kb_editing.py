"""Editing: every step is kept, drafts hide nothing, two editors cannot overwrite each other."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

import knowledge_base
from knowledge_base.database import migrate, open_database, writing
from knowledge_base.store import ArticleStore, Order
from knowledge_base.types import ArticleState, BadArticle, EditConflict, UnknownArticle
from tests.retrieval_parts import ARTICLES, article

NOW = datetime(2026, 3, 5, 18, 0, tzinfo=UTC)
DAY = date(2026, 3, 5)
APPROVED, DRAFT, IN_REVIEW = ArticleState.APPROVED, ArticleState.DRAFT, ArticleState.IN_REVIEW


@pytest.fixture
def store(engine: Engine) -> ArticleStore:
    store = ArticleStore(engine)
    store.upsert(ARTICLES, now=NOW, author="导入")
    return store


def test_a_history_tells_every_step_and_who_took_it(store: ArticleStore) -> None:
    edited = article("A2", "养老金资格认证", body="换了说法。", district="定海区")
    store.save(edited, author="小王", now=NOW + timedelta(hours=1), state=APPROVED, expected=1)
    store.delete("A2", now=NOW + timedelta(hours=2), author="小李")
    store.restore("A2", now=NOW + timedelta(hours=3), author="小王")
    steps = store.history("A2")
    assert [(step.revision, step.action, step.author) for step in steps] == [
        (4, "restored", "小王"),
        (3, "deleted", "小李"),
        (2, "edited", "小王"),
        (1, "imported", "导入"),
    ]
    assert steps[-1].article.body == ARTICLES[1].body
    assert store.kept("A2").article.district == "定海区"
    with pytest.raises(UnknownArticle):
        store.history("nobody")


def test_a_draft_leaves_what_is_published_in_place(store: ArticleStore) -> None:
    draft = article("A1", "路灯不亮怎么报修", body="还没写完")
    kept = store.save(draft, author="小王", now=NOW, state=DRAFT, expected=1)
    assert (kept.state, kept.revision, kept.approved_revision) == (DRAFT, 2, 1)
    store.save(article("N1", "全新的草稿"), author="小王", now=NOW, state=DRAFT, expected=0)
    published = {a.article_id: a for a in store.publishable(DAY)}
    assert published["A1"].body == ARTICLES[0].body
    assert "N1" not in published
    store.move("A1", to=APPROVED, author="小王", now=NOW)
    assert {a.article_id: a for a in store.publishable(DAY)}["A1"].body == "还没写完"
    assert [kept.article.article_id for kept in store.page(state=DRAFT).kept] == ["N1"]


def test_the_second_editor_is_told_and_nothing_is_lost(store: ArticleStore) -> None:
    mine, theirs = (article("A1", "路灯不亮怎么报修", body=text) for text in ("我的", "别人的"))
    store.save(theirs, author="小李", now=NOW, state=APPROVED, expected=1)
    with pytest.raises(EditConflict, match="小李") as conflict:
        store.save(mine, author="小王", now=NOW, state=APPROVED, expected=1)
    assert conflict.value.current is not None
    assert (conflict.value.current.revision, conflict.value.current.article.body) == (2, "别人的")
    with pytest.raises(EditConflict, match="已存在"):
        store.save(mine, author="小王", now=NOW, state=APPROVED, expected=0)
    with pytest.raises(EditConflict):
        store.delete("A1", now=NOW, expected=1)
    assert store.get("A1").body == "别人的"


def test_saving_what_is_there_already_is_no_revision(store: ArticleStore) -> None:
    assert store.save(ARTICLES[0], author="小王", now=NOW, state=APPROVED, expected=1).revision == 1
    assert store.save(ARTICLES[0], author="小王", now=NOW, state=DRAFT, expected=1).revision == 1


def test_nobody_reviews_their_own_words(store: ArticleStore) -> None:
    for author in ("小王", "小李"):
        store.save(article("A1", body=author), author=author, now=NOW, state=IN_REVIEW)
    for author in ("小王", "小李", ""):
        with pytest.raises(BadArticle) as refusal:
            store.move("A1", to=APPROVED, author=author, now=NOW, needs_second_person=True)
        assert refusal.value.code == "kb.second_person_needed"
    sent_back = store.move("A1", to=DRAFT, author="小张", now=NOW, note="请补充办理时限")
    assert sent_back.approved_revision == 1
    assert store.history("A1")[0].note == "请补充办理时限"
    store.move("A1", to=IN_REVIEW, author="小李", now=NOW)
    kept = store.move("A1", to=APPROVED, author="小张", now=NOW, needs_second_person=True)
    assert kept.approved_revision == kept.revision
    # What the approver then writes is a new matter.
    store.save(article("A1", body="小张改的"), author="小张", now=NOW, state=IN_REVIEW)
    assert store.move("A1", to=APPROVED, author="小王", now=NOW, needs_second_person=True).state is APPROVED


def test_pages_by_district_expiry_and_last_change(store: ArticleStore) -> None:
    store.upsert(
        [
            article("E1", district="普陀区", expires_on=DAY + timedelta(days=40)),
            article("E2", district="普陀区", expires_on=DAY + timedelta(days=4)),
        ],
        now=NOW + timedelta(days=1),
    )
    assert [a.article_id for a in store.page(district="普陀区", order=Order.EXPIRY).articles] == ["E2", "E1"]
    assert [a.article_id for a in store.page(expires_before=DAY + timedelta(days=30)).articles] == ["E2"]
    assert [a.article_id for a in store.page(order=Order.NEWEST, limit=3).articles] == ["E1", "E2", "A1"]
    store.delete("E1", now=NOW)
    assert [kept.article.article_id for kept in store.page(is_deleted=True).kept] == ["E1"]


def test_a_database_of_before_gets_its_histories(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "old.db")
    config = Config()
    config.set_main_option("script_location", str(Path(knowledge_base.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(
            sa.text(
                "INSERT INTO articles VALUES ('T1', '题', '文', '[\"问\"]', '[]', '类', '部', '源',"
                " '2026-01-01', NULL, '2026-03-05T10:00:00+00:00', NULL)"
            )
        )
    migrate(engine)
    store = ArticleStore(engine)
    (published,) = store.publishable(DAY)
    assert (published, published.questions) == (store.get("T1"), ("问",))
    assert store.history("T1")[0].article.effective_from == date(2026, 1, 1)
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
        assert len(sa.inspect(connection).get_columns("articles")) == 12
        assert connection.scalar(sa.text("SELECT title FROM articles")) == "题"
    engine.dispose()
