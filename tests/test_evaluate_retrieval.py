"""Calls through the live path with a scripted assistant, and the commands with the real one."""

import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from asr.types import Party, Segment
from knowledge_base.types import Article, Passage, PassageKind
from models.cache import resolve
from retrieval.embedder import SentenceEmbedder
from retrieval.publishing import publish
from retrieval.types import Findings, Match, Query
from scripts.call_data import ReferenceCall, Turn
from scripts.card_scores import CardCounts
from scripts.evaluate_cli import app
from scripts.evaluate_retrieval import as_segments, count_calls, figures, pool, report, tables, trace_call
from tests.call_parts import ScriptedAssistant, segment
from tests.retrieval_parts import ARTICLES

ROOT = Path(__file__).parents[1]
CITIZEN, OPERATOR = Party.CITIZEN, Party.OPERATOR

CALL = ReferenceCall(
    call_id="c-1",
    parties=(CITIZEN, OPERATOR),
    seconds=60.0,
    turns=(
        Turn(party=OPERATOR, start_s=0.0, end_s=2.0, text="您好"),
        Turn(party=CITIZEN, start_s=2.5, end_s=6.0, text="路灯坏了", relevant_topics=frozenset({"A1"})),
        Turn(party=CITIZEN, start_s=7.0, end_s=9.0, text="谢谢"),
    ),
    recording=None,
)
SCRIPT = {"路灯坏了": ("A1", "A4"), "登灯坏了": ("A4",)}


def match(article_id: str) -> Match:
    article = Article(article_id=article_id, title="", body="")
    passage = Passage(
        passage_id=1, article_id=article_id, title="", text="", kind=PassageKind.BODY, content_hash=""
    )
    return Match(article=article, passage=passage, score=0.5)


async def find_wrong_then_right(query: Query) -> Findings:
    return Findings(kb_version="v1", matches=(match("A4"), match("A1")))


class LyingAssistant(ScriptedAssistant):
    """Says of its queries and suggestions that an earlier segment caused them."""

    def ask(self, segment: Segment) -> Query | None:
        query = super().ask(segment)
        return query and Query(
            call_id=query.call_id, segment_id="operator-1", text=query.text, turns=query.turns
        )


def test_each_turn_is_one_final_at_its_end() -> None:
    segments = as_segments(CALL)
    assert [(each.segment_id, each.end_s, each.text) for each in segments] == [
        ("operator-1", 2.0, "您好"),
        ("citizen-1", 6.0, "路灯坏了"),
        ("citizen-2", 9.0, "谢谢"),
    ]
    assert all(each.is_final for each in segments)


@pytest.mark.parametrize("assistant", [ScriptedAssistant(SCRIPT), LyingAssistant(SCRIPT)])
async def test_the_segment_that_is_read_is_the_cause(assistant: ScriptedAssistant) -> None:
    trace = await trace_call(CALL, as_segments(CALL), assistant=assistant, search=find_wrong_then_right)
    assert [(each.caused_s, each.article_ids) for each in trace.searched] == [(6.0, ("A4", "A1"))]
    assert [each.caused_s for each in trace.shown] == [6.0]
    assert [card.article_id for card in trace.shown[0].cards] == ["A1", "A4"]


async def test_text_and_recognised_text_are_counted_apart_each_with_a_fresh_assistant() -> None:
    opened: list[str] = []

    def open_assistant(call_id: str) -> ScriptedAssistant:
        opened.append(call_id)
        return ScriptedAssistant(SCRIPT)

    done: list[str] = []
    heard = {"c-1": [segment(1, "登灯坏了", start_s=2.6, end_s=6.2)]}
    counts = await count_calls(
        [CALL], heard, open_assistant=open_assistant, search=find_wrong_then_right, on_done=done.append
    )
    assert (opened, done) == (["c-1", "c-1"], ["c-1"])
    told = figures(pool(counts))
    assert (told["hit1"], told["hit3"], told["precision"]) == (1.0, 1.0, 0.5)
    assert (told["hit1_recognised"], told["hit3_recognised"], told["precision_recognised"]) == (0.0, 0.0, 0.0)
    assert (told["search_hit1"], told["search_hit3"], told["search_hit3_recognised"]) == (0.0, 1.0, 1.0)


async def test_the_report_has_the_promised_keys_and_is_json() -> None:
    counts = await count_calls(
        [CALL], None, open_assistant=lambda _: ScriptedAssistant(SCRIPT), search=find_wrong_then_right
    )
    told = json.loads(json.dumps(report(counts, {"kb_version": "v1"})))
    promised = {
        "hit1",
        "hit3",
        "first_hit3",
        "search_hit1",
        "search_hit3",
        "precision",
        "false_on_silent",
        "turns",
        "silent_turns",
        "card_changes_per_min",
    }
    assert promised <= told.keys()
    assert {f"{name}_recognised" for name in promised} <= told.keys()
    assert told["hit1_recognised"] is None
    assert (told["turns"], told["silent_turns"], told["card_changes_per_min"]) == (1, 1, 2.0)
    assert told["calls"][0]["call_id"] == "c-1"


async def test_tables_show_what_was_counted_and_a_dash_for_the_rest() -> None:
    counts = await count_calls(
        [CALL], None, open_assistant=lambda _: ScriptedAssistant(SCRIPT), search=find_wrong_then_right
    )
    out = StringIO()
    for each in tables(counts):
        Console(width=80, file=out).print(each)
    text = out.getvalue()
    assert "card_changes_per_min" in text
    assert "1.00 / –" in text


def test_pooling_nothing_gives_no_figures() -> None:
    told = figures(pool([]))
    assert told["hit1"] is None
    assert told["hit1_recognised"] is None
    assert CardCounts().figures()["turns"] == 0


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "models").symlink_to(ROOT / "var" / "models")
    monkeypatch.setenv("ZHITING_DATA_DIR", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("command", ["asr", "retrieval"])
@pytest.mark.parametrize("folder", ["nowhere", "empty", "text-only"])
def test_a_folder_that_is_none_is_one_sentence_and_exit_2(data_dir: Path, command: str, folder: str) -> None:
    place = data_dir / folder
    if folder != "nowhere":
        place.mkdir()
    if folder == "text-only":
        write(place)
    result = CliRunner().invoke(app, [command, str(place)])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert str(place) in result.stderr or "c-1 has no recording" in result.stderr


def write(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    turns = [
        {"speaker": "operator", "text": "您好，请讲。", "start": 0.0, "end": 2.0, "relevant_topics": []},
        {
            "speaker": "citizen",
            "text": "我们楼下马路的路灯坏了，路灯不亮怎么报修？",
            "start": 2.5,
            "end": 6.0,
            "relevant_topics": ["A1"],
        },
        {"speaker": "citizen", "text": "好的，谢谢。", "start": 7.0, "end": 9.0, "relevant_topics": []},
    ]
    call = {"call_id": "c-1", "channels": ["citizen", "operator"], "seconds": 60, "turns": turns}
    (folder / "c-1.json").write_text(json.dumps(call), encoding="utf-8")


@pytest.mark.weights
def test_the_real_assistant_over_a_published_knowledge_base(data_dir: Path) -> None:
    folder = resolve("e5-small", cache_dir=ROOT / "var" / "models", allow_hub=False)
    now = datetime(2026, 3, 5, tzinfo=UTC)
    version = publish(ARTICLES, embedder=SentenceEmbedder(folder), folder=data_dir / "kb", now=now)
    write(data_dir / "calls")
    told = []
    for _ in range(2):
        result = CliRunner().invoke(app, ["retrieval", str(data_dir / "calls"), "--no-recognised", "--json"])
        assert result.exit_code == 0, result.output
        told.append(json.loads(result.stdout))
    assert told[0] == told[1]
    assert (told[0]["search_hit1"], told[0]["turns"], told[0]["silent_turns"]) == (1.0, 1, 1)
    settings = told[0]["settings"]
    assert (settings["kb_version"], settings["kb_is_sample"]) == (version.version, False)
    assert (settings["topics_without_article"], settings["ears"]) == ([], None)
