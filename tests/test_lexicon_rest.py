"""The admin's list of words over REST: added, removed, exchanged by a file, never half written."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
import pytest
from fastapi import Depends, FastAPI

from agent_ui.door import Door
from agent_ui.lexicon_rest import MAX_FILE_BYTES, TermBody, Tried, Try, lexicon_router
from asr.term_file import TermFile
from asr.terms import Term, sample_terms
from asr.wording import Wording

BRIDGE = {"term": "甬东桥", "kind": "桥梁", "weight": 3.0, "heard": ["用动桥"]}


@pytest.fixture
def file(tmp_path: Path) -> TermFile:
    return TermFile(tmp_path / "lexicon.csv")


def tries(file: TermFile) -> Try:
    """What the ears would do, with the words that come with the product and those of the file."""
    wording = Wording(file.path)
    wording.keep_up(None, ())

    def try_words(text: str) -> Tried:
        assert wording.lexicon is not None
        is_current = wording.is_current
        written, corrections = wording.lexicon.correct(text)
        return Tried(text=written, corrections=corrections, is_current=is_current)

    return try_words


def opened(file: TermFile, shipped: Sequence[Term] = ()) -> httpx.AsyncClient:
    app = FastAPI()
    router = lexicon_router(file, shipped=shipped, try_words=tries(file))
    app.include_router(router, dependencies=[Depends(Door(None).needs(None))])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost/v1")


@pytest.fixture
async def client(file: TermFile) -> AsyncIterator[httpx.AsyncClient]:
    async with opened(file, sample_terms()) as client:
        yield client


async def test_terms_are_added_changed_and_taken_out(client: httpx.AsyncClient, file: TermFile) -> None:
    assert (await client.get("/lexicon")).json() == {"total": 0, "terms": []}
    added = await client.post("/lexicon/terms", json=[BRIDGE, {"term": "临城大桥"}])
    assert added.json()["total"] == 2
    assert added.json()["terms"][0] == BRIDGE
    changed = await client.post("/lexicon/terms", json=[BRIDGE | {"weight": 5.0}])
    assert [term["weight"] for term in changed.json()["terms"]] == [5.0, 1.0]
    assert (await client.delete("/lexicon/terms/临城大桥")).json()["total"] == 1
    gone = await client.delete("/lexicon/terms/临城大桥")
    assert (gone.status_code, gone.json()["detail"]["code"]) == (404, "asr.unknown_term")
    assert [term.text for term in file.terms()] == ["甬东桥"]


async def test_a_file_is_exchanged_and_opens_in_a_spreadsheet(client: httpx.AsyncClient) -> None:
    text = "term,kind,weight,heard\n甬东桥,桥梁,3,用动桥\n"
    assert (await client.put("/lexicon/file", content=("\ufeff" + text).encode())).json()["terms"] == [BRIDGE]
    down = await client.get("/lexicon/file")
    assert down.content == ("\ufeff" + text).encode()
    assert "lexicon.csv" in down.headers["content-disposition"]


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        ("term\n甬东桥\n".encode("gb18030"), 422, "asr.bad_terms"),
        ("词\n甬东桥\n".encode(), 422, "asr.bad_terms"),
        ("term,weight\n甬东桥,很多\n".encode(), 422, "asr.bad_terms"),
        (b"term\n" + b"a" * MAX_FILE_BYTES, 413, "asr.terms_too_large"),
    ],
)
async def test_a_bad_file_is_answered_and_changes_nothing(
    client: httpx.AsyncClient, file: TermFile, content: bytes, status: int, code: str
) -> None:
    await client.post("/lexicon/terms", json=[BRIDGE])
    answer = await client.put("/lexicon/file", content=content)
    assert (answer.status_code, answer.json()["detail"]["code"]) == (status, code)
    assert answer.json()["detail"]["message"].endswith("。")
    assert [term.text for term in file.terms()] == ["甬东桥"]
    too_short = await client.post("/lexicon/terms", json=[{"term": "桥"}])
    assert (too_short.status_code, too_short.json()["detail"]["code"]) == (422, "asr.bad_terms")


async def test_of_two_admins_the_second_is_told(client: httpx.AsyncClient) -> None:
    etag = (await client.post("/lexicon/terms", json=[BRIDGE])).headers["etag"]
    assert (await client.get("/lexicon")).headers["etag"] == etag
    first = await client.post("/lexicon/terms", json=[{"term": "临城大桥"}], headers={"If-Match": etag})
    second = await client.post("/lexicon/terms", json=[{"term": "鲁家峙"}], headers={"If-Match": etag})
    assert (first.status_code, second.status_code) == (200, 412)
    assert second.json()["detail"]["code"] == "asr.terms_changed"
    assert (await client.get("/lexicon")).json()["total"] == 2


async def test_the_words_of_the_product_can_be_read_and_searched(client: httpx.AsyncClient) -> None:
    everything = (await client.get("/lexicon/shipped?limit=500")).json()
    assert everything["total"] == len(sample_terms()) == sum(kind["count"] for kind in everything["kinds"])
    counts = [kind["count"] for kind in everything["kinds"]]
    assert counts == sorted(counts, reverse=True)
    islands = (await client.get("/lexicon/shipped", params={"q": "定海", "limit": 2})).json()
    assert len(islands["terms"]) == min(2, islands["total"])
    assert all("定海" in term["term"] for term in islands["terms"])
    kind = islands["kinds"][0]
    of_kind = (await client.get("/lexicon/shipped", params={"q": "定海", "kind": kind["kind"]})).json()
    assert of_kind["total"] == kind["count"]
    assert of_kind["kinds"] == islands["kinds"]
    beyond = (await client.get("/lexicon/shipped?offset=100000")).json()
    assert (beyond["terms"], beyond["total"]) == ([], everything["total"])


async def test_a_text_is_tried_with_the_words_in_use(file: TermFile) -> None:
    file.put([TermBody.model_validate(BRIDGE).to_term()])
    async with opened(file) as client:
        text = "你好，我在用动桥边上，东西掉了。"
        tried = (await client.post("/lexicon/try", json={"text": text})).json()
        assert tried == {
            "before": text,
            "after": "你好，我在甬东桥边上，东西掉了。",
            "corrections": [{"start": 5, "heard": "用动桥", "term": "甬东桥", "reason": "桥梁：词表所列"}],
            "is_current": True,
        }
        await client.delete("/lexicon/terms/甬东桥")
        again = (await client.post("/lexicon/try", json={"text": text})).json()
        assert (again["after"], again["is_current"]) == (tried["after"], False)  # not taken up yet


async def test_the_ears_take_up_what_the_admin_added(client: httpx.AsyncClient, file: TermFile) -> None:
    wording = Wording(file.path)
    wording.keep_up(None, ())
    assert wording.lexicon is not None
    assert "甬东桥" not in wording.lexicon.terms
    await client.post("/lexicon/terms", json=[BRIDGE])
    wording.keep_up(None, ())
    assert "甬东桥" in wording.lexicon.terms
