"""Kills with real weights: the bundled calls, `zhiting serve`, and what must be heard of them.

In: nothing. Out: a `Trial`, and servers as a person starts them.
Not known here: who kills, when.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from asr.recordings import file_to_pcm
from asr.types import Party, Segment
from scripts.bench_figures import audible
from scripts.call_data import read_calls, with_recordings
from scripts.kills.callers import SentCall
from scripts.kills.episode import Trial

_ROOT = Path(__file__).parents[2]
_DEMO = _ROOT / "scripts" / "demo"
_SPEED = 2.0
_OVERLAP_S = 0.05
_UNHEARD_S = 1.0
"""A longer stretch of speech without a line is lost; a shorter one may be a word that was taken for noise."""


def real_trial() -> Trial:
    """The bundled calls, each in its turn."""
    known = [(call, file_to_pcm(path)) for call, path in with_recordings(read_calls(_DEMO))]

    def make_call(call_id: str, chance: Random) -> SentCall:
        reference, pcm = chance.choice(known)
        return SentCall(
            call_id=call_id,
            operator_id=f"{chance.randrange(3):03}",
            parties=tuple(str(party) for party in reference.parties),
            samples=pcm.samples,
            rate_hz=pcm.sample_rate_hz,
            speed=_SPEED,
            reference=reference,
        )

    return Trial(
        make_call=make_call,
        check_leg=check_speech,
        kinds={"start": 20, "calls": 50, "packing": 8, "job": 8, "order": 4, "publish": 10},
        lines=2,
        longest_life_s=12.0,
    )


def check_speech(
    call: SentCall,
    leg: int,
    lines: Sequence[Segment],
    sound: NDArray[np.int16],
    skipped: Sequence[tuple[float, float]],
) -> Iterator[str]:
    """All that is said on the leg lies in some line, and none of it in two."""
    assert call.reference is not None
    party = Party(call.parties[leg])
    spoken = [line for line in lines if line.text]
    for earlier, later in pairwise(spoken):
        if later.start_s < earlier.end_s - _OVERLAP_S:
            yield f"written twice from {later.start_s:.2f} to {earlier.end_s:.2f} s"
    turns = [turn for turn in call.reference.turns if turn.party is party]
    for start_s, end_s in audible(sound, call.rate_hz, turns):
        at_s = start_s
        for line in spoken:
            if line.start_s < end_s and line.end_s > at_s:
                if line.start_s - at_s > _UNHEARD_S:
                    yield f"not heard from {at_s:.2f} to {line.start_s:.2f} s"
                at_s = max(at_s, line.end_s)
        if end_s - at_s > _UNHEARD_S:
            yield f"not heard from {at_s:.2f} to {end_s:.2f} s"


def start_real(data_dir: Path, port: int, log: Path, waits_s: float) -> subprocess.Popen[bytes]:
    """Start `zhiting serve`; whoever asked waits for its end."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ZHITING_")}
    changes = {
        "ZHITING_DATA_DIR": str(data_dir),
        "ZHITING_OPEN": "true",
        "ZHITING_ALLOW_HUB": "false",
        "ZHITING_RESUMABLE_S": str(waits_s),
        "ZHITING_LOST_AFTER_S": str(waits_s),
        "PYTHONPATH": str(_ROOT),
    }
    with log.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "scripts.cli", "serve", "--port", str(port)],
            cwd=_ROOT,
            env=kept | changes,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
