"""Parts for tests of memory and matching: small articles, and an embedder that needs no weights."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from asr.types import Party, Segment
from knowledge_base.types import Article
from retrieval.tokens import characters
from retrieval.vectors import Vector, Vectors


@dataclass
class PairEmbedder:
    """Texts that share pairs of characters lie near each other; it remembers what it embedded."""

    name: str = "pairs@1"
    dimension: int = 64
    embedded: list[str] = field(default_factory=list)
    fails_after: int | None = None

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        if self.fails_after is not None and len(self.embedded) + len(texts) > self.fails_after:
            raise KeyboardInterrupt
        self.embedded += texts
        return np.array([self.embed_query(text) for text in texts], np.float32).reshape(-1, self.dimension)

    def embed_query(self, text: str) -> Vector:
        total = np.ones(self.dimension, np.float32) * 1e-3
        for token in characters(text):
            seed = int.from_bytes(hashlib.sha256(token.encode()).digest()[:4], "big")
            total += np.random.default_rng(seed).standard_normal(self.dimension).astype(np.float32)
        return total / np.linalg.norm(total)


def article(article_id: str = "A1", title: str = "路灯报修", **changes: object) -> Article:
    values: dict[str, object] = {
        "title": title,
        "body": f"{title}由城管部门负责，一般三天内修好。\n办理方式：拨打热线登记地点和灯杆编号。",
        "questions": (f"{title}找谁",),
        "keywords": (title[:2],),
        "department": "城管局",
        "source": "示例",
    }
    return Article(article_id=article_id, **(values | changes))  # type: ignore[arg-type]


ARTICLES = (
    article("A1", "路灯不亮怎么报修", questions=("楼下马路的路灯坏了", "灯杆倒了")),
    article("A2", "养老金资格认证", questions=("老人怎么刷脸认证",), body="每年认证一次，手机上刷脸就可以。"),
    article("A3", "公积金租房提取", questions=("租房能不能提公积金",), body="没有自有住房就可以提取。"),
    article("A4", "噪声扰民投诉", questions=("半夜工地很吵",), body="夜间施工要有许可，执法人员会去现场。"),
    article("A5", "老年公交卡办理", questions=("免费坐车的卡",), body="满七十周岁可以免费办卡。"),
    article("A6", "居住证签注", questions=("居住证到期了",), body="每年签注一次，到期前三十天办理。"),
)


def segment(
    text: str,
    number: int = 1,
    *,
    party: Party = Party.CITIZEN,
    start_s: float = 0.0,
    end_s: float | None = None,
    is_final: bool = True,
) -> Segment:
    return Segment(
        call_id="c-1",
        segment_id=f"{party}-{number}",
        party=party,
        start_s=start_s,
        end_s=start_s + 3.0 if end_s is None else end_s,
        text=text,
        raw_text=text,
        is_final=is_final,
    )
