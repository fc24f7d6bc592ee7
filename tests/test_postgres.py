"""PostgreSQL as the one database: one history of the schema, one writer at a time, readers see one state."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from knowledge_base.database import migrate, migrations, open_database, revisions, writing
from knowledge_base.postgres import options_to_write
from tests.postgres import PostgresServer


def schema_of(engine: Engine) -> dict[str, set[str]]:
    found = sa.inspect(engine)
    return {name: {column["name"] for column in found.get_columns(name)} for name in found.get_table_names()}


def test_both_databases_have_the_same_tables(engine: Engine, postgres: Engine) -> None:
    own = {"line_texts", "line_sounds"}
    here, there = schema_of(engine), schema_of(postgres)
    here = {name: columns for name, columns in here.items() if not name.startswith(tuple(own))}
    there["order_steps"] -= {"rowid"}  # SQLite's tables have one without saying so
    assert here == {name: columns for name, columns in there.items() if name not in own}
    assert own <= set(there)


def test_every_step_can_be_taken_back(postgres_server: PostgresServer) -> None:
    url = postgres_server.empty()
    engine = open_database(url)
    for goal in ("head", "base", "head"):
        with engine.connect() as connection, connection.begin():
            (command.downgrade if goal == "base" else command.upgrade)(migrations(connection), goal)
        assert ("articles" in sa.inspect(engine).get_table_names()) is (goal == "head")
    engine.dispose()
    postgres_server.drop(url)


def test_several_processes_may_migrate_at_once(postgres_server: PostgresServer) -> None:
    url = postgres_server.empty()
    engines = [open_database(url) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(migrate, engines))
    with engines[0].connect() as connection:
        assert connection.scalars(sa.text("SELECT version_num FROM alembic_version")).all() == revisions()[:1]
        assert connection.scalar(sa.text("SELECT count(*) FROM index_state")) == 1
    for engine in engines:
        engine.dispose()
    postgres_server.drop(url)


def test_texts_are_in_the_order_of_their_bytes(postgres: Engine) -> None:
    kinds = sa.text(
        "SELECT count(*) FROM information_schema.columns c JOIN information_schema.tables t"
        " USING (table_schema, table_name) WHERE table_schema = 'public' AND data_type = 'text'"
        " AND collation_name IS DISTINCT FROM 'C'"
    )
    with postgres.connect() as connection:
        assert connection.scalar(kinds) == 0


def test_a_reader_sees_one_state(postgres: Engine) -> None:
    count = sa.text("SELECT count(*) FROM streams")
    with postgres.connect() as reader:
        assert reader.scalar(count) == 0
        with writing(postgres) as connection:
            connection.execute(sa.text("INSERT INTO streams VALUES ('hall', 1)"))
        assert reader.scalar(count) == 0
    with postgres.connect() as reader:
        assert reader.scalar(count) == 1


def test_writers_that_read_first_lose_nothing(postgres: Engine) -> None:
    with writing(postgres) as connection:
        connection.execute(sa.text("INSERT INTO streams VALUES ('hall', 0)"))

    def count_up(_: int) -> None:
        for _ in range(20):
            with writing(postgres) as connection:
                seq = connection.scalar(sa.text("SELECT last_seq FROM streams"))
                connection.execute(sa.text("UPDATE streams SET last_seq = :seq"), {"seq": seq + 1})

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count_up, range(4)))
    with postgres.connect() as connection:
        assert connection.scalar(sa.text("SELECT last_seq FROM streams")) == 80


def test_facts_become_visible_in_the_order_of_their_numbers(postgres: Engine) -> None:
    """Whoever follows them by their numbers must not pass one over."""
    add = sa.text("INSERT INTO facts (type, at, payload) VALUES ('nothing', '', '{}') RETURNING fact_id")
    has_written, may_end = threading.Event(), threading.Event()

    def write_slowly() -> int:
        with writing(postgres) as connection:
            number: int = connection.scalar(add)
            has_written.set()
            may_end.wait()
            return number

    def write() -> int:
        has_written.wait()
        with writing(postgres) as connection:
            number: int = connection.scalar(add)
            seen = connection.scalars(sa.text("SELECT fact_id FROM facts ORDER BY fact_id")).all()
            assert seen == [number - 1, number]
            return number

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.submit(write_slowly), threads.submit(write)
        has_written.wait()
        with postgres.connect() as connection:
            assert connection.scalar(sa.text("SELECT count(*) FROM facts")) == 0
        may_end.set()
        assert second.result() == first.result() + 1


def test_a_failed_transaction_leaves_nothing_and_lets_others_write(postgres: Engine) -> None:
    def fail() -> None:
        with writing(postgres) as connection:
            for _ in range(2):
                connection.execute(sa.text("INSERT INTO streams VALUES ('hall', 1)"))

    with pytest.raises(sa.exc.IntegrityError):
        fail()
    with writing(postgres) as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM streams")) == 0


def test_a_text_with_a_nul_harms_nobody(postgres: Engine) -> None:
    """It would break every question that takes something out of JSON where it stands."""
    table = sa.table(
        "facts", *(sa.column(name) for name in ("call_id", "type", "at")), sa.column("payload", sa.JSON)
    )
    payload = {"segment": {"text": "a\0b", "path": "C:\\u0000", "both": "\\\0"}}
    rows = [{"call_id": f"c\0{n}", "type": "nothing", "at": "", "payload": payload} for n in range(2)]
    with writing(postgres) as connection:
        connection.execute(sa.insert(table), rows)
    with postgres.connect() as connection:
        said = table.c.payload["segment"]["text"].as_string()
        assert set(connection.scalars(sa.select(said))) == {"a\ufffdb"}
        told = connection.scalars(sa.select(table.c.payload)).all()[0]
        assert told["segment"] == {"text": "a\ufffdb", "path": "C:\\u0000", "both": "\\\ufffd"}
        found = sa.select(sa.func.count()).select_from(table)
        assert connection.scalar(found.where(table.c.call_id == "c\x001")) == 1
        assert connection.scalar(found.where(table.c.call_id == "c1")) == 0, "it is another name than without"


def test_a_writer_that_falls_silent_is_sent_away_before_others_lose_patience(postgres: Engine) -> None:
    """As one does whose machine has lost its power in the middle of writing."""
    with postgres.connect().execution_options(**options_to_write(postgres)) as silent:
        silent.execute(sa.text("SELECT 1"))
        with writing(postgres) as other:  # raises after `LOCK_TIMEOUT_MS`
            assert other.scalar(sa.text("SELECT 2")) == 2
        with pytest.raises(OperationalError, match="idle-in-transaction"):
            silent.execute(sa.text("SELECT 1"))
