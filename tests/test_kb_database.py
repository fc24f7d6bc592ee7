"""The database: pragmas, one history, writers that wait for each other."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from knowledge_base.database import migrate, open_database, writing


def test_the_first_version_creates_every_table(engine: Engine) -> None:
    columns = {
        name: [column["name"] for column in sa.inspect(engine).get_columns(name)]
        for name in sa.inspect(engine).get_table_names()
    }
    assert set(columns) >= {"articles", "article_revisions", "calls", "streams", "facts", "stream_entries"}
    assert columns["facts"] == ["fact_id", "call_id", "type", "at", "payload"]
    assert columns["stream_entries"] == ["stream", "seq", "fact_id"]


def test_sqlite_is_durable_and_keeps_foreign_keys(engine: Engine) -> None:
    with engine.connect() as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}
    with pytest.raises(sa.exc.IntegrityError), writing(engine) as connection:
        connection.execute(sa.text("INSERT INTO stream_entries VALUES ('call:1', 1, 99)"))


def test_migrating_again_changes_nothing(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(sa.text("INSERT INTO streams VALUES ('hall', 7)"))
    migrate(engine)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT last_seq FROM streams")) == 7


def test_several_processes_may_migrate_at_once(tmp_path: Path) -> None:
    for number in range(6):
        with ThreadPoolExecutor(8) as threads:
            place = tmp_path / str(number) / "deep.db"
            engines = list(threads.map(lambda _, path=place: open_database(path), range(8)))
            list(threads.map(migrate, engines))
        for engine in engines:
            assert sa.inspect(engine).has_table("articles")
            with engine.connect() as connection:
                assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            engine.dispose()


def test_a_reader_who_writes_later_waits_instead_of_failing(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(sa.text("INSERT INTO streams VALUES ('hall', 0)"))

    def count_up(_: int) -> None:
        for _ in range(20):
            with writing(engine) as connection:
                seq = connection.scalar(sa.text("SELECT last_seq FROM streams"))
                connection.execute(sa.text("UPDATE streams SET last_seq = :seq"), {"seq": seq + 1})

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count_up, range(4)))
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT last_seq FROM streams")) == 80


def test_a_failed_transaction_leaves_nothing(engine: Engine) -> None:
    def fail() -> None:
        with writing(engine) as connection:
            connection.execute(sa.text("INSERT INTO streams VALUES ('hall', 1)"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM streams")) == 0
