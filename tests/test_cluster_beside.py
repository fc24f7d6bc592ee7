"""Two processes on one database, beside the calls: one form, one lookout."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from calls.forms.keeping import FormStore
from calls.forms.types import FieldName
from insight.raised.state import read_state
from insight.raised.tables import state as state_table
from knowledge_base.database import open_database
from tests.form_parts import ask, if_match, script
from tests.house import START, House, receive_until, running, send, sound
from tests.test_cluster import leads, two
from tests.waiting import until_true

WRAPUP = "/v1/calls/c-1/wrapup"


async def form_at(house: House) -> dict[str, Any]:
    form: dict[str, Any] = (await ask(house, "GET", WRAPUP)).json()
    return form


async def test_of_two_changes_of_a_form_at_two_processes_one_is_told_and_none_is_lost(
    tmp_path: Path, postgres_url: str
) -> None:
    async with two(tmp_path, postgres_url, "database", script()) as (one, other):
        async with one.socket("/v1/calls/audio") as line:
            await send(line, START | {"channels": ["citizen", "operator"], "call_id": "c-1"})
            await line.send(sound(7, channels=2))
            await send(line, {"type": "stop"})
            await receive_until(line, lambda message: message["type"] == "ended")

        async def is_drafted() -> bool:
            return bool((await form_at(other))["is_final"])

        await until_true(is_drafted)
        version = (await form_at(other))["version"]

        async def change(house: House, summary: str) -> httpx.Response:
            wish = {"fields": {"summary": summary}, "author": summary}
            return await ask(house, "PATCH", WRAPUP, json=wish, headers=if_match(version))

        texts = [f"第{n}种写法" for n in range(6)]
        answers = await asyncio.gather(*(change((one, other)[n % 2], text) for n, text in enumerate(texts)))
        taken = [text for text, answer in zip(texts, answers, strict=True) if answer.status_code == 200]
        assert len(taken) == 1
        assert {answer.status_code for answer in answers} == {200, 412}
        forms = [await form_at(house) for house in (one, other)]
        assert forms[0] == forms[1]
        assert (forms[0]["summary"]["value"], forms[0]["version"]) == (taken[0], version + 1)

        made = await asyncio.gather(*(ask(house, "POST", f"{WRAPUP}/order") for house in (one, other) * 3))
        assert {answer.status_code for answer in made} <= {200, 201}, [answer.text for answer in made]
        (order_id,) = {answer.json()["order_id"] for answer in made}
        assert (await ask(one, "GET", "/v1/orders?call_id=c-1")).json()["total"] == 1
        assert {(await form_at(house))["order"]["order_id"] for house in (one, other)} == {order_id}
    engine = open_database(postgres_url)
    kept = [one for one in FormStore(engine).corrections() if one.name is FieldName.SUMMARY]
    engine.dispose()
    assert [(one.corrected, one.by) for one in kept] == [(taken[0], taken[0])]


async def is_learnt(house: House) -> bool:
    return bool((await ask(house, "GET", "/v1/warnings/lookout")).json()["is_ready"])


async def test_the_early_warning_rests_where_nobody_leads_and_goes_on_where_somebody_comes_to(
    tmp_path: Path, postgres_url: str
) -> None:
    settings: dict[str, Any] = {"database_url": postgres_url, "bus": "database", "lease_s": 60.0}
    async with running(tmp_path / "b", **settings) as other:
        async with running(tmp_path / "a", **settings) as one:

            async def has_leader() -> bool:
                return await leads(one) != await leads(other)

            await until_true(has_leader)
            leader, follower = (one, other) if await leads(one) else (other, one)
            await until_true(lambda: is_learnt(leader))
            assert not await is_learnt(follower)
            assert leader is other, "who was there first leads"
            assert not await leads(follower)
        assert await is_learnt(other)
        async with running(tmp_path / "a", **settings) as one:
            await until_true(lambda: is_learnt(other))
            assert not await is_learnt(one)
            engine = open_database(postgres_url)
            with engine.begin() as connection:
                names = set(connection.scalars(sa.select(state_table.c.name)))
                known = read_state(connection, "finder.known")
            engine.dispose()
            assert known is not None, names
    assert known
