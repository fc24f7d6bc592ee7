"""The early warning over matters that have no name.

In: what citizens said, as it becomes known, the time. Out: warnings, each with a name out of its own words.
Not known here: where messages come from, who is told, the real clock, which model embeds.

The same shape as `insight/warning/watch.py`: `hear` what was said, `advance` the clock. Groups that have
grown are held against their own past, the probabilities of all groups are judged together (false discovery),
and what stands out is told once, until it has been quiet for some time.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from insight.clusters.background import Background
from insight.clusters.bursts import Burst, BurstOptions, Volume, find_burst
from insight.clusters.grams import grams
from insight.clusters.grouping import GroupingOptions, Groups
from insight.clusters.naming import name_of
from insight.clusters.types import Embed, Said, Vectors
from insight.types import EarlyWarning
from insight.warning.tails import false_shares

_SAMPLES = 10
_AT_ONCE = 8
"""Texts that are embedded together: whoever asks meanwhile waits for so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterOptions:
    """When a group stands out, and how long anything is remembered."""

    false_share: float = 0.04
    """Of the groups that stand out at a moment, the share that chance may have made; as for known matters."""
    kept_days: int = 180
    fresh_h: int = 24
    """A group is asked only when somebody spoke of it so lately: what comes in late is no burst now."""
    quiet_days: int = 14
    """Nothing is told again until a group has not stood out for so long."""
    local_share: float = 0.8
    """Of callers in one district, from which on it is that district's matter."""
    grouping: GroupingOptions = field(default_factory=GroupingOptions)
    bursts: BurstOptions = field(default_factory=BurstOptions)


class ClusterWatch:
    """Holds groups and volume of the last months."""

    def __init__(
        self, embed: Embed, *, usual: Sequence[str], options: ClusterOptions = ClusterOptions()
    ) -> None:
        """`usual`: some hundred texts such as are told every day, for what all texts have in common."""
        if not usual:
            raise ValueError("some usual texts are needed")
        self.options = options
        self.embed = embed
        vectors = _embedded(embed, usual)
        background = Background(vectors.shape[1])
        for text, vector in zip(usual, vectors, strict=True):
            background.learn(grams(text), vector)
        self.groups = Groups(background, options.grouping)
        self.volume = Volume()
        self.grown: set[str] = set()
        self.stood_out: dict[str, datetime] = {}
        """When a group that was told of stood out last."""
        self._day: datetime | None = None

    def hear(self, *said: Said) -> list[str]:
        """Take in what was said; what is heard again, by its `report_id`, takes the place of the old.

        Returns the group of each that is left, in order.
        """
        some = list({one.report_id: one for one in said}.values())
        if not some:
            return []
        again = {one.report_id for one in some if one.report_id in self.groups}
        self.groups.forget(again)
        found: list[str] = []
        for one, vector in zip(some, _embedded(self.embed, [one.content for one in some]), strict=True):
            if one.report_id not in again:
                self.volume.hear(one.at)
            found.append(self.groups.add(one, vector))
        self.grown.update(found)
        return [self.groups.current(own) for own in found]

    def forget(self, *report_ids: str) -> None:
        """As if it had not been said."""
        self.groups.forget(report_ids)

    def current(self, matter: str) -> str:
        """The identifier under which a group goes on that was told of under this one."""
        return self.groups.current(matter)

    def messages(self, matter: str) -> list[Said]:
        """What was said of it, oldest first; nothing where it is forgotten."""
        matter = self.current(matter)
        return self.groups.messages(matter) if matter in self.groups.clusters else []

    def advance(self, now: datetime) -> list[EarlyWarning]:
        """Tell what stands out now."""
        grown = {self.groups.current(cluster_id) for cluster_id in self.grown} & set(self.groups.clusters)
        self.grown = {cluster_id for cluster_id in grown if self._newest(cluster_id) > now}
        """Of those somebody's clock was ahead: they are asked again."""
        bursts = {
            cluster_id: burst for cluster_id in sorted(grown) if (burst := self._burst(cluster_id, now))
        }
        told = []
        for cluster_id, share in self._shares(bursts).items():
            if share <= self.options.false_share:
                last = self._last_stood_out(cluster_id)
                self.stood_out[cluster_id] = now
                if last is None or now - last > timedelta(days=self.options.quiet_days):
                    told.append(self._explain(cluster_id, bursts[cluster_id], share, now))
        self._forget(now)
        return told

    def _burst(self, cluster_id: str, now: datetime) -> Burst | None:
        said = [one for one in self.groups.messages(cluster_id) if one.at <= now]
        if not said or now - said[-1].at > timedelta(hours=self.options.fresh_h):
            return None
        return find_burst(said, self.volume, now, self.options.bursts)

    def _shares(self, bursts: dict[str, Burst]) -> dict[str, float]:
        """Judge all groups together, those that have not grown as well."""
        probabilities = np.ones(max(len(self.groups.clusters), len(bursts)))
        probabilities[: len(bursts)] = [burst.probability for burst in bursts.values()]
        shares = false_shares(probabilities)
        return {cluster_id: float(shares[row]) for row, cluster_id in enumerate(bursts)}

    def _last_stood_out(self, cluster_id: str) -> datetime | None:
        """Of the group and of all that it has taken in."""
        times = {own: at for own, at in self.stood_out.items() if self.groups.current(own) == cluster_id}
        for own in times:
            del self.stood_out[own]
        return max(times.values(), default=None)

    def _newest(self, cluster_id: str) -> datetime:
        return self.groups.messages(cluster_id)[-1].at

    def _explain(self, cluster_id: str, burst: Burst, share: float, now: datetime) -> EarlyWarning:
        districts = Counter(one.district for one in burst.behind if one.district).most_common()
        is_local = bool(districts) and districts[0][1] >= self.options.local_share * len(burst.behind)
        newest = sorted(burst.behind, key=lambda one: (one.at, one.report_id), reverse=True)
        return EarlyWarning(
            raised_at=now,
            matter=cluster_id,
            district=districts[0][0] if is_local else None,
            districts=tuple(district for district, _ in districts),
            window_h=burst.window_h,
            observed=len(burst.behind),
            places=len({one.place for one in burst.behind if one.place}),
            expected=burst.expected,
            probability=burst.probability,
            false_share=share,
            since=burst.behind[0].at,
            sample_ids=tuple(one.report_id for one in newest[:_SAMPLES]),
            name=name_of(self.groups.messages(cluster_id), self.groups.background.rarity),
        )

    def _forget(self, now: datetime) -> None:
        """Once a day, what is too old."""
        if self._day is not None and now - self._day < timedelta(days=1):
            return
        self._day = now
        first = now - timedelta(days=self.options.kept_days)
        self.groups.forget_before(first)
        self.volume.forget_before(first)
        for cluster_id, at in list(self.stood_out.items()):
            if now - at > timedelta(days=self.options.quiet_days):
                del self.stood_out[cluster_id]


def _embedded(embed: Embed, texts: Sequence[str]) -> Vectors:
    """(n, dimension), in the half precision in which vectors are saved."""
    batches = [embed(texts[at : at + _AT_ONCE]) for at in range(0, len(texts), _AT_ONCE)]
    return np.concatenate(batches).astype(np.float16).astype(np.float32)
