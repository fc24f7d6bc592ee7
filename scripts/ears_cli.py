"""`zhiting ears`: this machine recognises calls for the servers of its Ray cluster.

In: the command line, settings of this machine. Out: sentences on standard error; exit code 0 when it was told
to stop, 2 where this machine cannot do it as it is set up.
Not known here: how ears are kept, what they do.

The work is done by a child, because Ray ends the process that holds it when its head is away for a minute;
the child is then started again.
"""

import logging
import math
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from agent_ui.settings import Settings
from asr.pool_options import chosen_calls
from asr.transcriber import WhisperOptions, chosen_threads
from asr.types import AsrError
from scripts.telling import failing_politely
from scripts.weights import weights_of

_console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)

_CORES_PER_EAR = 16  # more than 8 threads of 2 cores one model is not given
_MISUSED, NO_RAY = 2, 3
_LEAST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0
_STEADY_S = 60.0


def ears(
    address: Annotated[str, typer.Option(help="Ray's head; else ZHITING_RAY_ADDRESS.")] = "",
    actors: Annotated[
        int,
        typer.Option(min=0, max=64, help="Processes with a model each; 0: one for a GPU, or a machine."),
    ] = 0,
    workers: Annotated[
        int, typer.Option(min=0, max=64, help="Batches that each decodes at once; 0: by its cores.")
    ] = 0,
    gpu: Annotated[
        float, typer.Option(min=0, max=1, help="Share of a GPU of each; 0: the GPUs evenly shared.")
    ] = 0.0,
    calls: Annotated[
        int, typer.Option(min=0, help="Calls that each is reckoned to carry; 0: 8 for each core.")
    ] = 0,
    keeps: Annotated[bool, typer.Option("--keep", hidden=True)] = False,
) -> None:
    """Recognise calls on this machine for servers with ZHITING_EARS=ray, until stopped."""
    if keeps:
        _keep(address, actors=actors, workers=workers, gpu=gpu, calls=calls)
        return
    options = [f"--address={address}"] if address else []
    options += [f"--actors={actors}", f"--workers={workers}", f"--gpu={gpu}", f"--calls={calls}"]
    raise typer.Exit(supervise([sys.executable, "-m", "scripts.cli", "ears", "--keep", *options]))


def supervise(command: list[str]) -> int:
    """Keep the child running until we are told to stop; returns our exit code."""
    told = threading.Event()
    child: subprocess.Popen[bytes] | None = None

    def leave(_number: int, _frame: FrameType | None) -> None:
        told.set()
        if child is not None:
            child.terminate()

    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, leave)
    pause_s = _LEAST_PAUSE_S
    while not told.is_set():
        began = time.monotonic()
        child = subprocess.Popen(command, start_new_session=True)
        if told.is_set():
            child.terminate()
        status = child.wait()
        if told.is_set() or status == 0:
            return 0
        if status == _MISUSED:
            return _MISUSED
        if time.monotonic() - began > _STEADY_S:
            pause_s = _LEAST_PAUSE_S
        if status != NO_RAY:  # it has said why itself
            _console.print(f"识别程序意外停止（{status}）。")
        _console.print(f"{pause_s:.0f} 秒后重新连接 Ray。")
        told.wait(pause_s)
        pause_s = min(_LONGEST_PAUSE_S, 2 * pause_s)
    return 0


def _keep(address: str, *, actors: int, workers: int, gpu: float, calls: int) -> None:
    """The child."""
    try:
        from asr.remote.keeper import Crew, keep
        from asr.remote.opening import open_here
        from asr.remote.types import NoRay, Post
    except ImportError:
        _console.print("没有安装 Ray：pip install 'zhiting[cluster]'。")
        raise typer.Exit(_MISUSED) from None
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        with failing_politely():
            settings = Settings()
            folder = weights_of(settings, settings.speech_model)
    except typer.Exit:
        raise typer.Exit(_MISUSED) from None

    def plan(machine: Mapping[str, float]) -> tuple[Crew, Post]:
        share = shared_out(machine, settings.device, actors=actors, gpu=gpu)
        return Crew(ears=share.ears, cores=share.cores, gpu=share.gpu), Post(
            open_model=partial(open_here, folder, _whisper(settings, share, workers)),
            calls=calls or chosen_calls(share.cores),
        )

    try:
        keep(address or settings.ray_address, plan, tell=_console.print)
    except NoRay as error:
        _console.print(str(error))
        raise typer.Exit(NO_RAY) from None
    except AsrError as error:
        _console.print(str(error))
        raise typer.Exit(_MISUSED) from None


@dataclass(frozen=True, slots=True)
class Share:
    """How many ears a machine gets, and what each has of it."""

    ears: int
    cores: int
    gpu: float


def shared_out(machine: Mapping[str, float], device: str, *, actors: int, gpu: float) -> Share:
    """Share a machine out, as Ray counts its CPU and GPU. Raises `AsrError` where it has nothing to give."""
    cores, gpus = int(machine.get("CPU", 0)), int(machine.get("GPU", 0)) if device != "cpu" else 0
    if not cores:
        raise AsrError("Ray 在这台机器上没有可用的处理器：ray start 时不要写 --num-cpus=0。")
    if gpus:
        per_gpu = math.floor(1 / gpu) if gpu else max(1, math.ceil(actors / gpus))
        count = min(actors or gpus * per_gpu, cores)
        if count > gpus * per_gpu:
            raise AsrError(f"{gpus} 块显卡放不下 {count} 个识别进程（每个占 {gpu:g}）。")
        return Share(count, max(1, cores // count), gpu or round(1 / per_gpu, 3))
    count = actors or max(1, math.ceil(cores / _CORES_PER_EAR))
    if count > cores:
        raise AsrError(f"{cores} 个处理器核放不下 {count} 个识别进程。")
    return Share(count, cores // count, 0.0)


def _whisper(settings: Settings, share: Share, workers: int) -> WhisperOptions:
    chosen, threads = (2, 1) if share.gpu else chosen_threads(share.cores)
    return WhisperOptions(
        device="cuda" if share.gpu else "cpu",
        compute_type=settings.compute_type,
        vocabulary=settings.speech_vocabulary,
        workers=workers or chosen,
        threads=max(1, share.cores // workers) if workers and not share.gpu else threads,
    )
