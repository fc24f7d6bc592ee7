"""Groups of messages that speak of one matter, one message at a time.

In: messages with the vectors of their texts.
Out: for each the identifier of its group; groups that became one.
Not known here: the clock, which model embeds, what grows.

A message joins the group whose most alike members are alike enough on average, else it begins one; what many
people speak of these days is likelier beforehand, in proportion to their number (as in a Chinese restaurant
process with decay). Where it is near to two groups, these are held against each other as wholes, in which the
accidents of single wordings cancel out, and become one under the older identifier. An identifier comes from
the first report of a group and stays with it whoever joins, and when the first report is forgotten.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from insight.clusters.background import Background
from insight.clusters.grams import grams
from insight.clusters.likeness import Side, Weights, log_odds
from insight.clusters.neighbours import Neighbours
from insight.clusters.types import Said, Vectors

_MOST_ACTIVE = 200
"""Members that are asked when they spoke."""
_MOST_MERGED = 5
"""Groups that are held against the one that a message joins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupingOptions:
    """When messages are of one matter."""

    joins: float = -0.5
    """Log odds from which on a message belongs to a group."""
    merges: float = 1.0
    """Log odds from which on two groups are one."""
    considered: float = 1.0
    """Below `joins` by so much, a group is still held against the one that a message joins."""
    neighbours: int = 30
    """Messages that are looked at for each new one."""
    most_alike: int = 3
    """Members whose likeness is averaged."""
    newest: int = 6
    """Members that are looked at in any case."""
    most_messages: int = 20_000
    """The oldest are forgotten first."""
    active: float = 1.0
    """Times the logarithm of how many people spoke of a group lately; 1: in proportion to their number."""
    lately_days: float = 14.0
    """After which somebody counts a third there."""
    weights: Weights = field(default_factory=Weights)


@dataclass(slots=True)
class Kept:
    """A message that is remembered."""

    number: int
    said: Said
    cluster_id: str


@dataclass(slots=True)
class Cluster:
    """A group."""

    cluster_id: str
    born: int
    """Number of its first message: the lower, the older."""
    members: list[int]
    """Numbers, in the order in which they became known."""
    total: Vectors
    """Sum of the members' vectors."""
    counts: Counter[str]
    """By piece, how many members have it."""


class Groups:
    """All groups, over a bounded number of messages."""

    def __init__(self, background: Background, options: GroupingOptions = GroupingOptions()) -> None:
        self.options = options
        self.background = background
        self.clusters: dict[str, Cluster] = {}
        self.kept: dict[int, Kept] = {}
        self.merged: dict[str, str] = {}
        """Identifiers that are no more, and what they became."""
        self.next_number = 1
        self._numbers: dict[str, int] = {}
        self._neighbours = Neighbours(len(background.middle))

    def __contains__(self, report_id: object) -> bool:
        return report_id in self._numbers

    def current(self, cluster_id: str) -> str:
        """The identifier that this one became, or itself."""
        while cluster_id in self.merged:
            cluster_id = self.merged[cluster_id]
        return cluster_id

    def messages(self, cluster_id: str) -> list[Said]:
        """What its members said, oldest first."""
        said = [self.kept[number].said for number in self.clusters[cluster_id].members]
        return sorted(said, key=lambda one: (one.at, one.report_id))

    def vector(self, number: int) -> Vectors:
        """Of a message that is remembered, (dimension,)."""
        return self._neighbours.vector(number)

    def add(self, said: Said, vector: Vectors) -> str:
        """Put a message, new here, into a group; `vector` has length 1."""
        pieces = grams(said.content)
        self.background.learn(pieces, vector)
        near = self._near(self._side(said, vector), vector)
        number, self.next_number = self.next_number, self.next_number + 1
        if near and near[0][0] >= self.options.joins:
            cluster_id = near[0][1]
        else:
            cluster_id = _identifier(said.report_id)
            if cluster_id in self.clusters or cluster_id in self.merged:
                cluster_id = _identifier(f"{said.report_id} {number}")
        self.keep(Kept(number, said, cluster_id), vector, born=number)
        for odds, other in near[:_MOST_MERGED]:
            if odds >= self.options.joins - self.options.considered and other in self.clusters:
                cluster_id = self._merge(cluster_id, other)
        if len(self.kept) > self.options.most_messages:
            self._drop(sorted(self.kept)[: len(self.kept) - self.options.most_messages * 19 // 20])
        return cluster_id

    def keep(self, kept: Kept, vector: Vectors, *, born: int) -> None:
        """Remember a message as a member of its group; `born`: of the group where it is new."""
        cluster = self.clusters.get(kept.cluster_id)
        if cluster is None:
            cluster = Cluster(kept.cluster_id, born, [], np.zeros_like(vector), Counter())
            self.clusters[kept.cluster_id] = cluster
        cluster.members.append(kept.number)
        cluster.total += vector
        cluster.counts.update(grams(kept.said.content))
        self.kept[kept.number] = kept
        self._numbers[kept.said.report_id] = kept.number
        self._neighbours.add([kept.number], vector.reshape(1, -1))

    def forget(self, report_ids: Iterable[str]) -> None:
        """Forget those that are remembered."""
        self._drop([self._numbers[report_id] for report_id in report_ids if report_id in self._numbers])

    def forget_before(self, at: datetime) -> None:
        """Forget what was said before that."""
        self._drop([kept.number for kept in self.kept.values() if kept.said.at < at])

    def forget_merged(self) -> None:
        """Forget what led to groups that are no more."""
        lost = [cluster_id for cluster_id in self.merged if self.current(cluster_id) not in self.clusters]
        if lost:
            self.merged = {own: became for own, became in self.merged.items() if own not in set(lost)}

    def _near(self, side: Side, vector: Vectors) -> list[tuple[float, str]]:
        """Groups by likeness, most first."""
        found: dict[str, set[int]] = {}
        for number in self._neighbours.nearest(vector, self.options.neighbours):
            found.setdefault(self.kept[number].cluster_id, set()).add(number)
        near: list[tuple[float, str]] = []
        for cluster_id, numbers in found.items():
            numbers.update(self.clusters[cluster_id].members[-self.options.newest :])
            odds = sorted((self._odds(side, number) for number in numbers), reverse=True)
            best = odds[: self.options.most_alike]
            near.append((sum(best) / len(best) + self._prior(cluster_id, side.days[0]), cluster_id))
        return sorted(near, key=lambda one: (-one[0], one[1]))

    def _prior(self, cluster_id: str, day: float) -> float:
        """What many people speak of these days, the next one is likelier to speak of as well."""
        if not self.options.active:
            return 0.0
        weights: dict[str, float] = {}
        for number in self.clusters[cluster_id].members[-_MOST_ACTIVE:]:
            said = self.kept[number].said
            weight = math.exp(-abs(day - _days(said)) / self.options.lately_days)
            weights[said.who] = max(weights.get(said.who, 0.0), weight)
        return self.options.active * math.log(max(1.0, sum(weights.values())))

    def _odds(self, side: Side, number: int) -> float:
        other = self._side(self.kept[number].said, self._neighbours.vector(number))
        return log_odds(side, other, self.background, self.options.weights)

    def _side(self, said: Said, vector: Vectors) -> Side:
        counts = dict.fromkeys(grams(said.content), 1)
        return Side(vector=vector, counts=counts, members=1, days=(_days(said),))

    def _merge(self, one: str, other: str) -> str:
        """Make them one where they are; returns the identifier of `one`'s messages."""
        if one == other:
            return one
        a, b = self.clusters[one], self.clusters[other]
        odds = log_odds(self._whole(a), self._whole(b), self.background, self.options.weights)
        if odds < self.options.merges:
            return one
        old, young = (a, b) if a.born < b.born else (b, a)
        for number in young.members:
            self.kept[number].cluster_id = old.cluster_id
        old.members = sorted(old.members + young.members)
        old.total += young.total
        old.counts.update(young.counts)
        del self.clusters[young.cluster_id]
        self.merged[young.cluster_id] = old.cluster_id
        return old.cluster_id

    def _whole(self, cluster: Cluster) -> Side:
        newest = cluster.members[-self.options.newest :]
        return Side(
            vector=cluster.total * np.float32(1 / len(cluster.members)),
            counts=cluster.counts,
            members=len(cluster.members),
            days=[_days(self.kept[number].said) for number in newest],
        )

    def _drop(self, numbers: list[int]) -> None:
        if not numbers:
            return
        for number in numbers:
            kept = self.kept.pop(number)
            del self._numbers[kept.said.report_id]
            cluster = self.clusters[kept.cluster_id]
            cluster.members.remove(number)
            cluster.total -= self._neighbours.vector(number)
            cluster.counts.subtract(grams(kept.said.content))
            cluster.counts = +cluster.counts
            if not cluster.members:
                del self.clusters[kept.cluster_id]
        self._neighbours.remove(numbers)
        self.forget_merged()


def _identifier(report_id: str) -> str:
    return hashlib.blake2b(report_id.encode(), digest_size=6).hexdigest()


def _days(said: Said) -> float:
    return said.at.timestamp() / 86_400
