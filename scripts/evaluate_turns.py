"""How well two speakers are told apart in recordings of one channel, and which of them is the operator.

In: reference calls with both parties, laid together into one channel here, plain and as µ-law at 8 kHz.
Out: shares of the speech that got the right speaker and the right role, and what it costs; one report.
Not known here: how voices are told apart, where weights come from.
"""

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np
from rich.table import Table

from asr.batch.dividing import DividingOptions, Encode, divided
from asr.batch.ears import EarOptions, Ears
from asr.batch.listening import utterances_of
from asr.batch.manifest import Manifest
from asr.batch.papers.speakers import with_speakers
from asr.batch.papers.types import Paper, paper_of
from asr.batch.run import Run
from asr.batch.types import FileFacts, ListeningOptions, Source, Transcript
from asr.batch.voices import Voices
from asr.sound_file import SoundFile
from asr.types import AsrError, Party, Utterance
from asr.vad import SileroDetector
from scripts.call_data import BadData, ReferenceCall, with_recordings
from scripts.evaluate_asr import pooled, score_call
from scripts.turn_scores import BOTH, Share, Stretch, pooled_share, right_roles, right_speakers

LINES: Mapping[str, tuple[str, int]] = {"plain": ("pcm_s16le", 16_000), "mulaw": ("pcm_mulaw", 8000)}
"""How one channel is written: codec and rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTurns:
    """What came of one call on one line."""

    call_id: str
    line: str
    seconds: float
    uncut: Share
    cut: Share
    role: Share
    """Roles that nobody guessed are not right."""
    is_role_known: bool
    utterances: tuple[int, int]
    """Before and after cutting."""
    cost_s: float
    """CPU time of telling apart."""


def measure_calls(
    calls: Sequence[ReferenceCall], ears: EarOptions, *, on_done: Callable[[str], None]
) -> dict[str, Any]:
    """Mix, tell apart, recognise, count. Raises `BadData`; `ears` name the weights of voices."""
    pairs = with_recordings(calls)
    for call in calls:
        if set(call.parties) != set(BOTH):
            raise BadData(f"The call {call.call_id} has not two legs to be laid together.")
    if ears.listening.voices is None:
        raise ValueError("ears must tell voices apart")
    voices, detector = Voices(ears.listening.voices), SileroDetector()
    rows: list[CallTurns] = []
    errors: dict[str, float | None] = {}
    with TemporaryDirectory() as name:
        for line, (codec, rate_hz) in LINES.items():
            folder = Path(name) / line
            folder.mkdir()
            mixed = [_mixed(call, path, folder, codec, rate_hz) for call, path in pairs]
            plain = replace(ears, listening=replace(ears.listening, voices=None))
            whole = _transcribed(mixed, plain, folder / "whole.db")
            parts = _transcribed(mixed, ears, folder / "parts.db")
            for call, source in zip(calls, mixed, strict=True):
                rows.append(_judged(call, line, source.path, parts[source.digest], voices.prints, detector))
                on_done(call.call_id)
            errors |= {
                f"{line}_uncut": _error_rate(calls, whole),
                f"{line}_cut": _error_rate(calls, parts),
            }
    alone = [is_two for _, path in pairs for is_two in _taken_for_two(path, voices.prints, detector)]
    return report(rows) | {"cer": errors, "legs_alone": {"legs": len(alone), "taken_for_two": sum(alone)}}


def report(rows: Sequence[CallTurns]) -> dict[str, Any]:
    """Put the figures in JSON form, line by line."""
    return {
        "lines": {
            line: {
                "calls": len(some),
                "seconds": round(sum(row.seconds for row in some), 1),
                "right_speaker_uncut": pooled_share(row.uncut for row in some),
                "right_speaker": pooled_share(row.cut for row in some),
                "worst_call": min(row.cut.rate for row in some),
                "right_role": pooled_share(row.role for row in some),
                "calls_with_roles": sum(row.is_role_known for row in some),
                "cuts": sum(row.utterances[1] - row.utterances[0] for row in some),
                "cpu_s_per_hour": 3600 * sum(row.cost_s for row in some) / sum(row.seconds for row in some),
            }
            for line in dict.fromkeys(row.line for row in rows)
            if (some := [row for row in rows if row.line == line])
        },
        "calls": [
            {
                "call_id": row.call_id,
                "line": row.line,
                "right_speaker_uncut": row.uncut.rate,
                "right_speaker": row.cut.rate,
                "right_role": row.role.rate,
                "is_role_known": row.is_role_known,
                "utterances": row.utterances,
            }
            for row in rows
        ],
    }


def table(told: Mapping[str, Any]) -> Table:
    """One row per line."""
    shown = Table(title="Speakers of one channel")
    headings = (
        "line",
        "calls",
        "right speaker, uncut",
        "right speaker",
        "worst call",
        "right role",
        "CPU s/h",
    )
    for heading in headings:
        shown.add_column(heading, justify="left" if heading == "line" else "right")
    for line, row in told["lines"].items():
        shares = ("right_speaker_uncut", "right_speaker", "worst_call", "right_role")
        shown.add_row(
            line,
            str(row["calls"]),
            *(f"{row[share]:.1%}" for share in shares),
            f"{row['cpu_s_per_hour']:.0f}",
        )
    return shown


def _mixed(call: ReferenceCall, recording: Path, folder: Path, codec: str, rate_hz: int) -> Source:
    """Lay both channels together and write them as a line would."""
    path = folder / f"{call.call_id}.wav"
    with SoundFile(recording) as file, av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=rate_hz, layout="mono")
        shape = av.AudioResampler(format=stream.format, layout="mono", rate=rate_hz)
        for block in file.blocks():
            samples = np.round(block.mean(axis=1)).astype(np.int16).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            frame.rate = file.rate_hz
            for shaped in shape.resample(frame):
                out.mux(stream.encode(shaped))
        for shaped in shape.resample(None):
            out.mux(stream.encode(shaped))
        out.mux(stream.encode(None))
    return Source(path=path, name=path.name, digest=call.call_id)


def _transcribed(sources: Sequence[Source], ears: EarOptions, book: Path) -> dict[str, Transcript]:
    """Transcribe as `zhiting transcribe` does, by call. Raises `AsrError` where a call is refused."""
    opened, manifest = Ears(ears), Manifest(book)
    try:
        run = Run(
            decode=opened.decode,
            manifest=manifest,
            fingerprint="evaluation",
            listening=ears.listening,
            options=opened.run_options(),
        )
        done: dict[str, Transcript] = {}
        for outcome in run.outcomes(sources):
            if not isinstance(outcome.result, Transcript):
                raise AsrError(f"{outcome.source.name} was refused.", code=outcome.result.code)
            done[outcome.source.digest] = outcome.result
        return done
    finally:
        manifest.close()


def _judged(
    call: ReferenceCall,
    line: str,
    path: Path,
    transcript: Transcript,
    encode: Encode,
    detector: SileroDetector,
) -> CallTurns:
    options = DividingOptions(cuts=False)
    with SoundFile(path) as file:
        found, facts = _all(
            utterances_of(file, ListeningOptions(channels="mono"), detector, call_id=call.call_id)
        )
    uncut, uncut_facts = _all(divided(_again(found, facts), encode, options))
    began = time.process_time()
    _all(divided(_again(found, facts), encode))
    cost_s = time.process_time() - began
    speakers = transcript.facts.speakers
    paper = _paper(call, transcript)
    return CallTurns(
        call_id=call.call_id,
        line=line,
        seconds=transcript.facts.seconds,
        uncut=right_speakers(
            call.turns,
            [Stretch(one.start_s, one.end_s, uncut_facts.speakers[one.number - 1]) for one in uncut],
        ),
        cut=right_speakers(
            call.turns,
            [Stretch(one.start_s, one.end_s, speakers[one.number - 1]) for one in transcript.pieces],
        ),
        role=right_roles(call.turns, [Stretch(one.start_s, one.end_s, one.party) for one in paper.segments]),
        is_role_known=Party.OPERATOR in paper.parties,
        utterances=(len(found), len(transcript.pieces)),
        cost_s=cost_s,
    )


def _taken_for_two(path: Path, encode: Encode, detector: SileroDetector) -> Iterator[bool]:
    """Whether one leg alone, in which one person speaks, is given to two."""
    with SoundFile(path) as file:
        found, facts = _all(utterances_of(file, ListeningOptions(channels="stereo"), detector, call_id=""))
    for party in BOTH:
        leg = [replace(one, party=Party.MIXED) for one in found if one.party is party]
        _, told = _all(divided(_again(leg, facts), encode))
        yield len(set(told.speakers)) > 1


def _paper(call: ReferenceCall, transcript: Transcript) -> Paper:
    paper = paper_of(transcript, name=call.call_id, call_id=call.call_id, lexicon=None)
    return with_speakers(paper, transcript.facts.speakers)


def _error_rate(calls: Sequence[ReferenceCall], heard: Mapping[str, Transcript]) -> float | None:
    """Of the text as a whole, whoever said it."""
    return pooled(
        score_call(
            replace(call, parties=(Party.MIXED,)),
            paper_of(heard[call.call_id], name="", call_id=call.call_id, lexicon=None).segments,
        )
        for call in calls
    ).rate


def _all(utterances: Generator[Utterance, None, FileFacts]) -> tuple[list[Utterance], FileFacts]:
    found: list[Utterance] = []
    while True:
        try:
            found.append(next(utterances))
        except StopIteration as end:
            facts: FileFacts = end.value
            return found, facts


def _again(found: Iterable[Utterance], facts: FileFacts) -> Generator[Utterance, None, FileFacts]:
    yield from found
    return facts
