"""Recording sessions with a password: held against the RFC's example, against `httpx` and against `sipp`."""

import asyncio
import os
import re
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent_ui.settings import Settings
from calls.ingest.digest import Digest, Verdict, response
from scripts.caller_siprec import connected, multipart, offer_of
from tests.real_server import free_port
from tests.test_siprec import LEGS, SCENARIO, _pcap, recorder
from tests.test_siprec_changes import FIRST


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_the_rfc(algorithm: str, expected: str) -> None:
    assert expected == response(
        algorithm,
        user="Mufasa",
        realm="http-auth@example.org",
        password="Circle of Life",
        method="GET",
        uri="/dir/index.html",
        nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        count="00000001",
        own_nonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )


def answered(challenge: str, *, password: str = "open", user: str = "sbc") -> str:
    """What `httpx` answers to a challenge."""
    flow = httpx.DigestAuth(user, password).auth_flow(httpx.Request("INVITE", "http://srs/record"))
    request = next(flow)
    flow.send(httpx.Response(401, headers={"WWW-Authenticate": challenge}, request=request))
    return request.headers["Authorization"]


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_an_answer_counts_once_and_for_a_while(algorithm: str) -> None:
    digest = Digest(user="sbc", password="open", algorithms=[algorithm])
    (challenge,) = digest.challenges(100.0)
    right = answered(challenge)
    assert digest.check(right, "BYE", 100.0) is Verdict.WRONG
    assert digest.check(answered(challenge, password="shut"), "INVITE", 100.0) is Verdict.WRONG
    assert digest.check(answered(challenge, user="src"), "INVITE", 100.0) is Verdict.WRONG
    assert digest.check(right, "INVITE", 399.0) is Verdict.RIGHT
    assert digest.check(right, "INVITE", 399.0) is Verdict.STALE, "what was overheard"
    assert digest.check(answered(challenge), "INVITE", 401.0) is Verdict.STALE
    other = Digest(user="sbc", password="open")
    assert other.check(right, "INVITE", 100.0) is Verdict.WRONG, "not a nonce of ours"


def test_an_algorithm_that_was_not_offered_is_not_taken() -> None:
    strict = Digest(user="sbc", password="open", algorithms=["SHA-256"])
    (challenge,) = strict.challenges(1.0)
    assert strict.check(answered(challenge.replace("SHA-256", "MD5")), "INVITE", 1.0) is Verdict.WRONG


def test_nonces_that_were_forgotten_are_of_no_use() -> None:
    digest = Digest(user="sbc", password="open", algorithms=["MD5"])
    first = answered(digest.challenges(1.0)[0])
    assert digest.check(first, "INVITE", 1.0) is Verdict.RIGHT
    for number in range(5_001):
        assert digest._take(digest._nonce(2.0 + number / 1_000), 1, 8.0)
    assert digest.check(first, "INVITE", 8.0) is Verdict.STALE
    assert len(digest._counts) <= 5_000


@pytest.mark.parametrize(
    "header",
    ["", "Digest", "Basic abc", 'Digest realm="zhiting"', "Digest " + 'a="b",' * 900, 'Digest nonce="\x00é"']
    + [
        f'Digest realm="zhiting", qop=auth, nc=00000001, algorithm=MD5, nonce="{one}"'
        for one in ("", "é", "MTox")
    ],
)
def test_what_is_no_answer_is_wrong(header: str) -> None:
    assert Digest(user="sbc", password="open").check(header, "INVITE", 1.0) is Verdict.WRONG


async def test_a_client_that_does_not_know_the_password_is_asked_again(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"siprec_user": "sbc", "siprec_password": "open"}
    async with recorder(tmp_path, **changes) as (_, sip), connected("127.0.0.1", sip) as client:
        kind, body = multipart(offer_of(LEGS, 8, "PCMA/8000"), FIRST.encode())

        async def invite(authorization: str = "") -> tuple[int, list[str]]:
            more = {"Content-Type": kind} | ({"Authorization": authorization} if authorization else {})
            said = await client.request("INVITE", more, body)
            client.acknowledge(said)
            return said.status, said.all("www-authenticate")

        status, challenges = await invite()
        assert status == 401
        assert [re.findall(r"algorithm=([\w-]+)", one) for one in challenges] == [["SHA-256"], ["MD5"]]
        assert (await invite(answered(challenges[0], password="shut")))[0] == 401
        assert (await invite(answered(challenges[0])))[0] == 200
        assert (await client.request("BYE")).status == 200


@pytest.mark.parametrize(
    "changes", [{"siprec_user": "a"}, {"siprec_password": "a"}, {"siprec_algorithms": []}]
)
def test_settings_that_do_not_go_together_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="siprec"):
        Settings(_env_file=None, **changes)  # type: ignore[call-arg, arg-type]


ASKED = """ <recv response="100" optional="true"/>
 <recv response="401" auth="true"/>
 <send><![CDATA[
ACK sip:record@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:record@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
"""


@pytest.mark.skipif(shutil.which("sipp") is None, reason="sipp is not installed (Debian: sip-tester)")
@pytest.mark.skipif(os.geteuid() != 0, reason="sipp plays captures through raw sockets, which takes root")
async def test_sipp_answers_the_challenge(tmp_path: Path) -> None:
    first = re.search(r" <send.*?</send>\n", SCENARIO, re.DOTALL)
    assert first is not None
    again = (
        first.group()
        .replace("CSeq: 1", "CSeq: 2")
        .replace("Max-Forwards", "[authentication username=sbc password=open]\nMax-Forwards")
    )
    rest = SCENARIO[first.end() :].replace("CSeq: 3", "CSeq: 4").replace("CSeq: 2", "CSeq: 3")
    rest = rest.replace("CSeq: 1 ACK", "CSeq: 2 ACK").replace('milliseconds="2600"', 'milliseconds="100"')
    scenario = tmp_path / "siprec.xml"
    _pcap(tmp_path / "talk.pcap", 0.1)
    scenario.write_text(
        (SCENARIO[: first.end()] + ASKED + again + rest) % {"metadata": FIRST, "pcap": tmp_path / "talk.pcap"}
    )
    changes: dict[str, Any] = {"siprec_user": "sbc", "siprec_password": "open", "siprec_algorithms": ["MD5"]}
    async with recorder(tmp_path / "data", **changes) as (_, sip):
        command = ["sipp", f"127.0.0.1:{sip}", "-sf", str(scenario), "-m", "1", "-i", "127.0.0.1", "-t", "u1"]
        command += ["-p", str(free_port()), "-mp", str(free_port() // 2 * 2), "-nostdin", "-timeout", "60"]
        process = await asyncio.create_subprocess_exec(
            *command, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode(errors="replace")[-3_000:]
