"""The hall in the real house: what its board is told over the socket, and who may see it."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection

from knowledge_base.database import open_database
from scripts.hall_fold import Folded
from tests.databases import database_in
from tests.form_parts import ask
from tests.house import START, House, Script, receive, receive_until, running, send, sound
from tests.test_door import closing_code as code_of
from tests.test_door import cookie, peopled, signed_in

HALL = "/v1/screens/hall"


async def begin(house: House, call_id: str, **more: object) -> ClientConnection:
    line = await house.socket("/v1/calls/audio")
    await send(line, START | {"call_id": call_id, "operator_id": call_id, "caller": "13900000000"} | more)
    assert (await receive(line, wait_s=60))["type"] == "started"
    return line


async def end(line: ClientConnection) -> None:
    await send(line, {"type": "stop"})
    await receive_until(line, lambda message: message["type"] == "ended", wait_s=60)


async def fold_until(screen: ClientConnection, board: Folded, is_so: Any) -> None:
    async with asyncio.timeout(60):
        while not (board.rows and is_so(board)):
            board.apply(await receive(screen, wait_s=60))


def states(board: Folded) -> list[str]:
    return sorted(row.state.value for row in board.rows.values())


async def test_a_board_sees_calls_come_and_go_and_comes_back_to_what_it_missed(tmp_path: Path) -> None:
    zone = zone_of_noon()
    async with running(tmp_path, Script(), timezone=zone) as house:
        async with house.socket(HALL) as screen:
            board = Folded()
            board.apply(await receive(screen))
            now = datetime.now(UTC)
            arrived = {"arrived_at": (now - timedelta(seconds=30)).isoformat()}
            told = await ask(house, "PUT", "/v1/arrivals/c-1", json=arrived)
            assert told.status_code == 200
            await fold_until(screen, board, lambda board: states(board) == ["waiting"])
            line = await begin(house, "c-1")
            await fold_until(screen, board, lambda board: states(board) == ["talking"])
        missed_from = board.seq
        await end(line)
        async with house.socket(f"{HALL}?since={missed_from}") as screen:
            await fold_until(screen, board, lambda board: board.blocks and states(board) != ["talking"])
            (row,) = board.rows.values()
            assert "13900000000" not in str(row)
            assert "c-1" not in str(row)
            answer = (await ask(house, "GET", "/v1/hall")).json()
            assert [one["call_key"] for one in answer["calls"]] == [row.call_key]
            assert answer["figures"]["calls"] == answer["figures"]["answered"] == 1
            assert answer["figures"]["share_answered"] == 1.0
        for since in (0, board.seq + 1000):
            async with house.socket(f"{HALL}?since={since}") as screen:
                assert (await receive(screen))["type"] == "hall.snapshot"
    async with (
        running(tmp_path, Script(), timezone=zone) as house,
        house.socket(f"{HALL}?since={board.seq}") as screen,
    ):
        again = await receive(screen)
        assert again["type"] == "hall.snapshot"
        assert again["seq"] > board.seq
        assert [one["arrived_at"] for one in again["calls"]] == [row.arrived_at.isoformat()]


async def test_two_hundred_calls_at_once_are_counted_to_the_unit(tmp_path: Path) -> None:
    n = 200
    script = Script(max_calls=n)
    async with (
        running(tmp_path, script, min_free_mb=0, max_calls=n, timezone=zone_of_noon()) as house,
        house.socket(HALL) as screen,
        httpx.AsyncClient(base_url=house.url, timeout=60) as client,
    ):
        lines: list[ClientConnection] = []

        async def live(number: int) -> None:
            call_id = f"c-{number}"
            arrival = {"arrived_at": (datetime.now(UTC) - timedelta(seconds=5)).isoformat()}
            assert (await client.put(f"/v1/arrivals/{call_id}", json=arrival)).status_code == 200
            if number % 10 == 0:
                arrival["left_at"] = datetime.now(UTC).isoformat()
                assert (await client.put(f"/v1/arrivals/{call_id}", json=arrival)).status_code == 200
                return
            line = await begin(house, call_id)
            await line.send(sound(0.1))
            if number % 2:
                await end(line)
            else:
                lines.append(line)

        board = Folded()
        living = asyncio.gather(*(live(number) for number in range(n)))
        await fold_until(screen, board, lambda board: over_and_not(board) == (100, 20, 80))
        await living
        figures = board.figures()
        answer = (await client.get("/v1/hall")).json()["figures"]
        database = open_database(database_in(tmp_path))
        with database.connect() as connection:
            ask = connection.exec_driver_sql
            by_state = dict(map(tuple, ask("SELECT state, count(*) FROM calls GROUP BY state")))
            left = ask(
                "SELECT count(*) FROM arrivals WHERE call_id NOT IN (SELECT call_id FROM calls)"
            ).scalar()
        database.dispose()
        assert (figures.talking, figures.abandoned) == (by_state["live"], left) == (80, 20)
        assert figures.wrapup + figures.ended == by_state["ended"] == 100
        assert figures.calls == answer["calls"] == n
        assert figures.answered == answer["answered"] == 180
        assert sum(figures.hours) == n
        for line in lines:
            await line.close()


def over_and_not(board: Folded) -> tuple[int, int, int]:
    found = states(board)
    return found.count("wrapup") + found.count("ended"), found.count("abandoned"), found.count("talking")


def zone_of_noon() -> str:
    """Where it is about noon now: no test may run over midnight."""
    return f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"


async def test_who_may_see_the_hall(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house:
        async with house.socket(HALL) as nobody:
            assert await code_of(nobody) == 4401
        for name in ("li", "zhao", "sun", "admin"):
            async with signed_in(house, name) as client:
                assert (await client.get("/v1/hall")).status_code == 200, name
                async with house.socket(HALL, additional_headers=cookie(client)) as screen:
                    assert (await receive(screen))["type"] == "hall.snapshot"
        arrival = {"arrived_at": datetime.now(UTC).isoformat()}
        for name, status in (("li", 403), ("sun", 200)):
            async with signed_in(house, name) as client:
                assert (await client.put("/v1/arrivals/c-1", json=arrival)).status_code == status
        async with signed_in(house, "admin") as admin:
            made = await admin.post("/v1/tokens", json={"name": "大屏", "scopes": ["hall"], "days": 30})
            key = made.json()["key"]
        async with house.socket(f"{HALL}?token={key}") as screen:
            assert (await receive(screen))["type"] == "hall.snapshot"
        async with house.socket(f"/v1/screens/calls?token={key}") as screen:
            assert await code_of(screen) == 4403
        async with httpx.AsyncClient(base_url=house.url, timeout=60) as board:
            for path, status in (("/v1/hall", 200), ("/v1/alarms", 403), ("/v1/orders", 403)):
                answer = await board.get(path, headers={"Authorization": f"Bearer {key}"})
                assert answer.status_code == status, path


async def test_arrivals_that_cannot_be_are_refused(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    wrong = [
        ({"arrived_at": (now + timedelta(hours=1)).isoformat()}, "arrival.in_future"),
        (
            {"arrived_at": now.isoformat(), "left_at": (now - timedelta(seconds=1)).isoformat()},
            "arrival.bad",
        ),
        ({"arrived_at": "0001-01-01T00:00:00+08:00"}, None),
        ({"arrived_at": "2026-03-05T10:00:00"}, None),
        ({"arrived_at": now.isoformat(), "caller": "139"}, None),
        ({}, None),
    ]
    async with running(tmp_path, Script()) as house:
        for body, code in wrong:
            answer = await ask(house, "PUT", "/v1/arrivals/c-1", json=body)
            assert answer.status_code == 422, body
            if code:
                assert answer.json()["detail"]["code"] == code
        answer = await ask(house, "PUT", "/v1/arrivals/-", json={"arrived_at": now.isoformat()})
        assert answer.status_code == 422
        assert (await ask(house, "GET", "/v1/hall")).json()["figures"]["calls"] == 0
