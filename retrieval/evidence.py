"""What speaks for each match of a query, as numbers that a model can weigh.

In: a query, what was found for it, what earlier queries of the call had found.
Out: one row of features per match, and the evidence to carry on to the next query.
Not known here: the weights of the features, what is on the screen.
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from retrieval.tokens import is_chinese, sound
from retrieval.types import Channel, Match, Query, SpeechAct

FEATURES = (
    "dense",
    "lexical",
    "pinyin",
    "fused",
    "newest",
    "dense_lead",
    "lexical_lead",
    "pinyin_lead",
    "fused_lead",
    "newest_lead",
    "keywords",
    "keywords_newest",
    "keywords_lead",
    "words_per_char",
    "above_crowd",
    "rank",
    "firsts",
    "thirds",
    "trail",
    "trail_lead",
    "best_dense",
    "best_fused",
    "newest_chars",
    "all_chars",
    "turns_before",
    "opens_matter",
    "sureness",
    *(f"act_{act}" for act in SpeechAct),
)
"""Names of the features, in the order of the columns.

`keywords` counts the syllables of the article's keywords that were said, by sound and weighed by turn,
`words_per_char` is the lexical and pinyin score for the length of what was said.
`…_lead` is the distance to the best other match (negative where that is better), `firsts` and `thirds`
count the channels in which the article is first or among the first three, `trail` is what earlier queries
of the call found for it, `act_…` is 1 for what the turn does.
"""
_CROWD = slice(3, 8)
"""Ranks that stand for the unspecific rest."""
_KEPT = 0.7
"""Of a trail at every further query."""
_KEPT_PAST_MATTER = 0.3
"""Of a trail when another matter is opened."""
_FADE = 1.5
"""Distance in `Match.fused` from the best at which a match leaves a third of its score on the trail."""
_FORGOTTEN = 0.02


def features(query: Query, matches: Sequence[Match], trail: Mapping[str, float]) -> NDArray[np.float64]:
    """One row per match, (matches, features). `matches` best first, ten or more, so that the crowd shows."""
    if not matches:
        return np.zeros((0, len(FEATURES)))
    channels = {c: [_score(match, c) for match in matches] for c in Channel}
    fused = [match.fused for match in matches]
    newest = [match.newest for match in matches]
    trails = [trail.get(match.article.article_id, 0.0) for match in matches]
    crowd = fused[_CROWD] or fused[-1:]
    sounds = [(_syllables(text), weight) for text, weight in query.turns]
    keywords = [_keywords(match.article.keywords, sounds) for match in matches]
    keywords_newest = [_keywords(match.article.keywords, sounds[:1]) for match in matches]
    chars = math.sqrt(1 + sum(weight * len(text) for text, weight in query.turns))
    columns: list[Sequence[float]] = [
        *(channels[c] for c in Channel),
        fused,
        newest,
        *(_leads(channels[c]) for c in Channel),
        _leads(fused),
        _leads(newest),
        keywords,
        keywords_newest,
        _leads(keywords),
        [
            (lexical + pinyin) / chars
            for lexical, pinyin in zip(channels[Channel.LEXICAL], channels[Channel.PINYIN], strict=True)
        ],
        [value - sum(crowd) / len(crowd) for value in fused],
        [math.log(rank) for rank in range(1, len(matches) + 1)],
        [_count_ranks(match, 1) for match in matches],
        [_count_ranks(match, 3) for match in matches],
        trails,
        _leads(trails),
    ]
    same = [
        max(channels[Channel.DENSE]),
        max(fused),
        math.log1p(len(query.turns[0][0]) if query.turns else 0),
        math.log1p(sum(len(text) for text, _ in query.turns)),
        min(query.turns_before, 4),
        float(query.opens_matter),
        query.sureness,
        *(float(query.act is act) for act in SpeechAct),
    ]
    rows = np.array(columns).T
    return np.hstack([rows, np.tile(same, (len(matches), 1))])


def follow(trail: Mapping[str, float], query: Query, matches: Sequence[Match]) -> dict[str, float]:
    """Add what a query found to the evidence of the call; what is not found again fades."""
    kept = _KEPT_PAST_MATTER if query.opens_matter else _KEPT
    followed = {article_id: strength * kept for article_id, strength in trail.items()}
    for match in matches:
        near = match.score * math.exp((match.fused - matches[0].fused) / _FADE)
        followed[match.article.article_id] = followed.get(match.article.article_id, 0.0) + near
    return {article_id: strength for article_id, strength in followed.items() if strength >= _FORGOTTEN}


def _keywords(keywords: Sequence[str], turns: Sequence[tuple[str, float]]) -> float:
    """Add up the syllables after the first of each keyword that is heard, times the best turn's weight."""
    total = 0.0
    for keyword in dict.fromkeys(_keyword_syllables(keyword) for keyword in keywords):
        weight = max((weight for said, weight in turns if keyword in said), default=0.0)
        total += weight * (keyword.count(" ") - 2)
    return total


@lru_cache(maxsize=1 << 16)
def _keyword_syllables(keyword: str) -> str:
    """Those of the knowledge base are asked for again and again; what people say is not kept."""
    return _syllables(keyword)


def _syllables(text: str) -> str:
    """Each Chinese character by its sound, between blanks; anything else as it is."""
    return f" {' '.join(sound(c) if is_chinese(c) else c for c in text.lower())} "


def _score(match: Match, channel: Channel) -> float:
    return match.channels[channel].score if channel in match.channels else 0.0


def _count_ranks(match: Match, most: int) -> int:
    return sum(found.rank <= most and found.score > 0 for found in match.channels.values())


def _leads(values: Sequence[float]) -> list[float]:
    """Distance of each to the best of the others."""
    if len(values) == 1:
        return [values[0]]
    best, second = sorted(values, reverse=True)[:2]
    return [value - (second if value == best else best) for value in values]
