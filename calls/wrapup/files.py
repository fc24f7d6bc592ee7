"""The lists that come with the product: how departments are called in speech, and the cues.

In: nothing. Out: `Directory` and `Cues`.
Not known here: what an installation adds to them.
"""

import csv
from importlib.resources import files

from calls.wrapup.examples import Examples
from calls.wrapup.kinds import Cues
from calls.wrapup.matters import Directory
from calls.wrapup.topics import Embed


def read_directory() -> Directory:
    """Read the sample directory."""
    return Directory(_lines("departments.csv"))


def read_cues() -> Cues:
    """Read the cues for type and urgency."""
    return Cues.read(_lines("cues.csv"))


def read_examples(embed: Embed) -> Examples:
    """Read and embed the examples of types and urgency, and fit the model to them."""
    return Examples(_lines("examples.csv"), embed)


def example_texts() -> tuple[str, ...]:
    """The sentences of the examples: what citizens usually say."""
    return tuple(row["text"] for row in csv.DictReader(_lines("examples.csv")))


def _lines(name: str) -> list[str]:
    return (files("calls.wrapup") / "data" / name).read_text(encoding="utf-8").splitlines()
