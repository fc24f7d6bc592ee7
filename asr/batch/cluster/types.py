"""The types of a cluster's work: what is given out, what comes back.

In: nothing but the types of batches. Out: `Task` → `Report`; `Post`, a worker's instructions.
Not known here: Ray, storage.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from asr.batch.ears import EarOptions
from asr.batch.run import Outcome, Progress
from asr.types import AsrError

OTHER_WEIGHTS = "cluster.other_weights"
NOT_SHARED = "cluster.checkpoints_not_shared"
NO_WEIGHTS = "cluster.no_weights"
BLIND = "cluster.recordings_not_shared"
SILENT = "cluster.worker_silent"
DIED = "cluster.worker_died"
BROKEN = "cluster.worker_broken"

WHY = {
    OTHER_WEIGHTS: "模型、程序或程序库的版本与主控机不同。",
    NOT_SHARED: "看不到存放进度的共享位置（--checkpoints）。",
    NO_WEIGHTS: "没有找到语音模型。",
    BLIND: "打不开主控机能打开的录音：录音文件夹没有共享到这台机器，或路径不同。",
    SILENT: "长时间没有进展，已停用。",
    DIED: "中途停止。",
    BROKEN: "写不进存放进度的共享位置。",
}
"""Why a worker is not, or no longer, used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterOptions:
    """Which cluster, and how it is used. Raises `ValueError` for values out of range."""

    checkpoints: str
    """URL of a place that all machines see."""
    find_weights: Callable[[], Path]
    """Called on each worker's machine; raises where there are none."""
    address: str = ""
    """Of Ray's head; empty: Ray is started here, for this run alone."""
    cores: int = 0
    """Of each worker; 0: one worker has all of its machine. On a GPU there is a worker for each GPU."""
    patience_s: float = 600.0
    """A worker that gets nowhere for so long is replaced."""
    hope_s: float = 60.0
    """How long nobody may be there before the run ends."""

    def __post_init__(self) -> None:
        if self.cores < 0 or self.patience_s <= 0 or self.hope_s <= 0:
            raise ValueError("cores must not be negative, times must be positive.")


LOST = "asr.worker_lost"
"""Refusal of a file with which one worker after the other stopped."""


class ClusterError(AsrError):
    """The cluster cannot be used as it is; the message says what to do."""

    code = "cluster.error"


class NobodyWorks(ClusterError):
    """No worker is left, and none is to be hoped for."""

    code = "cluster.nobody_works"


class CheckpointsTaken(ClusterError):
    """Another driver works on the same checkpoints."""

    code = "cluster.checkpoints_taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A file to be transcribed, as it is given to a worker."""

    path: Path
    """The same on every machine."""
    name: str
    likely_s: float
    """How long it may be; see `asr.batch.cluster.lengths`."""
    likeness: str = ""
    """Files of the same content have the same; hardly any others do."""
    losses: int = 0
    """How many workers were lost while they had it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What a worker is told when it begins."""

    find_weights: Callable[[], Path]
    """Called on the worker's machine; raises where there are none."""
    ears: EarOptions
    """Those of the driver, but for the folder and how the work is shared out."""
    fingerprint: str
    """Of what the driver would recognise; a worker's must be the same."""
    checkpoints: str
    """URL."""
    word: str
    """The driver left it at the checkpoints; a worker that cannot read it there looks elsewhere."""
    readers: int = 0
    retry_refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a worker has to say since it was last asked."""

    outcomes: tuple[Outcome, ...] = ()
    """Each is on record before it is told. A source without a digest could not be opened."""
    progress: Progress = field(default_factory=Progress)
    """Since the worker began."""
    trouble: OSError | None = None
    """What ended the worker's run."""
