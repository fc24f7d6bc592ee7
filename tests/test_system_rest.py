"""The system's addresses on the real application: what is set takes effect, what is told is the case."""

import asyncio
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from access.types import Role
from agent_ui.settings import Settings
from agent_ui.tuning import defaults_of
from agent_ui.tuning_file import FILE_NAME
from asr.terms import sample_terms
from asr.types import EarsFull
from knowledge_base.passages import cut
from models.cache import resolve
from retrieval.types import Channel, ChannelScore, Findings, Match, Query, Suggestion
from server import open_engines
from tests.house import EARS, START, House, Script, receive, running, send, sound
from tests.retrieval_parts import ARTICLES, segment
from tests.test_access import PASSWORD
from tests.test_audio_socket import closing_code
from tests.test_door import PEOPLE, peopled, signed_in

AUDIO = "/v1/calls/audio"
MODELS = Path(__file__).parents[1] / "var" / "models"
SETTINGS, STATE = "/v1/system/settings", "/v1/system/state"


def client_of(house: House) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=house.url, timeout=60)


async def change(client: httpx.AsyncClient, **changes: object) -> httpx.Response:
    return await client.patch(SETTINGS, json={"changes": changes})


async def values(client: httpx.AsyncClient) -> dict[str, Any]:
    return {one["name"]: one["value"] for one in (await client.get(SETTINGS)).json()["settings"]}


async def rows(client: httpx.AsyncClient, section: str) -> dict[str, dict[str, Any]]:
    state = (await client.get(STATE)).json()
    found = next(one for one in state["sections"] if one["name"] == section)
    return {row["name"]: row for row in found["rows"]}


async def find_one(query: Query) -> Findings:
    """One article that fits, among others that do not."""
    channels = dict.fromkeys(Channel, ChannelScore(score=0.9, rank=1))
    found = tuple(
        Match(
            article=article,
            passage=next(iter(cut(article))),
            score=0.1 if place else 0.9,
            fused=1.0 if place else 9.0,
            channels=channels,
        )
        for place, article in enumerate(ARTICLES)
    )
    return Findings(kb_version="v1", matches=found)


async def test_only_admins_see_and_change_the_system(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house:
        for name, (role, _) in PEOPLE.items():
            async with signed_in(house, name) as client:
                may = role is Role.ADMIN
                for path in (SETTINGS, STATE, "/v1/lexicon/shipped"):
                    assert (await client.get(path)).status_code == (200 if may else 403), (name, path)
                changed = await change(client, max_calls=4)
                assert changed.status_code == (200 if may else 403)
                tried = await client.post("/v1/lexicon/try", json={"text": "你好"})
                assert tried.status_code == (200 if may else 403)
        async with client_of(house) as nobody:
            assert (await nobody.get(SETTINGS)).status_code == 401
            assert (await nobody.get(STATE)).status_code == 401
        async with signed_in(house, "admin") as admin:
            no_mark = await admin.patch(SETTINGS, json={"changes": {}}, headers={"X-CSRF-Token": ""})
            assert no_mark.json()["detail"]["code"] == "access.csrf"


async def test_a_setting_has_its_range_its_author_and_comes_back_after_a_restart(tmp_path: Path) -> None:
    async with peopled(tmp_path, max_calls=16) as house, signed_in(house, "admin") as admin:
        changed = await change(admin, max_calls=4, keep_fillers=False)
        assert changed.status_code == 200
        one = next(s for s in changed.json()["settings"] if s["name"] == "max_calls")
        assert datetime.fromisoformat(one.pop("changed_at")).tzinfo is not None
        assert one == {
            "name": "max_calls",
            "group": "calls",
            "kind": "whole",
            "value": 4,
            "default": 16,
            "least": 1,
            "most": 500,
            "step": 1,
            "unit": "calls",
            "effect": "now",
            "changed_by": "admin",
        }
        assert (await admin.get(SETTINGS)).headers["etag"] == changed.headers["etag"]
    async with running(tmp_path, open=False, max_calls=16) as house, signed_in(house, "admin") as admin:
        assert (await values(admin))["max_calls"] == 4
        assert (await values(admin))["keep_fillers"] is False
        await change(admin, max_calls=None)
        assert (await values(admin))["max_calls"] == 16


async def test_what_cannot_be_set_is_answered_in_words_and_changes_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as house, client_of(house) as client:
        before = (await client.get(SETTINGS)).json()
        for changes in ({"beam_size": 11}, {"max_calls": 3, "kb_review": "yes"}, {"token": "x"}):
            refused = await change(client, **changes)
            assert (refused.status_code, refused.json()["detail"]["code"]) == (422, "system.bad_setting")
            assert refused.json()["detail"]["message"].endswith("。")
        assert (await client.get(SETTINGS)).json() == before
        nan = await client.patch(SETTINGS, content=b'{"changes": {"least_s": NaN}}')
        assert nan.status_code == 422


async def test_of_two_admins_the_second_is_told(tmp_path: Path) -> None:
    async with running(tmp_path) as house, client_of(house) as client:
        etag = (await client.get(SETTINGS)).headers["etag"]
        assert (await change(client, max_calls=4)).headers["etag"] != etag
        late = await client.patch(SETTINGS, json={"changes": {"max_calls": 5}}, headers={"If-Match": etag})
        assert (late.status_code, late.json()["detail"]["code"]) == (412, "system.settings_changed")
        assert (await values(client))["max_calls"] == 4


async def test_settings_that_cannot_be_saved_do_not_hold(tmp_path: Path) -> None:
    async with running(tmp_path) as house, client_of(house) as client:
        (tmp_path / f".{FILE_NAME}.new").mkdir()  # nothing can be written aside
        refused = await change(client, max_calls=4)
        assert (refused.status_code, refused.json()["detail"]["code"]) == (507, "system.not_saved")
        assert (await values(client))["max_calls"] != 4


async def test_the_limit_of_calls_holds_for_the_next_call(tmp_path: Path) -> None:
    async with running(tmp_path) as house, client_of(house) as client, house.socket(AUDIO) as line:
        await send(line, START)
        assert (await receive(line))["type"] == "started"
        await change(client, max_calls=1)
        async with house.socket(AUDIO) as other:
            await send(other, START)
            assert (await receive(other))["code"] == "call.refused"
            assert await closing_code(other) == 1013
        assert (await rows(client, "calls"))["refusal"]["value"] is not None
        await change(client, max_calls=2)
        async with house.socket(AUDIO) as other:
            await send(other, START)
            assert (await receive(other))["type"] == "started"
        await line.send(sound(1.0))  # the running call was not touched
        await send(line, {"type": "stop"})
        assert (await receive(line))["type"] == "ended"


async def test_a_line_that_vanishes_is_waited_for_as_long_as_is_set_now(tmp_path: Path) -> None:
    async with running(tmp_path, lost_after_s=600) as house, client_of(house) as client:
        await change(client, lost_after_s=0)
        async with house.socket(AUDIO) as line:
            await send(line, START | {"call_id": "c-1"})
            await receive(line)
            await line.send(sound(1.0))
            line.transport.abort()
        async with asyncio.timeout(60):
            while (await client.get("/v1/calls/c-1")).json()["call"]["state"] != "ended":  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert (await client.get("/v1/calls/c-1")).json()["call"]["end_reason"] == "lost"


async def test_the_free_space_that_a_call_needs_can_be_set(tmp_path: Path) -> None:
    async with running(tmp_path, min_free_mb=1_000_000_000) as house, client_of(house) as client:
        assert (await client.get("/readyz")).status_code == 503
        free = (await rows(client, "disk"))["free"]
        assert (free["level"], free["limit"]) == ("bad", 1e15)
        await change(client, min_free_mb=0)
        assert (await client.get("/readyz")).status_code == 200
        assert (await rows(client, "disk"))["free"]["limit"] == 0


async def test_a_second_person_must_approve_as_soon_as_that_is_set(tmp_path: Path) -> None:
    async with running(tmp_path) as house, client_of(house) as client:

        async def state_of_new(title: str) -> str:
            made = await client.post("/v1/articles", json={"title": title, "body": "正文在此。"})
            return str(made.json()["state"])

        assert await state_of_new("甲") == "approved"
        await change(client, kb_review=True)
        assert await state_of_new("乙") == "review"
        assert (await client.get("/v1/kb/survey")).json()["needs_review"] is True
        await change(client, kb_review=None)
        assert await state_of_new("丙") == "approved"


async def test_what_a_card_takes_holds_for_what_is_tried_out_next(tmp_path: Path) -> None:
    async with running(tmp_path, Script(search=find_one)) as house, client_of(house) as client:
        turns = {"turns": [{"text": "楼下马路的路灯坏了好几天了，找谁修"}]}
        usual = (await client.post("/v1/kb/try", json=turns)).json()
        probability = usual["steps"][0]["matches"][0]["probability"]
        assert usual["threshold"] == 0.4
        assert 0.15 < probability < 0.85
        for enter_score in (probability - 0.05, probability + 0.05):
            await change(client, enter_score=enter_score)
            told = (await client.post("/v1/kb/try", json=turns)).json()
            assert told["threshold"] == enter_score
            assert bool(told["steps"][0]["cards"]) is (probability >= enter_score)


async def test_the_state_tells_what_is_the_case(tmp_path: Path) -> None:
    async with (
        running(tmp_path, max_calls=3) as house,
        client_of(house) as client,
        house.socket(AUDIO) as line,
        house.socket("/v1/screens/calls") as screen,
    ):
        await receive(screen)
        await send(line, START)
        await receive(line)
        state = (await client.get(STATE)).json()
        assert [section["name"] for section in state["sections"]] == [
            *("server", "machine", "disk", "calls", "ears", "search", "journal", "words", "weights")
        ]
        calls = await rows(client, "calls")
        assert (calls["running"]["value"], calls["running"]["limit"]) == (1, 3)
        assert calls["refusal"]["value"] is None
        assert calls["screens"]["value"] == 1
        server = await rows(client, "server")
        assert server["address"]["value"] == "http://127.0.0.1:" + str(house.port)
        assert 0 <= server["uptime"]["value"] < 60
        assert server["is_open"]["level"] == state["level"] == "look"
        machine = await rows(client, "machine")
        assert 0 <= machine["load"]["value"] <= 1
        assert 0 < machine["process_memory"]["value"] < machine["memory_total"]["value"]
        disk = await rows(client, "disk")
        assert disk["database"]["value"] >= 4096
        assert 0 < disk["free"]["value"] < disk["total"]["value"]
        assert (await rows(client, "search"))["kb_version"]["value"] == "v1"
        assert (await rows(client, "ears"))["engine"]["value"] == EARS.engine
        journal = await rows(client, "journal")
        assert (journal["waiting"]["value"], journal["failed"]["value"]) == (0, 0)
        assert list(await rows(client, "weights")) == ["scripted"]


async def test_files_that_cannot_be_read_are_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("{", encoding="utf-8")
    (tmp_path / "lexicon.csv").write_text("词\n甬东桥\n", encoding="utf-8")
    async with running(tmp_path) as house, client_of(house) as client:
        file = (await rows(client, "words"))["file"]
        assert file["level"] == "bad"
        assert "lexicon.csv" in file["note"]
        assert (await rows(client, "words"))["own"]["value"] is None
        assert (await rows(client, "server"))["settings_file"]["level"] == "bad"
        assert (await client.get(STATE)).json()["level"] == "bad"
        await change(client)  # saving puts the settings right
        assert (await rows(client, "server"))["settings_file"]["level"] == "ok"


async def test_the_audit_log_tells_what_was_changed_and_no_secret(tmp_path: Path) -> None:
    async with peopled(tmp_path, max_calls=16) as house, signed_in(house, "admin") as admin:

        async def last() -> tuple[str, str]:
            entry = (await admin.get("/v1/audit?limit=1")).json()["entries"][0]
            return entry["action"], entry["target"]

        await change(admin, max_calls=20, kb_review=True)
        assert await last() == ("PATCH /v1/system/settings", "max_calls 16→20，kb_review 关→开")
        new = {"name": "zhang", "password": "another horse 8", "role": "operator"}
        await admin.post("/v1/accounts", json=new)
        assert await last() == ("POST /v1/accounts", "zhang role=operator")
        await admin.patch("/v1/accounts/zhang", json={"role": "supervisor", "password": "third horse 99"})
        assert await last() == (
            "PATCH /v1/accounts/{name}",
            "zhang role operator→supervisor，password",
        )
        made = await admin.post("/v1/tokens", json={"name": "交换机", "scopes": ["audio"], "days": 3})
        assert await last() == ("POST /v1/tokens", "交换机 audio")
        token_id = made.json()["token_id"]
        await admin.delete(f"/v1/tokens/{token_id}")
        assert await last() == ("DELETE /v1/tokens/{token_id}", f"{token_id} 交换机")
        await admin.post("/v1/lexicon/terms", json=[{"term": f"甬东{n}桥"} for n in "一二三四五六七八九"])
        action, target = await last()
        assert (action, target[:10], target[-7:]) == (
            "POST /v1/lexicon/terms",
            "甬东一桥、甬东二桥、",
            "桥 等 9 条",
        )
        await admin.put("/v1/lexicon/file", content="term\n甬东桥\n".encode())
        assert await last() == ("PUT /v1/lexicon/file", "共 1 条")
        before = (await admin.get("/v1/audit")).json()["total"]
        await admin.post("/v1/lexicon/try", json={"text": "我住在用动桥"})
        await admin.post("/v1/kb/preview", json={"content": {"title": "甲", "body": "乙"}})
        assert (await admin.get("/v1/audit")).json()["total"] == before  # asking changes nothing
        wrong = {"old": "a wrong old one", "new": "the new horse 10"}
        assert (await admin.post("/v1/session/password", json=wrong)).status_code == 401
        assert await last() == ("session.refused_password", "admin")
        assert (await admin.post("/v1/session/code", json={"code": "AAAA-BBBB"})).status_code == 401
        assert await last() == ("session.refused_by_code", "")
        log = (await admin.get("/v1/audit/file")).text
        for secret in (PASSWORD, "another horse", "third horse", "wrong old", "new horse", "AAAA", "用动桥"):
            assert secret not in log
        assert made.json()["key"] not in log


@pytest.mark.weights
async def test_the_real_engines_go_by_what_is_set(tmp_path: Path) -> None:
    for name in ("whisper-base", "e5-small"):
        resolve(name, cache_dir=MODELS, allow_hub=False)
    (tmp_path / "models").symlink_to(MODELS)
    (tmp_path / "lexicon.csv").write_text("term,heard\n甬东桥,用动桥\n", encoding="utf-8")
    settings = Settings(data_dir=tmp_path, device="cpu", max_calls=1, _env_file=None)  # type: ignore[call-arg]
    tuning = replace(defaults_of(settings), enter_score=0.1)
    async with open_engines(settings, lambda: tuning) as engines:
        ears = engines.insight.ears()
        assert (ears.device, ears.workers >= 1, ears.stats.calls) == ("cpu", True, 0)
        assert ears.compute_type is not None
        assert ears.compute_type.startswith("int8")
        assert [(one.name, one.is_pinned) for one in engines.insight.weights] == [
            ("whisper-base", True),
            ("e5-small", True),
        ]
        assert engines.insight.served() is None
        assert engines.insight.try_words("我住在用动桥").text == "我住在甬东桥"
        assert engines.insight.words_in_use() > len(sample_terms())
        engines.calls.admit("C1")
        with pytest.raises(EarsFull):
            engines.calls.admit("C2")
        tuning = replace(tuning, max_calls=2)
        engines.calls.admit("C2")

        async def advised() -> Suggestion | None:
            assistant = engines.open_assistant("C1")
            said = segment("楼下马路的路灯坏了好几天了，找谁修")
            query = assistant.ask(said)
            assert query is not None
            return assistant.advise(said, query, await find_one(query))

        usual = await advised()
        assert usual is not None
        tuning = replace(tuning, enter_score=usual.confidence + 0.05)
        assert await advised() is None


@pytest.mark.parametrize("text", ["", "长" * 501])
async def test_a_text_to_try_has_a_length(tmp_path: Path, text: str) -> None:
    async with running(tmp_path) as house, client_of(house) as client:
        assert (await client.post("/v1/lexicon/try", json={"text": text})).status_code == 422
