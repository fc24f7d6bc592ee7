"""A whole database in another one: what went over is what was there, and numbers go on where they were."""

import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from typer.testing import CliRunner

from insight.reports.building import build_report
from insight.reports.periods import period_of
from insight.reports.types import Kind, Report
from knowledge_base.copying import CopyRefused, copy_database
from knowledge_base.database import migrate, open_database, writing
from scripts.database_cli import app
from tests.report_city import NOW, ZONE

BUILT_ANEW = {"indexed_calls", "indexed_lines", "index_state", "line_texts", "line_sounds"}


def content(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """All rows, as Python has them, with what stands in JSON as text."""
    with engine.connect() as connection:
        found = sa.inspect(connection)
        names = [name for name in found.get_table_names() if not name.startswith("line_")]
        metadata = sa.MetaData()
        metadata.reflect(connection, only=[name for name in names if name not in BUILT_ANEW])
        return {
            table.name: sorted(
                (
                    tuple(json.dumps(value, sort_keys=True, default=str) for value in row)
                    for row in connection.execute(
                        sa.select(*(column for column in table.columns if column.name != "rowid"))
                    )
                ),
            )
            for table in metadata.sorted_tables
        }


def test_a_city_goes_to_postgresql_and_back(city: Path, tmp_path: Path, postgres: Engine) -> None:
    here, back = open_database(city / "zhiting.db"), open_database(tmp_path / "back.db")
    told: list[tuple[str, int, int]] = []
    copied = copy_database(here, postgres, lambda *one: told.append(one))
    assert copied["calls"] > 100
    assert ("calls", copied["calls"], copied["calls"]) in told
    assert copy_database(postgres, back) == copied
    before = content(here)
    assert content(postgres) == before
    assert content(back) == before
    here.dispose()
    back.dispose()


def test_a_report_of_the_same_city_is_the_same(city: Path, postgres: Engine) -> None:
    here = open_database(city / "zhiting.db")
    copy_database(here, postgres)
    period = period_of(Kind.MONTH, NOW.date() - timedelta(days=1), ZONE)

    def report(engine: Engine) -> Report:
        found = build_report(engine, kind=Kind.MONTH, period=period, now=NOW, zone=ZONE, names={})
        return replace(found, runs=tuple(replace(run, sql="") for run in found.runs))

    assert report(postgres) == report(here)
    here.dispose()


def test_numbers_that_were_given_are_not_given_again(engine: Engine, postgres: Engine) -> None:
    add = sa.text(
        "INSERT INTO webhook_events (event_id, type, at, body) VALUES (:id, 't', '', '') RETURNING number"
    )
    with writing(engine) as connection:
        for name in "abc":
            newest = connection.scalar(add, {"id": name})
        connection.execute(sa.text("DELETE FROM webhook_events"))
        connection.execute(sa.text("INSERT INTO facts (type, at, payload) VALUES ('nothing', '', '{}')"))
    copy_database(engine, postgres)
    with writing(postgres) as connection:
        assert connection.scalar(add, {"id": "d"}) == newest + 1
        fact = sa.text("INSERT INTO facts (type, at, payload) VALUES ('nothing', '', '{}') RETURNING fact_id")
        assert connection.scalar(fact) == 2


def test_a_database_with_something_in_it_is_left_alone(engine: Engine, tmp_path: Path) -> None:
    other = open_database(tmp_path / "other.db")
    migrate(other)
    for one in (engine, other):
        with writing(one) as connection:
            connection.execute(sa.text("INSERT INTO streams VALUES ('hall', 7)"))
    with pytest.raises(CopyRefused, match="streams 1 行"):
        copy_database(engine, other)
    other.dispose()


def test_the_command_says_what_went_over(city: Path, tmp_path: Path, postgres_url: str) -> None:
    shutil.copy(city / "zhiting.db", tmp_path / "zhiting.db")
    copied = CliRunner().invoke(app, ["copy", "--from", str(tmp_path / "zhiting.db"), "--to", postgres_url])
    assert copied.exit_code == 0, copied.output
    assert "已复制" in copied.output
    again = CliRunner().invoke(app, ["copy", "--from", str(tmp_path / "zhiting.db"), "--to", postgres_url])
    assert again.exit_code == 1
    assert "目标数据库里已有数据" in again.output
    missing = CliRunner().invoke(app, ["copy", "--from", str(tmp_path / "no.db"), "--to", postgres_url])
    assert missing.exit_code == 1
    assert "没有数据库" in missing.output
