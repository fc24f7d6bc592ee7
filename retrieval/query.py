"""What to look for now, out of the dialogue so far.

In: the final segments of a call, both parties, one after the other.
Out: a `Query`, or nothing where the segment describes no matter.
Not known here: the knowledge base, what is on the screen, any clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from asr.types import Party, Segment
from retrieval.speech import asks_dictation, is_restatement, need, speech_act, split_at_new_matter
from retrieval.types import Query, SpeechAct


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogueOptions:
    """How far back a query looks, and how much each turn counts."""

    citizen_turns: int = 4
    """Turns of the citizen that go into a query."""
    decay: float = 0.6
    """What a turn's weight is multiplied by for every later turn of the citizen."""
    operator_weight: float = 0.5
    """Of an operator's turn beside a citizen's turn of the same age."""
    earlier_matter_weight: float = 0.15
    """What is left of everything said before another matter was opened."""
    pause_s: float = 2.0
    """Segments of one party with a shorter pause between them are one turn."""
    turn_chars: int = 200
    """The end of a longer turn counts alone."""
    asks_of_operator: bool = True
    """Whether an operator's answers ask as well, once a matter was told; else restatements alone."""

    def __post_init__(self) -> None:
        if self.citizen_turns < 1 or self.turn_chars < 20 or self.pause_s < 0:
            raise ValueError("citizen_turns, turn_chars or pause_s out of range")
        weights = (self.decay, self.operator_weight, self.earlier_matter_weight)
        if not all(0 < weight <= 1 for weight in weights):
            raise ValueError("decay and weights must be within 0 and 1, 0 left out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one party said without being interrupted."""

    party: Party
    end_s: float
    said: str
    """Everything, as it was said."""
    need: str
    """What of it describes a matter."""
    opens_matter: bool
    """Whether the turn leaves the former matter for another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """The last turns of one call, oldest first; as many as a query may look at."""

    call_id: str
    turns: tuple[Turn, ...] = field(default=())


def hear(
    dialogue: Dialogue,
    segment: Segment,
    options: DialogueOptions = DialogueOptions(),
) -> tuple[Dialogue, Query | None]:
    """Add a final segment; the query is None where there is nothing to look for.

    A citizen's segment asks when it describes a matter; an operator's when it restates or answers one.
    A mixed recording counts as the citizen.
    """
    if not segment.is_final or not segment.text.strip():
        return dialogue, None
    is_operator = segment.party is Party.OPERATOR
    asked = next((turn.said for turn in reversed(dialogue.turns) if turn.party is not segment.party), "")
    fresh = [
        Turn(
            party=segment.party,
            end_s=segment.end_s,
            said=part,
            need=need(part, asked=asked),
            opens_matter=number > 0,
        )
        for number, part in enumerate(_parts(segment.text, is_operator=is_operator))
        if part.strip()
    ]
    turns = list(dialogue.turns)
    for turn in fresh:
        last = turns[-1] if turns else None
        goes_on = last and last.party is turn.party and segment.start_s - last.end_s < options.pause_s
        if last and goes_on and not turn.opens_matter:
            turns[-1] = _joined(last, turn, options)
        else:
            turns.append(turn)
    heard = replace(dialogue, turns=tuple(_recent(turns, options)))
    act = _act(segment, asked=asked, options=options) if any(turn.need for turn in fresh) else None
    if act is None or (is_operator and not any(t.need for t in turns if t.party is not Party.OPERATOR)):
        return heard, None
    weighted = list(_weighted(heard.turns, options))
    text = "，".join(turn.need for turn, _ in weighted if turn.party is not Party.OPERATOR)
    return heard, Query(
        call_id=segment.call_id,
        segment_id=segment.segment_id,
        text=text or weighted[0][0].need,
        turns=tuple((turn.need, weight) for turn, weight in weighted),
        act=act,
        opens_matter=any(turn.opens_matter for turn in fresh),
        turns_before=_turns_before(heard.turns),
        sureness=segment.avg_logprob,
    )


def _act(segment: Segment, *, asked: str, options: DialogueOptions) -> SpeechAct | None:
    """What the segment does; None for an operator's that is no reason to search."""
    if segment.party is not Party.OPERATOR:
        return speech_act(segment.text, asked=asked)
    if is_restatement(segment.text):
        return SpeechAct.RESTATES
    return SpeechAct.EXPLAINS if options.asks_of_operator and not asks_dictation(segment.text) else None


def _turns_before(turns: tuple[Turn, ...]) -> int:
    """Count the citizen's turns with a need back to the one that opened the matter, the newest left out."""
    count = 0
    for turn in reversed(turns):
        count += turn.party is not Party.OPERATOR and bool(turn.need)
        if turn.opens_matter:
            break
    return max(0, count - 1)


def _parts(text: str, *, is_operator: bool) -> tuple[str, str]:
    return (text, "") if is_operator else split_at_new_matter(text)


def _joined(turn: Turn, more: Turn, options: DialogueOptions) -> Turn:
    needs = [part for part in (turn.need, more.need) if part]
    return replace(
        turn,
        end_s=more.end_s,
        said=f"{turn.said}{more.said}"[-options.turn_chars :],
        need="，".join(needs)[-options.turn_chars :],
    )


def _recent(turns: list[Turn], options: DialogueOptions) -> list[Turn]:
    """Drop what is too old to be looked at; short answers without a need do not use up a place."""
    citizens = 0
    for back, turn in enumerate(reversed(turns), start=1):
        citizens += turn.party is not Party.OPERATOR and bool(turn.need)
        if citizens == options.citizen_turns:
            return turns[-back:]
    return turns


def _weighted(turns: tuple[Turn, ...], options: DialogueOptions) -> Iterator[tuple[Turn, float]]:
    """Turns with a need, newest first, each with its weight."""
    weight = 1.0
    for turn in reversed(turns):
        is_operator = turn.party is Party.OPERATOR
        if turn.need:
            yield turn, weight * (options.operator_weight if is_operator else 1.0)
            weight *= 1.0 if is_operator else options.decay
        if turn.opens_matter:
            weight *= options.earlier_matter_weight
