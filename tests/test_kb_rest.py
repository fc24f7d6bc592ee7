"""The knowledge over REST: two editors, imports, publishing in a child process, what is learnt from use."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import Depends, FastAPI
from sqlalchemy import Engine

from agent_ui.door import Door
from agent_ui.kb_learning_rest import learning_router, reports_router
from agent_ui.kb_publish_rest import canaries_router, publish_router
from agent_ui.kb_rest import articles_router
from agent_ui.knowledge_desk import KnowledgeDesk
from knowledge_base.press import Press
from knowledge_base.versions import VersionFolder
from tests.broken_files import FILES, content_of
from tests.conftest import Clock
from tests.retrieval_parts import ARTICLES, PairEmbedder
from tests.test_kb_learning import happen, said

NEW = {"article_id": "N1", "title": "共享单车乱停", "body": "登记地点，转交运营企业。", "author": "小王"}


@dataclass
class Desk:
    """The application and what stands behind it."""

    client: httpx.AsyncClient
    desk: KnowledgeDesk

    async def call(self, method: str, path: str, *, code: int = 200, **options: Any) -> Any:
        answer = await self.client.request(method, f"/v1{path}", **options)
        assert answer.status_code == code, answer.text
        return answer.json() if answer.content else None

    async def refused(self, method: str, path: str, *, code: int, **options: Any) -> str:
        detail = (await self.call(method, path, code=code, **options))["detail"]
        assert detail["message"].endswith(("。", "！"))
        return str(detail["code"])


@asynccontextmanager
async def opened(
    engine: Engine, folder: Path, clock: Clock, *, needs_review: bool = False
) -> AsyncIterator[Desk]:
    desk = KnowledgeDesk.open(
        engine,
        folder=folder,
        environment={},
        embed=PairEmbedder().embed_query,
        clock=clock,
        asks_review=lambda: needs_review,
    )
    url = engine.url.render_as_string(hide_password=False)
    command = (sys.executable, "-m", "tests.press_process", str(folder), url)
    desk = replace(desk, press=Press(command, environment={}, folder=folder, clock=clock))
    desk.articles.upsert(ARTICLES, now=clock())
    app = FastAPI()
    anybody = [Depends(Door(None).needs(None))]
    for router in (articles_router, publish_router, canaries_router, learning_router, reports_router):
        app.include_router(router(desk), dependencies=anybody)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield Desk(client, desk)
    await desk.press.close()


@pytest.fixture
async def desk(engine: Engine, tmp_path: Path, clock: Clock) -> AsyncIterator[Desk]:
    async with opened(engine, tmp_path / "kb", clock) as desk:
        yield desk


async def test_an_article_from_creation_to_restoring(desk: Desk) -> None:
    answer = await desk.client.post("/v1/articles", json=NEW)
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    assert answer.headers["location"] == "/v1/articles/N1"
    got = await desk.client.get("/v1/articles/N1")
    assert got.headers["etag"] == '"1"'
    assert got.json() == answer.json()
    body = {**NEW, "body": "换了说法。", "expires_on": "2027-01-01"}
    put = await desk.client.put("/v1/articles/N1", json=body, headers={"If-Match": '"1"'})
    assert (put.status_code, put.headers["etag"], put.json()["expires_on"]) == (200, '"2"', "2027-01-01")
    gone = await desk.call("DELETE", "/articles/N1?author=小李")
    assert gone["deleted_at"]
    assert (await desk.call("GET", "/articles"))["total"] == 6
    assert (await desk.call("GET", "/articles?deleted=true"))["articles"][0]["article_id"] == "N1"
    await desk.call("POST", "/articles/N1/restore", json={"author": "小王"})
    reverted = await desk.call("POST", "/articles/N1/revert", json={"revision": 1, "author": "小王"})
    assert reverted["body"] == NEW["body"]
    steps = await desk.call("GET", "/articles/N1/revisions")
    assert [step["action"] for step in steps] == ["reverted", "restored", "deleted", "edited", "created"]


async def test_the_second_of_two_editors_is_told_both_versions(desk: Desk) -> None:
    mine, theirs = (
        {"title": "路灯", "body": text, "author": who} for text, who in (("甲", "小王"), ("乙", "小李"))
    )
    await desk.call("PUT", "/articles/A1", json=theirs, headers={"If-Match": '"1"'})
    refusal = await desk.call("PUT", "/articles/A1", json=mine, headers={"If-Match": '"1"'}, code=412)
    detail = refusal["detail"]
    assert (detail["code"], detail["current"]["body"], detail["yours"]["body"]) == (
        "kb.edit_conflict",
        "乙",
        "甲",
    )
    assert detail["current"]["revision"] == 2
    again = await desk.call("PUT", "/articles/A1", json=mine, headers={"If-Match": '"2"'})
    assert (again["body"], again["revision"]) == ("甲", 3)
    at_once = await asyncio.gather(
        *(
            desk.client.put(
                "/v1/articles/A2", json={"title": "题", "body": f"{i}"}, headers={"If-Match": '"1"'}
            )
            for i in range(6)
        )
    )
    assert sorted(answer.status_code for answer in at_once) == [200, 412, 412, 412, 412, 412]


async def test_requests_that_make_no_sense(desk: Desk) -> None:
    assert await desk.refused("PUT", "/articles/A1", json=NEW, code=428) == "kb.if_match_needed"
    headers = {"If-Match": "abc"}
    assert await desk.refused("PUT", "/articles/A1", json=NEW, headers=headers, code=400) == "kb.bad_if_match"
    assert await desk.refused("PUT", "/articles/X", json=NEW, headers={"If-Match": "*"}, code=404)
    assert await desk.refused("POST", "/articles", json={**NEW, "article_id": "A1"}, code=412)
    assert await desk.refused("POST", "/articles", json={**NEW, "article_id": "a/b"}, code=422)
    assert await desk.refused("POST", "/articles", json={**NEW, "body": " "}, code=422) == "kb.bad_article"
    assert await desk.refused("POST", "/articles", json={**NEW, "title": "长" * 999}, code=422)
    assert await desk.refused("GET", "/articles/X", code=404) == "kb.unknown_article"
    assert await desk.refused("POST", "/kb/rollback", json={"version": "../x"}, code=409)
    assert (await desk.call("GET", "/articles"))["total"] == 6


async def test_a_second_person_approves_where_the_setting_asks_for_it(
    engine: Engine, tmp_path: Path, clock: Clock
) -> None:
    async with opened(engine, tmp_path / "kb", clock, needs_review=True) as desk:
        made = await desk.call("POST", "/articles", json=NEW, code=201)
        assert (made["state"], made["approved_revision"]) == ("review", None)
        assert (await desk.call("GET", "/kb/changes"))["added"] == [a.article_id for a in ARTICLES]
        approve = {"to": "approved", "author": "小王"}
        assert await desk.refused("POST", "/articles/N1/state", json=approve, code=403)
        await desk.call("POST", "/articles/N1/state", json={**approve, "author": "小李"})
        assert "N1" in (await desk.call("GET", "/kb/changes"))["added"]


async def test_an_import_is_looked_at_and_then_applied(desk: Desk) -> None:
    content = (
        "号码,名字,说明,备注\nA1,路灯不亮怎么报修,新的说法。,x\nB1,新知识,内容。,x\nB2,,缺标题。,x\n".encode(
            "gb18030"
        )
    )
    query = {
        "name": "导出.csv",
        "mapping": json.dumps({"号码": "article_id", "名字": "title", "说明": "body"}),
    }
    found = await desk.call("POST", "/kb/import", params=query, content=content)
    assert not found["applied"]
    assert [(row["row"], row["article_id"], row["effect"]) for row in found["rows"]] == [
        (2, "A1", "changed"),
        (3, "B1", "new"),
    ]
    assert found["errors"] == [{"row": 4, "message": "缺少标题（title）。"}]
    assert {"column": "备注", "field": None} in found["columns"]
    assert (await desk.call("GET", "/articles"))["total"] == 6
    applied = await desk.call(
        "POST", "/kb/import", params={**query, "apply": True, "author": "小王"}, content=content
    )
    assert (applied["applied"], applied["new"], applied["changed"]) == (True, 1, 1)
    step = (await desk.call("GET", "/articles/A1/revisions"))[0]
    assert (step["action"], step["author"], step["note"]) == ("imported", "小王", "导出.csv")
    again = await desk.call("POST", "/kb/import", params={**query, "apply": True}, content=content)
    assert again["unchanged"] == 2


async def test_an_import_flags_repetitions_and_may_leave_what_is_there(desk: Desk) -> None:
    content = "编号,标题,正文\nA1,路灯不亮怎么报修,新。\nB1,养老金资格认证,每年一次。\n".encode()
    query = {"name": "a.csv", "apply": True, "skip_existing": True}
    found = await desk.call("POST", "/kb/import", params=query, content=content)
    assert [(d["article_id"], d["other_id"], d["shared"]) for d in found["duplicates"]] == [
        ("B1", "A2", "title")
    ]
    assert (await desk.call("GET", "/articles/A1"))["body"] == ARTICLES[0].body


@pytest.mark.parametrize("what", ["truncated docx", "zip bomb named docx", "encrypted pdf", "csv of 50 MB"])
async def test_a_broken_file_changes_nothing(desk: Desk, what: str) -> None:
    name, _, code = FILES[what]
    query = {"name": name, "apply": True}
    status = 413 if code == "kb.file_too_large" else 422
    assert (
        await desk.refused("POST", "/kb/import", params=query, content=content_of(what), code=status) == code
    )
    assert (await desk.call("GET", "/articles"))["total"] == 6


async def test_an_export_comes_back(desk: Desk) -> None:
    for kind in ("jsonl", "csv", "xlsx", "md"):
        answer = await desk.client.get("/v1/kb/export", params={"kind": kind})
        assert f".{kind}" in answer.headers["content-disposition"]
        found = await desk.call("POST", "/kb/import", params={"name": f"a.{kind}"}, content=answer.content)
        assert (found["unchanged"], found["error_count"]) == (6, 0)


async def published(desk: Desk) -> Any:
    async with asyncio.timeout(60):
        while (state := await desk.call("GET", "/kb/publish"))["is_running"]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return state


@pytest.mark.process
async def test_publishing_and_rolling_back_in_a_process_of_its_own(desk: Desk, clock: Clock) -> None:
    assert (await desk.call("GET", "/kb/publish"))["stage"] == "never"
    canary = {"question": "楼下马路的路灯坏了", "article_id": "A1", "within": 1}
    await desk.call("PUT", "/kb/canaries", json=canary)
    assert (await desk.call("POST", "/kb/publish", code=202))["stage"] == "starting"
    assert await desk.refused("POST", "/kb/publish", code=409) == "kb.publishing"
    first = await published(desk)
    assert (first["stage"], first["canaries"]) == ("done", 1)
    assert (await desk.call("GET", "/kb/changes")) == {"added": [], "changed": [], "removed": []}

    clock.advance(60)
    await desk.call("DELETE", "/articles/A1")
    assert (await desk.call("GET", "/kb/changes"))["removed"] == ["A1"]
    await desk.call("POST", "/kb/publish", code=202)
    failed = await published(desk)
    assert (failed["stage"], failed["code"]) == ("failed", "kb.canary_failed")
    await desk.call("DELETE", "/kb/canaries", params={"question": canary["question"]}, code=204)
    clock.advance(60)
    await desk.call("POST", "/kb/publish", code=202)
    second = await published(desk)
    assert second["stage"] == "done"

    versions = await desk.call("GET", "/kb/versions")
    assert [(v["version"], v["is_current"]) for v in versions] == [
        (second["version"], True),
        (first["version"], False),
    ]
    back = await desk.call("POST", "/kb/rollback", json={"version": first["version"]})
    assert back["is_current"]
    assert VersionFolder(desk.desk.folder).current() == first["version"]
    assert await desk.refused("POST", "/kb/rollback", json={"version": "2020"}, code=409) == "kb.bad_version"


@pytest.mark.process
async def test_a_publisher_that_dies_is_told_as_failed(desk: Desk) -> None:
    desk.desk.articles.upsert([replace(ARTICLES[0], article_id="DIE")], now=desk.desk.clock())
    await desk.call("POST", "/kb/publish", code=202)
    state = await published(desk)
    assert (state["stage"], state["code"]) == ("failed", "kb.publish_failed")
    assert VersionFolder(desk.desk.folder).current() is None


async def test_reports_are_answered(desk: Desk) -> None:
    body = {"text": "电话已经换了", "reporter": "027", "call_id": "c-1"}
    made = await desk.call("POST", "/articles/A1/reports", json=body, code=201)
    await desk.call("POST", "/articles/A2/reports", json={"text": "错字"}, code=201)
    answer = {"answer": "已改正，谢谢。", "author": "小王"}
    await desk.call("POST", f"/kb/reports/{made['report_id']}/answer", json=answer)
    mine = await desk.call("GET", "/kb/reports", params={"reporter": "027"})
    assert (mine["total"], mine["reports"][0]["answer"]) == (1, "已改正，谢谢。")
    every = await desk.call("GET", "/kb/reports")
    assert [report["article_id"] for report in every["reports"]] == ["A2", "A1"]
    assert (await desk.call("GET", "/kb/reports", params={"open": True}))["total"] == 1
    assert await desk.refused("POST", "/kb/reports/99/answer", json=answer, code=404) == "kb.unknown_report"


async def test_expiry_duplicates_and_what_was_never_shown(desk: Desk, clock: Clock) -> None:
    day = clock().date()
    soon, later = ({"expires_on": str(day + timedelta(days=n))} for n in (5, 50))
    await desk.call("POST", "/articles", json={**NEW, **soon}, code=201)
    await desk.call("POST", "/articles", json={**NEW, "article_id": "N2", **later}, code=201)
    expiring = await desk.call("GET", "/kb/expiring", params={"days": 30})
    assert [article["article_id"] for article in expiring["articles"]] == ["N1"]
    (pair,) = await desk.call("GET", "/kb/duplicates")
    assert (pair["article_id"], pair["other_id"], pair["shared"]) == ("N1", "N2", "title")
    never = await desk.call("GET", "/kb/usage", params={"never_shown": True, "limit": 2})
    assert (never["total"], len(never["articles"])) == (8, 2)


async def test_gaps_are_adopted_or_set_aside(desk: Desk, engine: Engine) -> None:
    for number, text in enumerate(("无人机在哪里登记", "无人机登记备案在哪里", "附近有没有滑雪场")):
        await happen(engine, f"c-{number}", said(1, f"我想问一下{text}"))
    groups = await desk.call("GET", "/kb/gaps", params={"days": 30})
    assert [gap["count"] for gap in groups] == [2, 1]
    questions = [one["question"] for one in groups[0]["questions"]]
    await desk.call("POST", "/kb/gaps/adopt", json={"questions": questions, "article_id": "X"}, code=404)
    body = {"questions": questions, "article_id": "A4", "author": "小王"}
    adopted = await desk.call("POST", "/kb/gaps/adopt", json=body)
    assert set(questions) <= set(adopted["questions"])
    assert (await desk.call("GET", "/kb/changes"))["added"][3] == "A4"
    aside = [one["question"] for one in groups[1]["questions"]]
    assert await desk.call("POST", "/kb/gaps/adopt", json={"questions": aside}) is None
    assert await desk.call("GET", "/kb/gaps") == []
    await desk.call("POST", "/kb/gaps/reopen", json={"questions": questions + aside}, code=204)
    again = await desk.call("GET", "/kb/gaps")
    assert [[one["question"] for one in gap["questions"]] for gap in again] == [aside]  # not what was adopted
