"""Calls that the telephone system hands over go to the other operator's seat, over AudioSocket and ARI."""

from pathlib import Path
from uuid import uuid4

import httpx

from tests.house import House
from tests.line_parts import until_ended
from tests.rtp_parts import in_order, send, speaking
from tests.test_ari import ask, end, rtp_house
from tests.test_audiosocket import Line, telephone_house, until_heard
from tests.test_siprec_changes import until_seat


async def test_ports_asked_for_again_with_another_seat(tmp_path: Path) -> None:
    async with rtp_house(tmp_path) as house:
        answer = await ask(house, operator_id="027")
        ports = [int(leg["external_host"].rpartition(":")[2]) for leg in answer["legs"]]
        with speaking(ports, 2.4) as legs:
            await send(legs, in_order(legs, 0.0, 1.2))
            await until_heard(house, "c-1", 1)
            await until_seat(house, "027")
            assert await ask(house, operator_id="031") == answer
            await until_seat(house, "031")
            assert await ask(house, operator_id="031") == answer
            await send(legs, in_order(legs, 1.2, 2.4))
            await until_heard(house, "c-1", 2)
        assert await end(house) == 204
        seen = await until_ended(house, "c-1")
    assert seen["call"]["operator_id"] == "031"


async def test_a_wish_that_changes_before_the_call_begins(tmp_path: Path) -> None:
    async with rtp_house(tmp_path) as house:
        await ask(house, operator_id="027", parties=["citizen"])
        answer = await ask(house, operator_id="031", parties=["citizen"])
        ports = [int(leg["external_host"].rpartition(":")[2]) for leg in answer["legs"]]
        with speaking(ports, 1.2) as legs:
            await send(legs, in_order(legs))
            await until_seat(house, "031")
        assert await end(house) == 204
        await until_ended(house, "c-1")


async def announce(house: House, uuid: object, operator_id: str) -> None:
    async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        body = {"uuid": str(uuid), "operator_id": operator_id}
        assert (await client.post("/v1/telephony/lines", json=body)).status_code == 201


async def test_a_line_that_was_announced_with_another_seat(tmp_path: Path) -> None:
    uuid = uuid4()
    async with telephone_house(tmp_path) as (house, ports):
        await announce(house, uuid, "027")
        lines = [await Line.open(port, uuid) for port in ports]
        for line in lines:
            await line.say(1.2)
        await until_heard(house, str(uuid), 1)
        await until_seat(house, "027")
        await announce(house, uuid, "031")
        another = await Line.open(ports[1], uuid)
        for line in (another, lines[0]):
            await line.say(1.2)
        await until_seat(house, "031")
        for line in (another, *lines):
            await line.close()
        seen = await until_ended(house, str(uuid))
    assert seen["call"]["operator_id"] == "031"
