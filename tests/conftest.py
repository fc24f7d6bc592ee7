"""What several tests share: databases, and a clock that stands still."""

from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, settings
from playwright.async_api import expect

from access import passwords
from tests.databases import engine, usual_database
from tests.object_store import object_server, object_store, objects
from tests.postgres import postgres, postgres_server, postgres_url
from tests.real_server import data_dir, published
from tests.redis_server import redis_server
from tests.report_city import city
from tests.scripted_server import nursery

__all__ = [
    "city",
    "data_dir",
    "engine",
    "nursery",
    "object_server",
    "object_store",
    "objects",
    "postgres",
    "postgres_server",
    "postgres_url",
    "published",
    "redis_server",
    "usual_database",
]

# How quick something is, no test says.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
expect.set_options(timeout=60_000)  # the same for what a page shows

# Hashing a password is slow on purpose, and is done thousands of times here. Processes keep the real cost.
passwords.hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
passwords.nobody = passwords.hasher.hash("nobody has this password")


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
