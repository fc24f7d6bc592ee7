"""Prose by a language model: it stands only where it says no number that was not given to it."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_ui.settings import Settings
from insight.reports.retelling import INSTRUCTIONS, ModelSilent, objections, retold
from insight.reports.types import Report
from tests.house import running
from tests.model_server import Script, playing
from tests.test_reports import report

GIVEN = (
    "2026年3月，热线共受理诉求 1,333 件，环比上升 40.8%（上月 947 件）。“水质发黄”52 件，"
    "自 3月18日 起有反映。"
    "平均用时 41.40 小时，新城一区 2 件。"
)


@pytest.mark.parametrize(
    "text",
    [
        "3月18日起，“水质发黄”有52件；全月受理１,３３３件，上升40.8%。",
        "受理诉求1333件，比上月的 947 件上升 40.8%，需进一步关注，已形成工单。",
        "平均用时 41.4 小时。",
        "新城一区有 2 件。",
    ],
)
def test_what_was_given_may_be_said_in_other_words(text: str) -> None:
    assert objections(text, GIVEN) == []


@pytest.mark.parametrize(
    "text",
    [
        "受理诉求 1,334 件。",
        "受理诉求 1,333 人。",
        "上升 40.9%。",
        "上升 40 %。",
        "增加 386 件。",
        "上升了四成。",
        "将近翻番。",
        "是上月的 1.4 倍。",
        "超过一半来自普陀区。",
        "诉求量居首位。",
        "这是第3个月上升。",
        "受理一千三百三十三件。",
        "“停水”52 件。",
        "受理诉求 1,333 件。" * 30,
    ],
)
def test_what_was_not_given_may_not(text: str) -> None:
    assert objections(text, GIVEN)


@settings(max_examples=200)
@given(number=st.integers(0, 10**7), unit=st.sampled_from("件人次%天"))
def test_no_number_slips_through(number: int, unit: str) -> None:
    is_given = f"{number}{unit}" in GIVEN.replace(",", "").replace(" ", "")
    text = f"本月 {number:,} {unit}。"
    pairs = {"1333件", "947件", "52件", "2件"}
    assert (objections(text, GIVEN) == []) == (is_given and f"{number}{unit}" in pairs)


@pytest.fixture(scope="module")
def month(city: Path) -> Report:
    return report(city)


def test_chapters_that_pass_are_taken_the_others_stay(month: Report) -> None:
    asked: list[str] = []

    def ask(system: str, user: str, schema: Any) -> str:
        assert system == INSTRUCTIONS
        asked.append(user)
        text = user if len(asked) == 1 else f"{user}共 987654 件。"
        return json.dumps({"paragraphs": ["".join(text.split("\n"))]}, ensure_ascii=False)

    told = retold(month, ask, "qwen")
    assert told.written_by == "qwen"
    assert len(told.sections[0].paragraphs) == 1
    assert set(told.sections[0].paragraphs[0].runs) == {
        run for one in month.sections[0].paragraphs for run in one.runs
    }
    assert told.sections[1:] == month.sections[1:]
    assert not any(quote.text in "".join(asked) for quote in month.quotes)


@pytest.mark.parametrize("answer", ["", "{}", '{"paragraphs": []}', '{"paragraphs": ["  "]}', "[1]"])
def test_an_answer_that_is_none_changes_nothing(month: Report, answer: str) -> None:
    assert retold(month, lambda *_: answer, "qwen") == month


def test_a_silent_model_is_asked_once(month: Report) -> None:
    asked: list[str] = []

    def ask(system: str, user: str, schema: Any) -> str:
        asked.append(user)
        raise ModelSilent

    assert retold(month, ask, "qwen") == month
    assert len(asked) == 1


async def test_a_running_house_asks_the_endpoint_and_survives_its_absence(tmp_path: Path) -> None:
    with playing(Script()) as script:
        script.says({"paragraphs": ["2024年3月9日（星期六）没有诉求。"]})
        more: dict[str, Any] = {
            **{"report_day": False, "report_week": False, "report_month": False},
            **{"report_prose": "model", "llm_url": script.url, "llm_model": "qwen"},
        }
        async with (
            running(tmp_path, **more) as house,
            httpx.AsyncClient(base_url=house.url, timeout=60) as client,
        ):
            wish = {"kind": "day", "day": "2024-03-09"}
            made = (await client.post("/v1/reports", json=wish)).json()
            whole = (await client.get(f"/v1/reports/{made['report_id']}")).json()
            assert ["文字", "由语言模型 qwen 改写，数字经核对"] in whole["times"]
            assert "没有诉求" in whole["content"]["sections"][0]["paragraphs"][0]["text"]
            script.status = 500
            n = len(script.asked)
            made = (await client.post("/v1/reports", json=wish)).json()
            whole = (await client.get(f"/v1/reports/{made['report_id']}")).json()
            assert whole["content"]["written_by"] == "rules"
            assert len(script.asked) - n <= 3  # the ways of bringing a schema, and no further chapter


def test_a_model_is_needed_where_it_is_wanted() -> None:
    with pytest.raises(ValueError, match="report_prose"):
        Settings(report_prose="model", _env_file=None)  # type: ignore[call-arg]
