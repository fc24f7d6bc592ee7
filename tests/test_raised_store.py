"""Raised warnings as the database keeps them."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from calls.moments import stamp
from insight.raised.store import WarningStore
from insight.raised.tables import metadata, warnings
from insight.raised.types import UnknownWarning, WarningState
from knowledge_base.database import writing
from tests.databases import both_databases

NOW = datetime(2026, 3, 5, 10, tzinfo=UTC)


def keep(engine: Engine, number: int, *, state: str = "open", over_at: str | None = None) -> None:
    row = {
        "warning_id": f"w{number}",
        "version": 1,
        "layer": "known",
        "state": state,
        "matter": "路灯不亮",
        "name": "路灯不亮",
        "category": "市容",
        "district": "普陀区",
        "districts": ["普陀区"],
        "raised_at": stamp(NOW + timedelta(hours=number)),
        "since": stamp(NOW - timedelta(hours=5)),
        "window_h": 6,
        "observed": 9,
        "expected": 0.4,
        "probability": 1e-6,
        "false_share": 0.01,
        "places": 3,
        "callers_now": 9,
        "latest_at": stamp(NOW),
        "over_at": over_at,
        "sample_ids": ["c1"],
        "departments": ["市住房和城乡建设局"],
        "department_ids": ["SZ04"],
        "severity": "",
        "note": "",
        "changed_by": "",
        "changed_at": stamp(NOW),
        "rated_by": "",
    }
    with writing(engine) as connection:
        connection.execute(warnings.insert().values(row))


@both_databases
def test_what_goes_on_is_listed_newest_first(engine: Engine) -> None:
    keep(engine, 1)
    keep(engine, 2, state="muted")
    keep(engine, 3, state="assigned")
    keep(engine, 4, state="closed")
    keep(engine, 5, over_at=stamp(NOW))
    store = WarningStore(engine)
    assert [one.warning_id for one in store.open_warnings()] == ["w3", "w1"]
    assert store.open_warnings(limit=1)[0].state is WarningState.ASSIGNED
    assert store.warning("w1").raised_at == NOW + timedelta(hours=1)
    with pytest.raises(UnknownWarning):
        store.warning("w9")


@both_databases
def test_tables_are_as_the_migrations_make_them(engine: Engine) -> None:
    found = sa.inspect(engine)
    for table in metadata.tables.values():
        assert [one["name"] for one in found.get_columns(table.name)] == [one.name for one in table.columns]
