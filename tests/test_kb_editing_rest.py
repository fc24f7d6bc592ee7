"""What the page for editing asks: words in use, titles, preview, many at once, and trying a question out."""

from collections.abc import AsyncIterator, Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest
from fastapi import Depends, FastAPI
from sqlalchemy import Engine

from agent_ui.door import Door
from agent_ui.kb_editing_rest import editing_router
from agent_ui.kb_rest import articles_router
from agent_ui.kb_try_rest import try_router
from agent_ui.knowledge_desk import KnowledgeDesk
from asr.types import Party
from knowledge_base.types import KnowledgeError
from retrieval.assistant import CallAssistant
from retrieval.explaining import Explanation, explain
from retrieval.judge import shipped_judge
from retrieval.searcher import Searcher
from retrieval.types import Findings, Mark, Query
from tests.conftest import Clock
from tests.retrieval_parts import ARTICLES, PairEmbedder, segment
from tests.test_kb_learning import happen, marked, said, shown
from tests.test_kb_rest import Desk
from tests.test_retrieval_searcher import serving


@pytest.fixture
async def desk(
    engine: Engine, tmp_path: Path, clock: Clock, request: pytest.FixtureRequest
) -> AsyncIterator[Desk]:
    desk = KnowledgeDesk.open(
        engine,
        folder=tmp_path / "kb",
        environment={},
        embed=PairEmbedder().embed_query,
        clock=clock,
        asks_review=lambda: getattr(request, "param", False),
    )
    desk.articles.upsert(ARTICLES, now=clock(), author="小张")
    app = FastAPI()
    for router in (articles_router, editing_router):
        app.include_router(router(desk), dependencies=[Depends(Door(None).needs(None))])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        yield Desk(client, desk)


def all_of(*article_ids: str, revision: int = 1) -> list[dict[str, object]]:
    return [{"article_id": article_id, "revision": revision} for article_id in article_ids]


async def test_a_survey_counts_states_and_words_in_use(desk: Desk, clock: Clock) -> None:
    new = {"title": "共享单车", "body": "登记。", "category": "交通", "expires_on": str(clock().date())}
    await desk.call("POST", "/articles", json=new | {"draft": True}, code=201)
    await desk.call("DELETE", "/articles/A6")
    seen = await desk.call("GET", "/kb/survey")
    assert (seen["total"], seen["expiring"], seen["deleted"], seen["needs_review"]) == (6, 1, 1, False)
    assert seen["states"] == {"draft": 1, "review": 0, "approved": 5}
    assert seen["departments"] == [{"word": "城管局", "count": 5}]
    assert seen["categories"] == [{"word": "交通", "count": 1}]


async def test_titles_are_told_of_deleted_articles_too(desk: Desk) -> None:
    await desk.call("DELETE", "/articles/A1")
    found = await desk.call("POST", "/kb/titles", json={"article_ids": ["A1", "A2", "X"]})
    assert found == {
        "A1": {"title": "路灯不亮怎么报修", "is_deleted": True},
        "A2": {"title": "养老金资格认证", "is_deleted": False},
    }


async def test_counts_of_use_stand_beside_the_list(desk: Desk, engine: Engine) -> None:
    await happen(engine, "c-1", said(1, "路灯不亮"), shown("A1", "A2"), marked("A1", Mark.COPIED))
    found = await desk.call("POST", "/kb/usage", json={"article_ids": ["A1", "A2", "A3"]})
    assert [(found[one]["shown"], found[one]["used"]) for one in ("A1", "A2", "A3")] == [
        (1, 1),
        (1, 0),
        (0, 0),
    ]


async def test_the_preview_reads_like_the_card(desk: Desk) -> None:
    body = "先答一句。\n办理方式：带身份证到窗口办理，现场出证。"
    content = {"title": "出证", "body": body}
    assert (await desk.call("POST", "/kb/preview", json={"content": content}))["excerpt"] == "先答一句。"
    asked = {"content": content, "asked": "带身份证到窗口办理可以吗"}
    assert (await desk.call("POST", "/kb/preview", json=asked))["excerpt"].startswith("办理方式")
    empty = {"content": {"title": "", "body": " "}}
    assert (await desk.call("POST", "/kb/preview", json=empty))["excerpt"] == ""


async def test_many_are_deleted_and_brought_back(desk: Desk) -> None:
    body = {"deed": "delete", "articles": all_of("A1", "A2", "X"), "author": "小王"}
    done = await desk.call("POST", "/kb/bulk", json=body)
    assert done["done"] == 2
    assert [one["code"] for one in done["results"]] == [None, None, "kb.unknown_article"]
    assert (await desk.call("GET", "/articles"))["total"] == 4
    back = {"deed": "restore", "articles": [{"article_id": "A1"}, {"article_id": "A2"}]}
    assert (await desk.call("POST", "/kb/bulk", json=back))["done"] == 2
    assert (await desk.call("GET", "/articles"))["total"] == 6


async def test_fields_are_set_for_many_and_taken_back(desk: Desk) -> None:
    await desk.call(
        "PUT", "/articles/A3", json={"title": "改过", "body": "改过。"}, headers={"If-Match": "*"}
    )
    fields = {"category": " 市政 ", "expires_on": "2027-01-01"}
    body = {"deed": "set", "articles": all_of("A1", "A2", "A3"), "fields": fields, "author": "小王"}
    done = await desk.call("POST", "/kb/bulk", json=body)
    assert [one["code"] for one in done["results"]] == [None, None, "kb.edit_conflict"]
    first = done["results"][0]["article"]
    assert (first["category"], first["expires_on"], first["department"]) == ("市政", "2027-01-01", "城管局")
    undo = {"deed": "revert", "articles": [{"article_id": "A1", "revision": 2, "to": 1}]}
    assert (await desk.call("POST", "/kb/bulk", json=undo))["done"] == 1
    again = await desk.call("GET", "/articles/A1")
    assert (again["category"], again["expires_on"], again["revision"]) == ("", None, 3)
    wrong = {"deed": "set", "articles": all_of("A2", revision=2), "fields": {"effective_from": "2027-01-01"}}
    assert (await desk.call("POST", "/kb/bulk", json=wrong))["results"][0]["code"] == "kb.bad_article"
    nothing = {"deed": "set", "articles": all_of("A4")}
    assert (await desk.call("POST", "/kb/bulk", json=nothing))["results"][0]["code"] == "kb.bad_article"
    many = {"deed": "delete", "articles": all_of(*map(str, range(201)))}
    await desk.call("POST", "/kb/bulk", json=many, code=422)


@pytest.mark.parametrize("desk", [True], indirect=True)
async def test_many_are_approved_but_not_by_whoever_wrote_them(desk: Desk) -> None:
    for article_id, author in (("N1", "小王"), ("N2", "小李")):
        new = {"article_id": article_id, "title": article_id, "body": "内容。", "author": author}
        await desk.call("POST", "/articles", json=new, code=201)
    body = {"deed": "approve", "articles": all_of("N1", "N2"), "author": "小王"}
    done = await desk.call("POST", "/kb/bulk", json=body)
    assert [one["code"] for one in done["results"]] == ["kb.second_person_needed", None]
    assert done["results"][1]["article"]["state"] == "approved"


async def test_words_are_found_in_the_body_on_request(desk: Desk) -> None:
    assert (await desk.call("GET", "/articles?q=刷脸"))["total"] == 0
    found = await desk.call("GET", "/articles", params={"q": "手机上刷脸", "body": True})
    assert [one["article_id"] for one in found["articles"]] == ["A2"]


# ---- trying out -------------------------------------------------------------------------------------------


@pytest.fixture
def searcher(tmp_path: Path) -> Iterator[Searcher]:
    searcher = serving(tmp_path / "published")
    yield searcher
    searcher.close()


async def tried(searcher: Searcher, *turns: tuple[Party, str]) -> Explanation:
    async def search(query: Query) -> Findings:
        return await searcher.find(query, day=date(2026, 3, 5))

    return await explain(turns, search=search, judge=shipped_judge())


async def test_an_explanation_follows_the_path_of_a_call(searcher: Searcher) -> None:
    told = await tried(
        searcher,
        (Party.CITIZEN, "你好"),
        (Party.OPERATOR, "您好，请问有什么可以帮您？"),
        (Party.CITIZEN, "楼下马路的路灯坏了，路灯不亮怎么报修"),
    )
    hello, operator, asked = told.steps
    assert hello.query is None
    assert operator.query is None
    assert (hello.cards, hello.judged) == ((), ())
    assert asked.query is not None
    best = asked.judged[0]
    assert best.match.article.article_id == "A1"
    assert set(best.match.channels) == {"dense", "lexical", "pinyin"}
    assert [one.probability for one in asked.judged] == sorted(
        (one.probability for one in asked.judged), reverse=True
    )
    assert all(one.is_enough == (one.probability >= told.threshold) for one in asked.judged)
    shown_ids = {card.article_id for card in asked.cards}
    assert shown_ids == {one.match.article.article_id for one in asked.judged if one.is_enough}
    assert asked.is_changed == bool(shown_ids)


async def test_an_explanation_agrees_with_the_assistant_of_a_call(searcher: Searcher) -> None:
    texts = ("我想问一下路灯不亮怎么报修", "楼下马路的路灯坏了", "另外我还想问养老金资格认证怎么弄")
    told = await tried(searcher, *((Party.CITIZEN, text) for text in texts))
    assistant = CallAssistant("c-1")
    on_screen: tuple[str, ...] = ()
    for number, text in enumerate(texts):
        heard = segment(text, number + 1, start_s=number * 10.0, end_s=number * 10.0 + 5)
        query = assistant.ask(heard)
        found = searcher.search(query, day=date(2026, 3, 5)) if query else None
        suggestion = assistant.advise(heard, query, found)
        if suggestion is not None:
            on_screen = tuple(card.article_id for card in suggestion.cards)
        assert tuple(card.article_id for card in told.steps[number].cards) == on_screen


async def test_trying_out_over_rest(searcher: Searcher) -> None:
    async def told(turns: object) -> Explanation:
        return await tried(searcher, *turns)  # type: ignore[misc]

    async def busy(turns: object) -> Explanation:
        raise KnowledgeError("检索请求过多，本次未检索。", code="kb.busy")

    async def ask(explained: object, body: object) -> httpx.Response:
        app = FastAPI()
        app.include_router(try_router(explained))  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk") as client:
            return await client.post("/v1/kb/try", json=body)

    answer = (await ask(told, {"turns": [{"text": "路灯不亮怎么报修"}]})).json()
    (step,) = answer["steps"]
    assert (step["matches"][0]["article_id"], step["act"]) == ("A1", "asks")
    assert step["matches"][0]["channels"]["lexical"]["rank"] == 1
    assert 0 < answer["threshold"] < 1
    assert answer["kb_version"].startswith("2026")
    assert (await ask(told, {"turns": []})).status_code == 422
    assert (await ask(told, {"turns": [{"text": " "}]})).status_code == 422
    assert (await ask(told, {"turns": [{"text": "问"}] * 21})).status_code == 422
    refused = await ask(busy, {"turns": [{"text": "路灯不亮"}]})
    assert (refused.status_code, refused.json()["detail"]["code"]) == (503, "kb.busy")
