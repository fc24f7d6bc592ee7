"""What recording clients say in mid-call: a transfer, whole or in part, a hold, new ports, a sign of life."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from calls.ingest.rules import CarrierRules
from calls.ingest.sip import SipMessage
from calls.ingest.siprec import SiprecBody, cast, is_seat_certain
from calls.ingest.siprec_metadata import Metadata, read_metadata
from scripts.caller_siprec import SipClient, connected, multipart, offer_of, ports_in
from tests.house import House, receive_until
from tests.line_parts import spooled, until_ended
from tests.rtp_parts import Leg, in_order, kept_of, send, speaking
from tests.test_siprec import LEGS, recorder
from tests.test_siprec_parts import body_of

METADATA = {"Content-Type": "application/rs-metadata+xml", "Content-Disposition": "recording-session"}
XMLNS = 'xmlns="urn:ietf:params:xml:ns:recording:1"'
FIRST = f"""<recording {XMLNS}><dataMode>complete</dataMode><session session_id="c-1"/>
<participant participant_id="p0"><nameID aor="sip:13900000001@pbx"/></participant>
<participant participant_id="p1"><nameID aor="sip:027@pbx"/></participant>
<stream stream_id="s0"><label>1</label></stream><stream stream_id="s1"><label>2</label></stream>
<participantstreamassoc participant_id="p0"><send>s0</send><recv>s1</recv></participantstreamassoc>
<participantstreamassoc participant_id="p1"><send>s1</send><recv>s0</recv></participantstreamassoc>
</recording>"""
LEFT = "<disassociate-time>2026-03-05T10:33:00Z</disassociate-time>"
TRANSFERRED_IN_PART = f"""<recording {XMLNS}><dataMode>partial</dataMode>
<participant participant_id="p2"><nameID aor="sip:031@pbx"><name>李坐席</name></nameID></participant>
<participantsessionassoc participant_id="p1" session_id="c-1">{LEFT}</participantsessionassoc>
<participantsessionassoc participant_id="p2" session_id="c-1">
<associate-time>2026-03-05T10:33:00Z</associate-time></participantsessionassoc>
<participantstreamassoc participant_id="p1"><send>s1</send>{LEFT}</participantstreamassoc>
<participantstreamassoc participant_id="p2"><send>s1</send><recv>s0</recv></participantstreamassoc>
</recording>"""


def after(*xml: str) -> Metadata:
    read = [read_metadata(one.encode()) for one in xml]
    found = read[0]
    for one in read[1:]:
        found = found.followed_by(one)
    return found


def test_what_a_part_does_not_name_stays_as_it_was() -> None:
    found = after(FIRST, TRANSFERRED_IN_PART)
    assert {label: one.user for label, one in found.by_label.items()} == {"1": "13900000001", "2": "031"}
    assert [one.user for one in found.participants] == ["13900000001", "031"]
    assert found.session_id == "c-1"


def test_a_whole_one_replaces_what_was_said_before() -> None:
    later = FIRST.replace("027", "044").replace("p1", "q1")
    assert [one.user for one in after(FIRST, TRANSFERRED_IN_PART, later).participants] == [
        "13900000001",
        "044",
    ]


def test_a_stream_that_is_not_sent_any_more_is_nobodys() -> None:
    gone = f"""<recording {XMLNS}><dataMode>partial</dataMode>
    <participantstreamassoc participant_id="p1"><send>s1</send>{LEFT}</participantstreamassoc></recording>"""
    assert list(after(FIRST, gone).by_label) == ["1"]


def test_parts_that_never_end_stay_few() -> None:
    found = after(FIRST)
    for number in range(20):
        people = "".join(f'<participant participant_id="x{number}-{n}"/>' for n in range(50))
        streams = "".join(f'<stream stream_id="y{number}-{n}"><label>{n}</label></stream>' for n in range(50))
        found = found.followed_by(
            read_metadata(f"<recording><dataMode>partial</dataMode>{people}{streams}</recording>".encode())
        )
    assert max(len(found.people), len(found.labels), len(found.senders)) <= 100


def body(metadata: Metadata, labels: tuple[str, ...] = ("1", "2")) -> SiprecBody:
    return SiprecBody(offer=body_of("", labels).offer, metadata=metadata)


@pytest.mark.parametrize(
    ("later", "is_certain"),
    [
        (TRANSFERRED_IN_PART, True),
        (FIRST, True),
        (FIRST.replace("027", "044"), True),
        (FIRST.replace("027", "13900000001"), False),
        (
            f"<recording><dataMode>partial</dataMode><session session_id='c-1'>{LEFT}</session></recording>",
            True,
        ),
    ],
)
def test_a_call_goes_to_who_sends_the_operators_stream(later: str, is_certain: bool) -> None:
    told = cast(body(after(FIRST)), CarrierRules()).fields
    found = after(FIRST, later)
    assert is_seat_certain(told, cast(body(found), CarrierRules()), found) is is_certain


def test_where_nobody_says_who_sends_a_stream_the_old_operator_must_be_gone() -> None:
    def people(*users: str) -> Metadata:
        parts = "".join(
            f'<participant participant_id="{user}"><nameID aor="sip:{user}@a"/></participant>'
            for user in users
        )
        return read_metadata(f"<recording>{parts}</recording>".encode())

    def moved(*users: str) -> bool:
        told = cast(body(people("139", "027"), ("x", "y")), CarrierRules()).fields
        found = people(*users)
        return is_seat_certain(told, cast(body(found, ("x", "y")), CarrierRules()), found)

    assert moved("139", "031")
    assert not moved("139", "031", "027"), "both are there: the new one is asked something"
    assert not moved("031", "139"), "the citizen has not become the operator"
    assert not moved("139")


async def agree(client: SipClient, metadata: str = "", **changes: Any) -> SipMessage:
    """An INVITE, the first or a later one."""
    sdp = offer_of(LEGS, 8, "PCMA/8000", **changes)
    kind, content = multipart(sdp, metadata.encode()) if metadata else ("application/sdp", sdp)
    said = await client.request("INVITE", {"Content-Type": kind}, content)
    client.acknowledge(said)
    assert said.status == 200
    return said


def assert_kept(data_dir: Path, legs: list[Leg]) -> None:
    assert kept_of(spooled(data_dir, "c-1"), 2) == [leg.sound for leg in legs]


async def until_heard(house: House, seconds: int) -> None:
    async with house.socket("/v1/screens/calls/c-1") as screen:
        await receive_until(screen, lambda event: f"第{seconds - 1}秒" in str(event))


async def until_seat(house: House, operator_id: str) -> None:
    """Wait until the call stands at that seat, as the screen of that operator sees it."""
    async with house.socket(f"/v1/screens/operators/{operator_id}") as screen:
        await receive_until(screen, lambda event: (event.get("call") or {}).get("operator_id") == operator_id)


async def test_a_transfer_moves_the_call_to_the_new_seat(tmp_path: Path) -> None:
    async with recorder(tmp_path) as (house, sip), connected("127.0.0.1", sip) as client:
        agreed = await agree(client, FIRST)
        with speaking(ports_in(agreed), 3.4) as legs:
            await send(legs, in_order(legs, 0.0, 1.2))
            await until_heard(house, 1)
            await until_seat(house, "027")
            said = await client.request("UPDATE", METADATA, TRANSFERRED_IN_PART.encode())
            assert (said.status, said.body) == (200, b"")
            await until_seat(house, "031")
            await send(legs, in_order(legs, 1.2, 2.4))
            again = await agree(client, FIRST.replace("027", "044"))
            assert ports_in(again) == ports_in(agreed)
            await until_seat(house, "044")
            await send(legs, in_order(legs, 2.4, 3.4))
            await until_heard(house, 3)
            assert (await client.request("BYE")).status == 200
            seen = await until_ended(house, "c-1")
    assert (seen["call"]["operator_id"], seen["call"]["caller"]) == ("044", "13900000001")
    assert seen["call"]["seconds"] == pytest.approx(3.4, abs=0.2)
    assert_kept(tmp_path, legs)


async def test_who_plays_music_on_hold_does_not_get_the_call(tmp_path: Path) -> None:
    async with recorder(tmp_path) as (house, sip), connected("127.0.0.1", sip) as client:
        with speaking(ports_in(await agree(client, FIRST)), 2.4) as legs:
            await send(legs, in_order(legs, 0.0, 1.2))
            await until_heard(house, 1)
            await asyncio.sleep(1.2)  # after a hold it counts when sound arrives
            await agree(client, FIRST.replace("027", "music"), direction="inactive")
            assert (
                await client.request("UPDATE", METADATA, FIRST.replace("027", "music").encode())
            ).status == 200
            await agree(client, FIRST)
            await send(legs, in_order(legs, 1.2, 2.4))
            await until_heard(house, 2)
            assert (await client.request("BYE")).status == 200
            seen = await until_ended(house, "c-1")
    assert seen["call"]["operator_id"] == "027"


async def test_signs_of_life_and_bad_metadata_change_nothing(tmp_path: Path) -> None:
    async with recorder(tmp_path) as (house, sip), connected("127.0.0.1", sip) as client:
        agreed = await agree(client, FIRST)
        with speaking(ports_in(agreed), 3.4) as legs:
            await send(legs, in_order(legs, 0.0, 1.2))
            for method in ("INVITE", "UPDATE"):  # session timers (RFC 4028)
                said = await client.request(
                    method, {"Session-Expires": "1800;refresher=uac", "Supported": "timer"}
                )
                assert said.status == 200
                if method == "INVITE":
                    client.acknowledge(said)
                    assert ports_in(said) == ports_in(agreed)
            await send(legs, in_order(legs, 1.2, 2.4))
            assert (await client.request("UPDATE", METADATA, b"<recording>")).status == 400
            refreshed = await agree(client)
            assert ports_in(refreshed) == ports_in(agreed)
            await send(legs, in_order(legs, 2.4, 3.4))
            await until_heard(house, 3)
            assert (await client.request("BYE")).status == 200
            seen = await until_ended(house, "c-1")
    assert seen["call"]["operator_id"] == "027"
    assert seen["call"]["seconds"] == pytest.approx(3.4, abs=0.2)
    assert_kept(tmp_path, legs)


async def test_sound_from_other_ports_goes_on_at_once_after_they_were_said(tmp_path: Path) -> None:
    async with recorder(tmp_path) as (house, sip), connected("127.0.0.1", sip) as client:
        agreed = await agree(client, FIRST)
        with speaking(ports_in(agreed), 2.4) as legs:
            await send(legs, in_order(legs, 0.0, 1.2))
            await until_heard(house, 1)
            again = await agree(client, FIRST, port=52_000)
            assert ports_in(again) == ports_in(agreed)
            for leg in legs:
                leg.change_port()
            await send(legs, in_order(legs, 1.2, 2.4))
            await until_heard(house, 2)
            assert (await client.request("BYE")).status == 200
            seen = await until_ended(house, "c-1")
    assert seen["call"]["seconds"] == pytest.approx(2.4, abs=0.2)
    assert_kept(tmp_path, legs)
