"""`zhiting simulate-caller`: a recording comes in as a carrier would bring it, for trials without one.

In: a recording, the name of a protocol. Out: a call in the server; exit codes: 0 played, 1 could not be.
Not known here: how the server reads the protocol.
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from asr.types import AsrError
from calls.ingest import l16, twilio
from scripts import (
    caller_asterisk,
    caller_audiohook,
    caller_audiosocket,
    caller_l16,
    caller_rtp,
    caller_siprec,
    caller_twilio,
)
from scripts.caller_sounds import Impairment
from scripts.callers import Heard, Plan
from scripts.replay import Recording, ReplayFailed, read_recording
from scripts.server_options import DEFAULT_SERVER, Server, Token, local_key

_console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)

Play = Callable[[Recording, Plan], Coroutine[Any, Any, Heard]]
PROTOCOLS: dict[str, Play] = {
    **dict.fromkeys(twilio.CARRIERS, caller_twilio.call),
    "audiohook": caller_audiohook.call,
    **dict.fromkeys(l16.CARRIERS, caller_l16.call),
    "asterisk": caller_asterisk.call,
    "audiosocket": caller_audiosocket.call,
    "ari": caller_rtp.call,
    "siprec": caller_siprec.call,
}


def simulate_caller(
    recording: Annotated[Path, typer.Argument(help="Recording of one call, in any common format.")],
    protocol: Annotated[str, typer.Option(help=f"One of: {', '.join(PROTOCOLS)}.")],
    server: Server = DEFAULT_SERVER,
    token: Token = None,
    speed: Annotated[float, typer.Option(min=0.1, max=100, help="1 plays as it was spoken.")] = 1.0,
    call_id: Annotated[str | None, typer.Option(help="By which the carrier knows the call.")] = None,
    operator: Annotated[str | None, typer.Option(help="Operator who takes the call.")] = None,
    caller: Annotated[str | None, typer.Option(help="Telephone number of the caller.")] = None,
    dialled: Annotated[str | None, typer.Option(help="Telephone number that was dialled.")] = None,
    encoding: Annotated[
        str | None, typer.Option(help="mulaw, alaw or pcm_s16le, where the protocol has a choice.")
    ] = None,
    secret: Annotated[str | None, typer.Option(help="AudioHook: the client secret, in base64.")] = None,
    port: Annotated[
        list[int] | None,
        typer.Option(help="Port of a protocol that is no websocket; twice: the citizen's, the operator's."),
    ] = None,
    operator_left: Annotated[
        bool, typer.Option("--operator-left", help="The left channel is the operator's.")
    ] = False,
    loss: Annotated[float, typer.Option(min=0, max=1, help="Share of packets that never arrive.")] = 0.0,
    duplicate: Annotated[float, typer.Option(min=0, max=1, help="Share that arrives twice.")] = 0.0,
    late: Annotated[float, typer.Option(min=0, max=1, help="Share that arrives half a second late.")] = 0.0,
    reorder_ms: Annotated[
        float, typer.Option(min=0, help="Packets are held up by chance, up to so long.")
    ] = 0.0,
    break_at: Annotated[
        float | None, typer.Option(min=0, help="Second at which the connection breaks, to come back.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed hurts the same packets.")] = 1,
) -> None:
    """Play a recording into a server as a telephone system does, in the protocol of that system."""
    if protocol not in PROTOCOLS:
        _console.print(f"unknown protocol {protocol}; there are {', '.join(PROTOCOLS)}")
        raise typer.Exit(2)
    key = call_id or f"sim-{secrets.token_hex(6)}"
    try:
        sound = read_recording(recording, is_operator_left=operator_left)
        with _console.status(sound.name) as status:
            plan = Plan(
                carrier=protocol,
                server=server,
                token=token or local_key(),
                speed=speed,
                key=key,
                ports=tuple(port or ()),
                operator_id=operator,
                caller=caller,
                dialled=dialled,
                encoding=encoding,
                secret=secret,
                impairment=Impairment(
                    loss=loss, duplicate=duplicate, late=late, reorder_ms=reorder_ms, seed=seed
                ),
                break_at_s=break_at,
                on_progress=lambda media_s: status.update(f"{key}  {media_s:5.1f} / {sound.seconds:.1f} s"),
            )
            heard = asyncio.run(PROTOCOLS[protocol](sound, plan))
    except (ReplayFailed, AsrError) as error:
        _console.print(str(error))
        raise typer.Exit(1) from None
    _console.print(f"{heard.key}: {sound.seconds:.1f} s played, {len(heard.texts)} messages came back")
