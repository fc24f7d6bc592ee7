"""What a monitoring system fetches of the real application, and the files that name it."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from agent_ui.meter import MOST_CODES, Meter
from calls.types import Entry, SegmentShown, Stream, SuggestionShown
from retrieval.types import Suggestion
from tests.call_parts import segment
from tests.ear_parts import REMOTE
from tests.house import EARS, House, Script, receive, receive_until, running, send, sound
from tests.test_browser import LEGS
from tests.test_door import peopled, signed_in

DOCS = Path(__file__).parent.parent / "docs"
AT = datetime(2026, 3, 5, 10, 32, tzinfo=UTC)


def values(text: str) -> dict[str, float]:
    """Samples by their name, with labels where they have some."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sample.labels.items())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


async def fetch(house: House) -> dict[str, float]:
    async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        answer = await client.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain")
        return values(answer.text)


async def test_a_call_is_counted_while_it_runs_and_after(tmp_path: Path) -> None:
    script = Script(suggests={"第1秒": ("T001",)}, max_calls=1)
    async with running(tmp_path, script) as house, house.socket("/v1/calls/audio") as line:
        await send(line, LEGS)
        await receive(line)
        await line.send(sound(2.5, channels=2))
        async with house.socket("/v1/calls/audio") as other:
            await send(other, LEGS | {"call_id": "c-2"})
            assert (await receive(other))["code"] == "call.refused"
        during = await fetch(house)
        assert (during["zhiting_calls_running"], during["zhiting_calls_begun_total"]) == (1, 1)
        await send(line, {"type": "stop"})
        await receive_until(line, lambda message: message["type"] == "ended")
        async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
            assert (await client.get("/v1/calls/nobody")).json()["detail"]["code"] == "call.unknown"
        after = await fetch(house)
    assert after["zhiting_calls_running"] == 0
    assert after["zhiting_calls_ended_total{reason=hangup}"] == 1
    assert after["zhiting_finals_total{party=citizen}"] >= 2
    assert after["zhiting_suggestions_total"] == after["zhiting_suggestion_seconds_count"] >= 1
    assert after["zhiting_errors_total{code=call.refused}"] == 1
    assert after["zhiting_errors_total{code=call.unknown}"] == after["zhiting_answers_total{status=404}"] == 1
    assert after["zhiting_disk_free_bytes"] > 0
    assert after["zhiting_ears_queued{kind=final}"] == 0


async def test_only_a_token_for_it_reads_the_figures_and_reads_nothing_else(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house, signed_in(house, "admin") as admin:
        made = await admin.post("/v1/tokens", json={"name": "Prometheus", "scopes": ["metrics"], "days": 30})
        key = {"Authorization": f"Bearer {made.json()['key']}"}
        async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
            assert (await client.get("/metrics")).status_code == 401
            assert (await client.get("/metrics", headers=key)).status_code == 200
            for path in ("/v1/alarms", "/v1/audit", "/v1/kb/gaps", "/v1/webhooks"):
                assert (await client.get(path, headers=key)).status_code == 403, path
        async with signed_in(house, "zhao") as supervisor:
            assert (await supervisor.get("/metrics")).status_code == 403


@pytest.mark.parametrize("name", ["monitoring/alerts.yml", "monitoring/dashboard.json", "monitoring.md"])
async def test_every_metric_that_the_files_name_is_there(tmp_path: Path, name: str) -> None:
    script = Script(ears=replace(EARS, remote=REMOTE))
    async with (
        running(tmp_path / "var", script, objects=f"file://{tmp_path / 'shared'}") as house,
        httpx.AsyncClient(base_url=house.url, timeout=60) as client,
    ):
        text = (await client.get("/metrics")).text
    known = set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE))
    named = set(re.findall(r"\bzhiting_\w+", (DOCS / name).read_text()))
    assert len(named) >= 8
    assert {re.sub(r"_(bucket|count)$", "", one) for one in named} <= known
    if name.endswith("dashboard.json"):  # what tells of machines and servers is all to be seen
        of_several = {one for one in known if re.match(_OF_SEVERAL, one)}
        assert of_several - {"zhiting_bus_expected"} <= named


_OF_SEVERAL = r"zhiting_(ray_linked|remote_ear|leader|processes_seen|calls_held|cluster_|bus_|traces_)"


def panels() -> list[dict[str, Any]]:
    board: dict[str, Any] = json.loads((DOCS / "monitoring/dashboard.json").read_text(encoding="utf-8"))
    return list(board["panels"])


def rules() -> list[dict[str, Any]]:
    text = (DOCS / "monitoring/alerts.yml").read_text(encoding="utf-8")
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def test_every_query_of_the_board_and_of_the_rules_can_be_read() -> None:
    queries = [target["expr"] for panel in panels() for target in panel.get("targets", ())]
    for query in [*queries, *(rule["expr"] for rule in rules())]:
        promql_parser.parse(query)  # raises with the place that it stumbles over


def test_every_rule_says_how_bad_it_is_and_what_to_do() -> None:
    assert len({rule["alert"] for rule in rules()}) == len(rules())
    for rule in rules():
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}, rule["alert"]
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert set(rule["annotations"]) == {"summary", "description"}
        assert re.fullmatch(r"\d+[smh]", rule.get("for", "0s"))


def test_the_panels_of_the_board_fit_together() -> None:
    assert len({panel["id"] for panel in panels()}) == len(panels())
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
        assert bool(panel.get("targets")) is (panel["type"] != "row")


async def test_each_ear_on_another_machine_has_its_figures(tmp_path: Path) -> None:
    async with running(tmp_path, Script(ears=replace(EARS, remote=REMOTE))) as house:
        found = await fetch(house)
    assert (found["zhiting_remote_ears"], found["zhiting_remote_ears_lost_total"]) == (1, 2)
    assert found["zhiting_remote_ear_batches_total{ear=a/1}"] == 7
    assert [found[f"zhiting_remote_ear_up{{ear={ear}}}"] for ear in ("a/1", "b/1")] == [1, 0]


def test_time_counts_from_the_final_to_its_cards_and_not_for_what_nobody_waited_for() -> None:
    received: dict[str, float | None] = {"c-1": 4.0}
    meter = Meter(received.get)

    def tell(fact: SegmentShown | SuggestionShown, seconds: float) -> None:
        at = AT + timedelta(seconds=seconds)
        streams = (Stream.call("c-1"), Stream.operator("027"))
        meter.hear([Entry(stream=one, seq=1, at=at, call_id="c-1", fact=fact) for one in streams])

    said = segment(1, "第1句", call_id="c-1", start_s=1.0, end_s=3.0)
    cards = Suggestion(
        suggestion_id="s-1",
        call_id="c-1",
        segment_id=said.segment_id,
        cards=(),
        query="",
        kb_version="v1",
        confidence=0.5,
    )
    tell(SegmentShown(segment=said), 0.0)
    tell(SuggestionShown(suggestion=cards), 0.25)
    received["c-1"] = None
    tell(SegmentShown(segment=said), 60.0)
    get = meter.registry.get_sample_value
    assert get("zhiting_suggestion_seconds_sum") == 0.25
    assert (get("zhiting_final_lag_seconds_sum"), get("zhiting_final_lag_seconds_count")) == (1.0, 1)
    assert get("zhiting_finals_total", {"party": "citizen"}) == 2


def test_codes_are_bounded() -> None:
    meter = Meter(lambda call_id: None)
    for number in range(MOST_CODES + 50):
        meter.erred(f"made.up.{number}")
    assert meter.registry.get_sample_value("zhiting_errors_total", {"code": "other"}) == 50
