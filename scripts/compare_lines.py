"""Plays a recording through telephone protocols and through our own socket, and compares what is kept.

In: a server, a recording, names of protocols. Out: for each whether sound and text are the same, and the CER.
Not known here: how the server reads the protocols.

`python -m scripts.compare_lines CALL.wav twilio audiohook --server http://127.0.0.1:8300`

With `--encoding` the protocols that have a choice bring that one, with `--break-at` the connection breaks and
comes back. With `--loss` and the like packets are hurt on their way. What is kept is then played once more
over our own socket: silence or not, the text has to be that of the sound that is on record.
"""

import asyncio
import io
import json
import sys
import wave
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import httpx
import numpy as np
import typer
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from scripts.caller_sounds import Impairment
from scripts.callers import Plan
from scripts.replay import Recording, Replay, ReplayFailed, read_recording, replay
from scripts.server_options import DEFAULT_SERVER, Server, Token, local_key
from scripts.simulate_caller import PROTOCOLS

_ENDS_WITHIN_S = 120.0

Line = tuple[str, float, str]


class _Kept:
    """What a server keeps of calls."""

    def __init__(self, client: httpx.AsyncClient):
        self._client = client

    async def _get(self, path: str) -> httpx.Response:
        answer = await self._client.get(path)
        answer.raise_for_status()
        return answer

    async def sound(self, call_id: str) -> tuple[int, NDArray[np.int16]]:
        """The rate in Hz, and samples, shape (n, legs), once the call has ended."""
        async with asyncio.timeout(_ENDS_WITHIN_S):
            while True:
                if (await self._call(call_id))["call"]["state"] == "ended":
                    break
                await asyncio.sleep(0.2)
        with wave.open(io.BytesIO((await self._get(f"/v1/calls/{call_id}/sound")).content)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
            return file.getframerate(), samples.reshape(-1, file.getnchannels())

    async def _call(self, call_id: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((await self._get(f"/v1/calls/{call_id}")).content)
        return found

    async def lines(self, call_id: str) -> list[Line]:
        """(party, beginning, text), in order."""
        segments = (await self._call(call_id))["segments"]
        return sorted((s["party"], round(s["start_s"], 2), s["text"]) for s in segments if s["text"])


def cer(one: list[Line], other: list[Line]) -> float:
    """Percent of letters and digits that differ."""
    texts = [
        "".join(sign for _, _, text in lines for sign in text if sign.isalnum()) for lines in (one, other)
    ]
    return 100 * Levenshtein.distance(*texts) / max(1, len(texts[0]))


async def compare(
    recording: Recording,
    names: list[str],
    server: str,
    token: str | None,
    speed: float,
    impairment: Impairment | None = None,
    encoding: str | None = None,
    break_at_s: float | None = None,
) -> None:
    """Print a line for our own socket played twice, and one for each protocol."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(base_url=server, headers=headers, trust_env=False, timeout=60) as client:
        kept = _Kept(client)
        own = [
            (await replay(recording, Replay(server=server, token=token, speed=speed), lambda _, __: None))[
                "call_id"
            ]
            for _ in range(2)
        ]
        (_, sound), lines = await kept.sound(own[0]), await kept.lines(own[0])
        await _tell(kept, "our own, again", own[1], sound, lines)
        for name in names:
            plan = Plan(
                carrier=name,
                server=server,
                token=token,
                speed=speed,
                impairment=impairment or Impairment(),
                encoding=encoding,
                break_at_s=break_at_s,
            )
            heard = await PROTOCOLS[name](recording, plan)
            if impairment is None:
                await _tell(kept, name, heard.key, sound, lines)
                continue
            rate_hz, hurt = await kept.sound(heard.key)
            heard_parties = recording.channels[: hurt.shape[1]]  # some bring the citizen alone
            again = replace(recording, rate_hz=rate_hz, samples=hurt, channels=heard_parties)
            own_again = await replay(
                again, Replay(server=server, token=token, speed=speed), lambda _, __: None
            )
            silent = 100 * ((hurt == 0).mean() - (sound[:, : hurt.shape[1]] == 0).mean())
            print(
                f"{name}, hurt: {silent:.1f} % more silence, CER to the unhurt "
                f"{cer(lines, await kept.lines(heard.key)):.2f} %; what was kept, over our own socket:"
            )
            await _tell(kept, name, own_again["call_id"], hurt, await kept.lines(heard.key))


async def _tell(kept: _Kept, name: str, call_id: str, sound: NDArray[np.int16], lines: list[Line]) -> None:
    (_, got), said = await kept.sound(call_id), await kept.lines(call_id)
    # The last packet of some protocols is filled up with silence.
    is_same = np.array_equal(got[: len(sound)], sound) and not got[len(sound) :].any()
    print(
        f"{name}: sound {'the same' if is_same else 'DIFFERENT'}, text "
        f"{'the same' if said == lines else 'different'}, CER {cer(lines, said):.2f} %",
        flush=True,
    )


def main(
    recording: Path,
    protocols: Annotated[list[str], typer.Argument(help="Names as of `zhiting simulate-caller`.")],
    server: Server = DEFAULT_SERVER,
    token: Token = None,
    speed: float = 1.0,
    loss: float = 0.0,
    duplicate: float = 0.0,
    late: float = 0.0,
    reorder_ms: float = 0.0,
    encoding: str | None = None,
    break_at: float | None = None,
) -> None:
    """Compare."""
    hurt = Impairment(loss=loss, duplicate=duplicate, late=late, reorder_ms=reorder_ms)
    try:
        asyncio.run(
            compare(
                read_recording(recording),
                protocols,
                server,
                token or local_key(),
                speed,
                None if hurt == Impairment() else hurt,
                encoding,
                break_at,
            )
        )
    except (ReplayFailed, httpx.HTTPError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    typer.run(main)
