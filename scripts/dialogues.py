"""What the advisor learns from: dialogues written for it, the shared calls, what was heard of those.

In: the files under `scripts/data`.
Out: `Lesson`s: a call with its labels, and one form of its text.
Not known here: searching, features, models.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from asr.types import Party, Segment
from scripts.call_data import ReferenceCall, Turn, read_calls
from scripts.evaluate_retrieval import as_segments
from scripts.noise import Noise

DATA = Path(__file__).parent / "data"
CALLS = DATA / "calls"
HEARD = DATA / "heard.jsonl"
_DIALOGUES = ("on_topic.jsonl", "off_topic.jsonl")
_CHAR_S = 0.23
"""How long a character takes to say."""
_GAP_S = 0.7
"""Pause between two turns."""
_NOISY_SHARES = (0.2, 0.3)
"""Shares of the characters that go wrong in the noisy forms of a written dialogue."""
_UNANSWERED = 4
"""Every so many of the written dialogues comes once more without its answers."""
_NOISY_SURENESS = -0.4
"""What ears that mishear so much say of their text, as mean log probability."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """One call in one form: as it was said, as it was heard, or spoilt."""

    call: ReferenceCall
    segments: tuple[Segment, ...]
    form: str
    without_answer: bool = False
    """Whether the articles that would help are left out: what a call about something unknown is like."""


def read_dialogues(split: str) -> list[ReferenceCall]:
    """The written dialogues of a split, `train` or `test`, on topic and off it."""
    found = []
    for name in _DIALOGUES:
        for line in (DATA / name).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["split"] == split:
                found.append(_as_call(row["dialogue_id"], row["turns"]))
    return found


def read_off_topic_test() -> list[ReferenceCall]:
    """Off-topic dialogues that nothing is ever trained on."""
    return read_dialogues("test")


def written_lessons(noise: Noise) -> list[Lesson]:
    """The training dialogues as they were written, and spoilt."""
    lessons = []
    for number, call in enumerate(read_dialogues("train")):
        clean = as_segments(call)
        lessons.append(Lesson(call=call, segments=clean, form="written"))
        for seed, share in enumerate(_NOISY_SHARES, 1):
            spoilt = spoil(clean, noise, share=share, seed=seed)
            lessons.append(Lesson(call=call, segments=spoilt, form=f"written, {share:.0%} spoilt"))
        if number % _UNANSWERED == 0:
            lessons.append(Lesson(call=call, segments=clean, form="unanswered", without_answer=True))
    return lessons


def call_lessons(
    calls: Sequence[ReferenceCall], heard: Mapping[str, Sequence[Segment]], noise: Noise
) -> list[Lesson]:
    """Calls as they were said, a little spoilt, and as they were heard where that is known."""
    lessons = []
    for call in calls:
        clean = as_segments(call)
        lessons.append(Lesson(call=call, segments=clean, form="said"))
        spoilt = spoil(clean, noise, share=0.15, seed=3)
        lessons.append(Lesson(call=call, segments=spoilt, form="said, 15% spoilt"))
        if call.call_id in heard:
            lessons.append(Lesson(call=call, segments=tuple(heard[call.call_id]), form="heard"))
    return lessons


def spoil(segments: Sequence[Segment], noise: Noise, *, share: float, seed: int) -> tuple[Segment, ...]:
    """The same segments as tired ears would have written them."""
    return tuple(
        replace(
            segment,
            text=noise.spoil(segment.text, share=share, seed=seed),
            avg_logprob=_NOISY_SURENESS,
        )
        for segment in segments
    )


def shared_calls() -> list[ReferenceCall]:
    """The reference calls that come with the project."""
    return read_calls(CALLS)


def read_heard(path: Path = HEARD) -> dict[str, tuple[Segment, ...]]:
    """What was heard of calls, by call."""
    heard: dict[str, list[Segment]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        segment = Segment(**row | {"party": Party(row["party"]), "raw_text": row["text"], "is_final": True})
        heard.setdefault(segment.call_id, []).append(segment)
    return {call_id: tuple(segments) for call_id, segments in heard.items()}


def write_heard(heard: Mapping[str, Sequence[Segment]], path: Path = HEARD) -> None:
    """Keep what was heard, to learn from it."""
    kept = ("call_id", "segment_id", "party", "start_s", "end_s", "text", "avg_logprob")
    with path.open("w", encoding="utf-8") as file:
        for call_id in sorted(heard):
            for segment in heard[call_id]:
                row = {name: getattr(segment, name) for name in kept}
                row["avg_logprob"] = round(segment.avg_logprob, 3)
                file.write(json.dumps(row, ensure_ascii=False) + "\n")


def fingerprint() -> str:
    """Hash everything that is learnt from."""
    digest = hashlib.sha256()
    for file in (*(DATA / name for name in _DIALOGUES), *sorted(CALLS.glob("*.json")), HEARD):
        if file.is_file():
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _as_call(name: str, rows: Sequence[Mapping[str, object]]) -> ReferenceCall:
    turns = tuple(_timed(rows))
    return ReferenceCall(
        call_id=name,
        parties=(Party.CITIZEN, Party.OPERATOR),
        seconds=turns[-1].end_s + _GAP_S,
        turns=turns,
        recording=None,
    )


def _timed(rows: Sequence[Mapping[str, object]]) -> Iterator[Turn]:
    start_s = _GAP_S
    for row in rows:
        end_s = start_s + _CHAR_S * len(str(row["text"]))
        topics = row.get("relevant_topics", ())
        assert isinstance(topics, list | tuple)
        yield Turn(
            party=Party(str(row["speaker"])),
            start_s=start_s,
            end_s=end_s,
            text=str(row["text"]),
            relevant_topics=frozenset(topics),
        )
        start_s = end_s + _GAP_S
