"""How well the written examples tell types and urgency: each is judged by the others.

In: the examples that come with the product, the embedding model of the settings.
Out: shares that are right, on the examples as they are written and as tired ears would write them.
Not known here: calls; cues and articles, which the draft weighs as well.

Run with `python -m scripts.evaluate_examples`.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from rich.console import Console

from agent_ui.settings import Settings
from asr.types import Party
from calls.wrapup.examples import Examples
from calls.wrapup.pieces import Piece
from calls.wrapup.topics import Embed
from calls.wrapup.types import Span, Urgency
from retrieval.embedder import SentenceEmbedder
from scripts.noise import Noise
from scripts.weights import weights_of

_FOLDS = 8
_OF_EVERY_CALL = "无"
_HALF = 0.5
_SPOILT = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftout:
    """What is right of examples that the model was not fitted to."""

    kinds_right: int
    kinds: int
    urgent_found: int
    urgent: int
    false_alarms: int
    usual: int


def judge_examples(rows: Sequence[dict[str, str]], embed: Embed, *, spoilt: float = 0.0) -> Leftout:
    """Fit to seven eighths of the examples and judge the rest, eight times, with `spoilt` of it misheard."""
    noise = Noise(row["text"] for row in rows)
    kinds: list[bool] = []
    urgent: list[bool] = []
    usual: list[bool] = []
    for fold in range(_FOLDS):
        lines = [
            ",".join(row.values()) for i, row in enumerate(rows) if i % _FOLDS != fold
        ]  # no text holds a comma
        examples = Examples(["kind,urgency,text", *lines], embed)
        for row in rows[fold::_FOLDS]:
            text = noise.spoil(row["text"], share=spoilt, seed=1)
            piece = Piece(
                party=Party.CITIZEN,
                text=text,
                span=Span(segment_id="1", start=0, end=len(text)),
                sureness=0.0,
            )
            shares = examples.shares([piece], embed)
            if row["kind"] != _OF_EVERY_CALL:
                kinds.append(max(shares, key=lambda each: shares[each]) == row["kind"])
            alarmed = examples.alarm([piece], embed).strength > _HALF
            (usual if row["urgency"] == Urgency.USUAL else urgent).append(alarmed)
    return Leftout(
        kinds_right=sum(kinds),
        kinds=len(kinds),
        urgent_found=sum(urgent),
        urgent=len(urgent),
        false_alarms=sum(usual),
        usual=len(usual),
    )


def main() -> None:
    """Print both."""
    settings = Settings()
    embed = SentenceEmbedder(weights_of(settings, settings.embedding_model)).embed_query
    text = (files("calls.wrapup") / "data" / "examples.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    for name, spoilt in (("as written", 0.0), ("misheard", _SPOILT)):
        found = judge_examples(rows, embed, spoilt=spoilt)
        Console().print(
            f"{name}: type {found.kinds_right} of {found.kinds}, "
            f"urgent {found.urgent_found} of {found.urgent}, false {found.false_alarms} of {found.usual}"
        )


if __name__ == "__main__":
    main()
