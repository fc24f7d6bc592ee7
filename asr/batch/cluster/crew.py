"""The workers as Ray actors: one for each place, replaced when it is lost, joined by those of new machines.

In: a worker's instructions, the address of Ray's head. Out: the events of `asr.batch.cluster.driver.Crew`.
Not known here: files, who gets which.

Ray restarts nothing by itself (`max_restarts=0`): the driver has to know what was lost, and knows it best.
"""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

# isort: split - the door says first what Ray must not send
import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from asr.batch.cluster.driver import Came, Event, Gone, Reported
from asr.batch.cluster.places import Place, places_of
from asr.batch.cluster.types import DIED, SILENT, WHY, ClusterOptions, NobodyWorks, Post, Report, Task
from asr.batch.cluster.worker import Worker
from asr.batch.run import Progress
from asr.ray_door import enter

log = logging.getLogger(__name__)

_TURN_S = 1.0  # a worker with nothing to tell answers after this
_WAIT_S = 0.5
_LOOK_S = 2.0  # at the machines of the cluster
_FAILURES = 3  # in a row, at one place


@dataclass(slots=True)
class _Hand:
    """A worker at its place."""

    place: Place
    actor: Any
    answer: Any
    """Reference to what it is to answer."""
    since: float
    """When it last got on."""
    is_ready: bool = False
    is_busy: bool = False
    progress: Progress = field(default_factory=Progress)


class RayCrew(AbstractContextManager["RayCrew"]):
    """Connects when it is made. `tell` is told, in a sentence, who is lost or not used. For one thread."""

    def __init__(self, post: Post, options: ClusterOptions, *, tell: Callable[[str], None]) -> None:
        self._post = post
        self._options = options
        self._tell = tell
        self._hands: dict[str, _Hand] = {}
        self._events: deque[Event] = deque()
        self._failures: Counter[str] = Counter()
        self._given_up: dict[str, str] = {}  # place: why
        self._is_hopeless = False
        self._hired = 0
        self._looked = -_LOOK_S
        self._seen = time.monotonic()  # when somebody was last there
        _connect(options.address)
        self._worker: Any = ray.remote(Worker)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for hand in self._hands.values():
            ray.kill(hand.actor)
        ray.shutdown()

    def next_event(self) -> Event | None:
        """Wait a little for the next."""
        if self._events:
            return self._events.popleft()
        self._fill_places()
        self._end_hung()
        if self._events:
            return self._events.popleft()
        if not self._hands:
            self._despair()
            time.sleep(_WAIT_S)
            return None
        self._seen = time.monotonic()
        by_answer = {hand.answer: worker for worker, hand in self._hands.items()}
        ready, _ = ray.wait(list(by_answer), num_returns=1, timeout=_WAIT_S)
        return self._hear(by_answer[ready[0]]) if ready else None

    def turn(self, worker: str, tasks: list[Task], *, is_busy: bool) -> None:
        """Give a worker its turn."""
        hand = self._hands.get(worker)
        if hand is None:  # lost since; the event is on its way
            return
        hand.is_busy = is_busy
        hand.answer = hand.actor.turn.remote(tasks, _TURN_S)

    def dismiss(self, worker: str, why: str) -> None:
        """Kill it; its place stays empty."""
        hand = self._hands.pop(worker)
        ray.kill(hand.actor)
        self._give_up(hand.place, why)

    def _fill_places(self) -> None:
        if time.monotonic() - self._looked < _LOOK_S:
            return
        self._looked = time.monotonic()
        with_gpus = self._post.ears.whisper.device != "cpu"
        taken = {hand.place.key for hand in self._hands.values()}
        places = places_of(ray.nodes(), cores=self._options.cores, with_gpus=with_gpus)
        for place in places:
            if place.key not in taken and place.key not in self._given_up:
                self._hire(place)
        self._is_hopeless = bool(places) and not self._hands

    def _hire(self, place: Place) -> None:
        self._hired += 1
        actor = self._worker.options(
            num_cpus=place.cores,
            num_gpus=int(place.has_gpu),
            max_restarts=0,
            max_task_retries=0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node_id=place.node, soft=False),
        ).remote(self._post, cores=place.cores, has_gpu=place.has_gpu)
        self._hands[f"{place.key}#{self._hired}"] = _Hand(
            place=place, actor=actor, answer=actor.open.remote(), since=time.monotonic()
        )

    def _hear(self, worker: str) -> Event | None:
        """Take a worker's answer; None where it never got ready."""
        hand = self._hands[worker]
        try:
            answer: Report | str = ray.get(hand.answer)
        except RayError as error:  # the process, the machine or the way to it is gone
            log.info("worker at %s: %s", hand.place.address, error)
            return self._lose(worker, DIED)
        if isinstance(answer, str):
            if answer:
                self.dismiss(worker, answer)
                return None
            hand.is_ready, hand.since = True, time.monotonic()
            return Came(worker)
        if answer.outcomes:
            self._failures[hand.place.key] = 0
        if answer.outcomes or answer.progress != hand.progress or not hand.is_busy:
            hand.progress, hand.since = answer.progress, time.monotonic()
        return Reported(worker, answer)

    def _end_hung(self) -> None:
        now = time.monotonic()
        slow = [name for name, hand in self._hands.items() if now - hand.since > self._options.patience_s]
        for worker in slow:
            if ray.wait([self._hands[worker].answer], timeout=0)[0]:
                continue  # it has answered: not it was slow, but whoever should have listened
            gone = self._lose(worker, SILENT)
            if gone is not None:
                self._events.append(gone)

    def _lose(self, worker: str, why: str) -> Gone | None:
        hand = self._hands.pop(worker)
        ray.kill(hand.actor)  # it may live, and only the way to it be gone
        self._failures[hand.place.key] += 1
        if self._failures[hand.place.key] >= _FAILURES or (not hand.is_ready and why == SILENT):
            self._give_up(hand.place, why)
        else:
            what = "它手上的录音交给别的进程重做。" if hand.is_ready else "会再试。"
            self._tell(f"{hand.place.address} 上的转写进程{WHY[why]}{what}")
        return Gone(worker) if hand.is_ready else None

    def _give_up(self, place: Place, why: str) -> None:
        self._given_up[place.key] = why
        self._tell(f"不再使用 {place.address} 上的转写进程：{WHY[why]}（{why}）")

    def _despair(self) -> None:
        """Raise where nobody is there and none will come."""
        if not self._is_hopeless and time.monotonic() - self._seen < self._options.hope_s:
            return
        whys = "".join(WHY[why] for why in dict.fromkeys(self._given_up.values()))
        raise NobodyWorks(f"集群里没有可用的转写进程。{whys or '没有一台机器加入了集群。'}")


def _connect(address: str) -> None:
    """Reach the cluster, or start one of this machine alone. Raises `NobodyWorks`."""
    try:
        enter(address)
    except ConnectionError as error:
        raise NobodyWorks(f"连不上集群 {address or '（本机）'}：{error}") from None
