"""The cross-encoder: a real one, small and trained here in a moment, as no package holds a Chinese one."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

from knowledge_base.types import Passage, PassageKind
from retrieval.reranker import Reranker, RerankerOptions
from retrieval.types import Findings, Match
from tests.retrieval_parts import ARTICLES

DAY = date(2026, 3, 5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A one-layer BERT that has learnt to like passages with 鸡 in them."""
    place = tmp_path_factory.mktemp("reranker")
    texts = [f"{a.title}{a.body}{''.join(a.questions)}" for a in ARTICLES]
    letters = sorted(set("".join(texts)) | set("鸡鸭问"))
    (place / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters]))
    tokenizer = BertTokenizer(str(place / "vocab.txt"))
    torch.manual_seed(1)
    model = BertForSequenceClassification(
        BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
            num_labels=1,
        )
    )
    learning = torch.optim.Adam(model.parameters(), lr=0.01)
    batch = tokenizer(["问"] * 2, ["鸡鸡鸡", "鸭鸭鸭"], return_tensors="pt", padding=True)
    for _ in range(60):
        learning.zero_grad()
        logits = model(**batch).logits[:, 0]
        torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.tensor([1.0, 0.0])).backward()
        learning.step()
    model.save_pretrained(place)
    tokenizer.save_pretrained(place)
    return place


def found(*texts: str) -> Findings:
    matches = tuple(
        Match(
            article=replace(article, title=""),
            passage=Passage(
                passage_id=number,
                article_id=article.article_id,
                title="",
                text=text,
                kind=PassageKind.BODY,
                content_hash=f"{number:032x}",
            ),
            score=1 - number / 10,
        )
        for number, (article, text) in enumerate(zip(ARTICLES, texts, strict=False))
    )
    return Findings(kb_version="v1", matches=matches)


def texts_of(findings: Findings) -> list[str]:
    return [match.passage.text for match in findings.matches]


def test_the_cross_encoder_decides_the_order_and_the_score(folder: Path) -> None:
    reranker = Reranker(folder, RerankerOptions(patience_s=60))
    findings = found("鸭鸭鸭", "鸡鸡鸡")
    better = asyncio.run(reranker.rerank("问", findings, is_loaded=lambda: False))
    assert texts_of(better) == ["鸡鸡鸡", "鸭鸭鸭"]
    assert better.matches[0].score > 0.9
    assert better.matches[1].score < 0.1
    assert better.kb_version == "v1"


def test_nothing_is_reranked_under_load_or_when_it_takes_too_long(folder: Path) -> None:
    findings = found("鸭鸭鸭", "鸡鸡鸡")
    patient = Reranker(folder, RerankerOptions(patience_s=60))
    assert asyncio.run(patient.rerank("问", findings, is_loaded=lambda: True)) is findings
    hasty = Reranker(folder, RerankerOptions(patience_s=1e-6))

    async def twice() -> None:
        # One thread, and that one is busy: nothing is scored before patience is over.
        threads = ThreadPoolExecutor(1)
        asyncio.get_running_loop().set_default_executor(threads)
        free = threading.Event()
        threads.submit(free.wait)
        assert await hasty.rerank("问", findings, is_loaded=lambda: False) is findings
        # The first question is still being read: the second is not kept waiting.
        assert await hasty.rerank("问", findings, is_loaded=lambda: False) is findings
        free.set()

    asyncio.run(twice())


def test_one_match_needs_no_order(folder: Path) -> None:
    findings = found("鸭鸭鸭")
    patient = Reranker(folder)
    assert asyncio.run(patient.rerank("问", findings, is_loaded=lambda: False)) is findings
