"""The figures from which an admin sees how the machine fares, each as it was measured.

In: nothing. Out: dataclasses, one for each thing that is looked at.
Not known here: how anything is measured, what is much and what is little.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from asr.pool_stats import PoolStats
from asr.remote.types import RemoteFigures
from calls.journal import JournalStats
from knowledge_base.types import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFigures:
    """The running program."""

    version: str
    python: str
    started_at: datetime
    address: str
    is_guarded: bool
    is_open: bool
    is_settings_file_readable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFigures:
    """The machine below it."""

    cores: int
    load: float
    """Share of the cores' time that was used lately, by anybody, 0 to 1."""
    memory_total: int
    memory_free: int
    """Bytes that a program could still have without anything being swapped out."""
    process_memory: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskFigures:
    """The disk that the data folder lies on, in bytes."""

    free: int
    total: int
    audio: int
    kb: int
    models: int
    database: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFigures:
    """What goes on at the switchboard."""

    running: int
    max_calls: int
    min_free_bytes: int
    refusal: str | None
    """Why no further call is taken."""
    screens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EarFigures:
    """The speech engine, and what the pool around it does."""

    engine: str
    model: str
    device: str
    compute_type: str | None
    workers: int
    refuse_lag_s: float
    """Age of the oldest waiting final from which on new calls are refused."""
    stats: PoolStats
    remote: RemoteFigures | None = None
    """The machines that recognise; None where this process does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchFigures:
    """What answers."""

    served: Version | None
    published: str | None
    """The version that should answer."""
    model: str
    reranker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WordFigures:
    """The names and words that the ears know."""

    own: int | None
    """None where the admin's list cannot be read."""
    problem: str | None
    """Why it cannot."""
    file: Path
    shipped: int
    in_use: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightFigures:
    """The weights of one model in use."""

    name: str
    folder: Path
    digest: str | None
    is_pinned: bool
    """Whether the hash is the manifest's, as against the one noted at a download."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Everything at one moment."""

    at: datetime
    server: ServerFigures
    machine: MachineFigures
    disk: DiskFigures
    calls: CallFigures
    ears: EarFigures
    search: SearchFigures
    journal: JournalStats
    words: WordFigures
    weights: tuple[WeightFigures, ...]
