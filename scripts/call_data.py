"""Reads the folders that evaluation scores against: recordings, and what was really said in them.

In: a folder of `NAME.json` references beside their recordings, or of recordings and a `manifest.jsonl`.
Out: `ReferenceCall`s in order of their names, checked.
Not known here: what is measured with them, how sound is decoded.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, Field, ValidationError

from asr.types import Party

_RECORDINGS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a")
_MANIFEST = "manifest.jsonl"


class BadData(Exception):
    """The folder cannot be scored against; `message` says in one sentence what is wrong with it."""

    def __init__(self, message: str):
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one party said at one go."""

    party: Party
    start_s: float
    end_s: float
    text: str
    relevant_topics: frozenset[str] = frozenset()
    """Articles that help now; empty where nothing new is warranted."""

    @property
    def is_citizens(self) -> bool:
        """Whether cards are counted for it; a mixed leg counts as the citizen's."""
        return self.party is not Party.OPERATOR


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceCall:
    """A call as it really was."""

    call_id: str
    parties: tuple[Party, ...]
    """Whose leg each channel of the recording is."""
    seconds: float
    turns: tuple[Turn, ...]
    """By start, both parties."""
    recording: Path | None
    """None where there is only text."""

    def text_of(self, party: Party) -> str:
        """All that the party said; a mixed leg holds what everybody said."""
        return " ".join(turn.text for turn in self.turns if party in (turn.party, Party.MIXED))


class _TurnRow(BaseModel):
    speaker: Party
    text: str
    start: float = Field(ge=0, allow_inf_nan=False)
    end: float = Field(ge=0, allow_inf_nan=False)
    relevant_topics: list[str] = []


class _CallFile(BaseModel):
    call_id: str = Field(min_length=1)
    channels: list[Party] = Field(min_length=1)
    seconds: float = Field(gt=0, allow_inf_nan=False)
    turns: list[_TurnRow] = Field(min_length=1)


class _SpeechRow(BaseModel):
    file: str
    text: str
    seconds: float = Field(gt=0, allow_inf_nan=False)


def read_calls(folder: Path) -> list[ReferenceCall]:
    """Read every reference of a folder. Raises `BadData`."""
    if not folder.is_dir():
        raise BadData(f"{folder} is not a folder.")
    manifest = folder / _MANIFEST
    found = (
        _speech(manifest) if manifest.is_file() else (_call(file) for file in sorted(folder.glob("*.json")))
    )
    calls = list(found)
    if not calls:
        raise BadData(f"{folder} holds neither NAME.json references nor a {_MANIFEST}.")
    names: set[str] = set()
    for call in calls:
        if call.call_id in names:
            raise BadData(f"The call {call.call_id} stands twice in {folder}.")
        names.add(call.call_id)
    return calls


def with_recordings(calls: Iterable[ReferenceCall]) -> list[tuple[ReferenceCall, Path]]:
    """Pair each call with its recording. Raises `BadData` where one has none: no call is left out."""
    pairs = []
    for call in calls:
        if call.recording is None:
            raise BadData(f"The call {call.call_id} has no recording beside its reference.")
        pairs.append((call, call.recording))
    return pairs


def _call(file: Path) -> ReferenceCall:
    row = _parsed(_CallFile, file.read_bytes(), file.name)
    turns = tuple(
        Turn(
            party=turn.speaker,
            start_s=turn.start,
            end_s=turn.end,
            text=turn.text,
            relevant_topics=frozenset(turn.relevant_topics),
        )
        for turn in sorted(row.turns, key=lambda turn: turn.start)
    )
    for turn in turns:
        if turn.end_s <= turn.start_s:
            raise BadData(f"{file.name}: the turn at {turn.start_s} s ends before it begins.")
        if turn.party not in row.channels and Party.MIXED not in row.channels:
            raise BadData(f"{file.name}: a turn of the {turn.party} has no channel in the recording.")
    beside = (file.with_suffix(ending) for ending in _RECORDINGS)
    return ReferenceCall(
        call_id=row.call_id,
        parties=tuple(row.channels),
        seconds=row.seconds,
        turns=turns,
        recording=next((path for path in beside if path.is_file()), None),
    )


def _speech(manifest: Path) -> Iterator[ReferenceCall]:
    for number, line in enumerate(manifest.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        row = _parsed(_SpeechRow, line, f"{manifest.name}, line {number}")
        recording = manifest.parent / row.file
        if not recording.is_file():
            raise BadData(f"{manifest.name}, line {number}: there is no file {row.file}.")
        turn = Turn(party=Party.MIXED, start_s=0.0, end_s=row.seconds, text=row.text)
        yield ReferenceCall(
            call_id=row.file,
            parties=(Party.MIXED,),
            seconds=row.seconds,
            turns=(turn,),
            recording=recording,
        )


_Row = TypeVar("_Row", bound=BaseModel)


def _parsed(kind: type[_Row], content: bytes, place: str) -> _Row:
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadData(f"{place}{f', {where}' if where else ''}: {first['msg']}.") from error
