"""Keeps the ears of one machine: starts them, starts those again that die, lets them finish in the end.

In: a `Post`, how many ears. Out: named actors of Ray on this machine, for as long as this process lives.
Not known here: servers, batches.

Ray ends this process where its head is gone for a minute; whoever started it starts it again.
"""

import logging
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any

# isort: split - the door says first what Ray must not send
import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from asr.ray_door import enter, is_stranded
from asr.remote.ear import EarActor
from asr.remote.types import PREFIX, Card, NoRay, Post

log = logging.getLogger(__name__)

_LOOKS_EVERY_S = 0.5
_HOME_EVERY_S = 2.0
_LEAST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
_STEADY_S = 60.0  # an ear that lived so long was not to blame for its end
_LEAVES_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """How many ears, and what each takes of its machine."""

    ears: int
    cores: int
    """Of each, as Ray counts them."""
    gpu: float = 0.0
    """Share of a GPU of each."""


@dataclass(slots=True)
class _Seat:
    number: int
    actor: Any = None
    end: Any = None
    """Reference that is answered with the end of the actor."""
    since: float = 0.0
    next_at: float = 0.0
    pause_s: float = _LEAST_PAUSE_S
    card: Any = None


def machine_of_ours() -> Mapping[str, float]:
    """What Ray knows of this machine: its `CPU` and `GPU`."""
    here = ray.get_runtime_context().get_node_id()
    found: Mapping[str, float] = next(
        (node["Resources"] for node in ray.nodes() if node["NodeID"] == here), {}
    )
    return found


def keep(
    address: str, plan: Callable[[Mapping[str, float]], tuple[Crew, Post]], *, tell: Callable[[str], None]
) -> None:
    """Keep the ears until SIGTERM or SIGINT. Raises `NoRay`, also where the Ray of this machine dies.

    `plan` is asked once, with what Ray knows of this machine; `tell` gets sentences for an admin.
    """
    try:
        enter(address)
    except ConnectionError as error:
        raise NoRay(f"连不上 Ray（{address}）：{str(error).partition(chr(10))[0][:300]}") from None
    told, stranded = threading.Event(), threading.Event()

    def leave(_number: int, _frame: FrameType | None) -> None:
        told.set()

    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, leave)
    crew, post = plan(machine_of_ours())
    seats = [_Seat(number) for number in range(1, crew.ears + 1)]
    tell(f"已连上 Ray，启动 {crew.ears} 个识别进程。")
    threading.Thread(target=_watch_home, args=(stranded,), daemon=True).start()
    while not told.wait(_LOOKS_EVERY_S):
        if stranded.is_set():
            raise NoRay("本机的 Ray 停止了。")
        for seat in seats:
            _look_after(seat, crew, post, tell)
    tell("正在停止：手上的识别做完就退出。")
    _dismiss([seat for seat in seats if seat.actor is not None])


def _watch_home(stranded: threading.Event) -> None:
    """Look at the Ray of this machine; on a thread of its own, as the head may keep whoever asks waiting."""
    while not stranded.is_set():
        time.sleep(_HOME_EVERY_S)
        with suppress(RayError, OSError, RuntimeError):  # the head is away
            if is_stranded():
                stranded.set()


def _look_after(seat: _Seat, crew: Crew, post: Post, tell: Callable[[str], None]) -> None:
    now = time.monotonic()
    name = f"{socket.gethostname()}/{seat.number}"
    if seat.actor is None:
        if now >= seat.next_at:
            _hire(seat, crew, post, name)
        return
    if seat.card is not None and ray.wait([seat.card], timeout=0)[0]:
        try:
            card: Card = ray.get(seat.card)
            tell(f"识别进程 {name} 就绪：{card.engine}，{card.device}，{card.workers} 路并行。")
        except RayError:
            pass  # its end tells why
        seat.card = None
    if not ray.wait([seat.end], timeout=0)[0]:
        return
    why = "停止了"
    try:
        ray.get(seat.end)
    except RayError as error:
        log.debug("ear %s: %s", name, error)
        why = f"停止了：{_cause(error)}"
    if now - seat.since > _STEADY_S:
        seat.pause_s = _LEAST_PAUSE_S
    tell(f"识别进程 {name} {why}，{seat.pause_s:.0f} 秒后重新启动。")
    seat.actor = seat.card = None
    seat.next_at = now + seat.pause_s
    seat.pause_s = min(_LONGEST_PAUSE_S, 2 * seat.pause_s)


def _hire(seat: _Seat, crew: Crew, post: Post, name: str) -> None:
    here = ray.get_runtime_context().get_node_id()
    kind: Any = ray.remote(EarActor)
    seat.actor = kind.options(
        name=f"{PREFIX}{name}/{uuid.uuid4().hex[:8]}",
        num_cpus=crew.cores,
        num_gpus=crew.gpu,
        max_restarts=0,
        max_task_retries=0,
        scheduling_strategy=NodeAffinitySchedulingStrategy(node_id=here, soft=False),
    ).remote(post)
    seat.card, seat.end = seat.actor.card.remote(), seat.actor.stay.remote()
    seat.since = time.monotonic()


def _dismiss(seats: list[_Seat]) -> None:
    """Let them finish what they have, then end them."""
    until = time.monotonic() + _LEAVES_WITHIN_S
    rest = [seat for seat in seats if seat.card is None]
    while rest and time.monotonic() < until:
        still = []
        for seat in rest:
            try:
                if ray.get(seat.actor.leave.remote(), timeout=_LEAVES_WITHIN_S):
                    still.append(seat)
            except (RayError, TimeoutError):
                continue  # gone already
        # a moment in which servers learn of it; whoever sends all the same is redone elsewhere
        time.sleep(2 * _LOOKS_EVERY_S)
        rest = still
    for seat in seats:
        ray.kill(seat.actor)
    ray.shutdown()


def _cause(error: RayError) -> str:
    """For an admin: what was raised while it began, or that it just ended."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if lines and "creation task" in lines[0]:
        return f"启动失败，{lines[-1][:200]}"
    return "进程意外退出（程序崩溃、内存不足或被结束）"
