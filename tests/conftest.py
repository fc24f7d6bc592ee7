"""What several tests share: a database in a temporary folder, and a clock that stands still."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from playwright.async_api import expect
from sqlalchemy import Engine

from knowledge_base.database import migrate, open_database
from tests.postgres import postgres, postgres_server, postgres_url
from tests.real_server import data_dir, published
from tests.report_city import city

__all__ = ["city", "data_dir", "postgres", "postgres_server", "postgres_url", "published"]

# How quick something is, no test says.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
expect.set_options(timeout=60_000)  # the same for what a page shows


class Clock:
    """A clock that goes only when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 5, 10, 32, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path / "zhiting.db")
    migrate(engine)
    yield engine
    engine.dispose()
