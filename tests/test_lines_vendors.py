"""Public packages in the place of telephone systems: they sign and send, this house has to understand.

`twilio` signs connections as Twilio does, `http-message-signatures` as Genesys does, `streamdouble` is
Twilio's side of a media stream, at the pace of speech and with a bad line.
"""

import base64
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver, algorithms
from streamdouble import api
from streamdouble.chaos import Impairments
from streamdouble.session import SessionConfig
from twilio.request_validator import RequestValidator

from tests.house import House, receive, running, send
from tests.line_clients import read
from tests.line_parts import spooled, until_ended
from tests.test_audio_socket import closing_code

TOKEN = "a-token-long-enough"


async def test_what_the_library_of_twilio_signs_is_let_in(tmp_path: Path) -> None:
    secret = "0123456789abcdef0123456789abcdef"
    async with running(tmp_path, token=TOKEN, twilio_auth_token=secret) as house:
        stranger = House(port=house.port)
        address = f"wss://127.0.0.1:{house.port}/v1/lines/twilio"
        start = {"event": "start", "start": {"callSid": "CA1", "tracks": ["inbound"]}}
        for key, signed_address, code in (
            (secret, address, 1000),
            ("another secret", address, 4401),
            (secret, address + "/other", 4401),
        ):
            signature = RequestValidator(key).compute_signature(signed_address, {})
            headers = {"X-Twilio-Signature": signature}
            async with stranger.socket("/v1/lines/twilio", additional_headers=headers) as line:
                await send(line, start)
                await send(line, {"event": "stop"})
                assert await closing_code(line) == code


@dataclass
class Opening:
    """The opening of an AudioHook connection, as a request that can be signed."""

    url: str
    headers: dict[str, str]
    method: str = "GET"


COVERED = (
    "@request-target",
    "@authority",
    "audiohook-organization-id",
    "audiohook-session-id",
    "audiohook-correlation-id",
    "x-api-key",
)


@dataclass
class Genesys:
    """Signs openings as Genesys Cloud does."""

    secret: bytes
    covered: tuple[str, ...] = COVERED
    age: timedelta = timedelta(seconds=-2)
    """Their clock may be ahead of ours."""

    def opening(self, house: House, session: str) -> dict[str, str]:
        """The headers of one connection."""
        opening = Opening(
            url=f"http://127.0.0.1:{house.port}/v1/lines/audiohook",
            headers={
                "audiohook-organization-id": "d7934305-0972-4844-938e-9060eef73d05",
                "audiohook-session-id": session,
                "audiohook-correlation-id": str(uuid.uuid4()),
                "x-api-key": TOKEN,
            },
        )
        signer = HTTPMessageSigner(
            signature_algorithm=algorithms.HMAC_SHA256,
            key_resolver=MappingKeyResolver(public_keys={}, private_keys={TOKEN: self.secret}),
        )
        now = datetime.now(UTC) - self.age
        signer.sign(
            opening,
            key_id=TOKEN,
            created=now,
            expires=now + timedelta(seconds=10),
            nonce=base64.b64encode(secrets.token_bytes(18)).decode(),
            label="sig1",
            covered_component_ids=self.covered,
        )
        return opening.headers


async def test_an_opening_signed_by_a_public_package_is_let_in(tmp_path: Path) -> None:
    ours = b"a secret of theirs and ours"
    session = str(uuid.uuid4())
    says = read("audiohook").says[0]["says"]
    conversation = {**says, "seq": 1, "id": session}
    secret = base64.b64encode(ours).decode()
    async with running(tmp_path, token=TOKEN, audiohook_secret=secret) as house:
        stranger = House(port=house.port)
        for genesys, answer in (
            (Genesys(ours), "opened"),
            (Genesys(ours, covered=tuple(reversed(COVERED))), "opened"),
            (Genesys(b"another secret"), "disconnect"),
            (Genesys(ours, covered=COVERED[1:]), "disconnect"),
            (Genesys(ours, age=timedelta(minutes=5)), "disconnect"),
        ):
            headers = genesys.opening(house, session)
            async with stranger.socket("/v1/lines/audiohook", additional_headers=headers) as line:
                await send(line, conversation)
                heard = await receive(line)
                assert heard["type"] == answer
                if answer == "disconnect":
                    assert heard["parameters"]["reason"] == "unauthorized"
                await send(line, {**conversation, "type": "close", "seq": 2, "parameters": {"reason": "end"}})
                assert await closing_code(line) == 1000


@pytest.mark.parametrize("impairments", [Impairments(), Impairments(loss=0.05, jitter_ms=30, latency_ms=20)])
async def test_a_stream_of_streamdouble_is_kept_as_it_was_sent(
    tmp_path: Path, impairments: Impairments
) -> None:
    conversation = read("twilio")
    sound = conversation.sound(2.0)
    caller, operator = ([one.tobytes() for one in np.split(sound[:, leg], 100)] for leg in (0, 1))
    config = SessionConfig(
        fork=True,
        strict_fork=True,  # whatever is sent back on such a stream would be an error
        tracks=["inbound", "outbound"],
        agent_frames=operator,
        custom_parameters={"operator_id": "027", "caller": "13900000001"},
        impairments=impairments,
        echo_marks=False,
        chaos_seed=4,
        connect_timeout_s=60,
    )
    async with running(tmp_path) as house:
        report = await api.call(f"ws://127.0.0.1:{house.port}/v1/lines/twilio", frames=caller, config=config)
        call_id = report.result.identity.call_sid
        call = (await until_ended(house, call_id))["call"]
    assert not report.violations
    assert (call["operator_id"], call["end_reason"]) == ("027", "hangup")
    kept = np.frombuffer(spooled(tmp_path, call_id), np.uint8).reshape(-1, 2)
    np.testing.assert_array_equal(kept[:, 1], sound[: len(kept), 1])
    is_silent = np.array([(piece == 0xFF).all() for piece in np.split(kept[:, 0], len(kept) // 160)])
    is_exact = np.array(
        [
            (piece == said).all()
            for piece, said in zip(
                np.split(kept[:, 0], len(kept) // 160), np.split(sound[:, 0], 100), strict=False
            )
        ]
    )
    assert (is_silent ^ is_exact).all()
    assert is_silent.sum() == report.result.frames_dropped
    assert bool(report.result.frames_dropped) == bool(impairments.loss)
