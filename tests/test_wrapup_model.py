"""The second engine against a real server on this machine that answers by a script."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from agent_ui.settings import Settings
from calls.wrapup.draft import Lore, drafted
from calls.wrapup.llm.endpoint import FAILURES, MAX_ANSWER_BYTES, failure, open_endpoint
from calls.wrapup.llm.engine import ModelEngine
from calls.wrapup.llm.options import EndpointOptions
from calls.wrapup.llm.types import ModelFailed
from calls.wrapup.types import Draft
from scripts.model_drafts import redraft
from tests.model_server import Script, playing
from tests.wrapup_parts import embed, said, sample_lore, words_of

CALL = said(
    "坐席:您好，市民热线，请问有什么可以帮您？",
    "市民:你好，我们小区门口的路灯坏了好几盏，晚上黑漆漆的，老人走路怕摔跤。",
    "坐席:请问具体地址在哪里？",
    "市民:定海区环城南路120号门口。",
    "坐席:好的，我转给市住建局处理。您贵姓？",
    "市民:我姓王。",
)
GOOD: dict[str, Any] = {
    "summary": [{"line": 2, "quote": "小区门口的路灯坏了好几盏"}],
    "detail": [{"line": 2, "quote": "路灯坏了好几盏"}, {"line": 2, "quote": "老人走路怕摔跤"}],
    "type": {"line": 2, "quote": "路灯坏了", "value": "投诉"},
    "urgency": {"line": 0, "quote": "", "value": "普通"},
    "category": {"line": 2, "quote": "路灯坏了", "value": "城乡建设与市容环卫"},
    "department": {"line": 5, "quote": "转给市住建局处理", "value": "市综合行政执法局"},
    "district": {"line": 4, "quote": "定海区", "value": "定海区"},
    "place": {"quotes": [{"line": 4, "quote": "环城南路120号门口"}], "value": "环城南路120号门口"},
    "name": {"line": 6, "quote": "我姓王", "value": "王"},
    "phone": {"quotes": [], "value": ""},
}


@pytest.fixture(scope="module")
def lore() -> Lore:
    return sample_lore()


@pytest.fixture(scope="module")
def embedded(lore: Lore) -> Draft:
    return drafted(CALL, lore=lore, embed=embed)


@pytest.fixture
def script() -> Iterator[Script]:
    with playing(Script()) as script:
        script.says(GOOD)
        yield script


def options(script: Script, timeout_s: float = 10.0) -> EndpointOptions:
    return EndpointOptions(url=script.url, model="small", key="secret-of-the-endpoint", timeout_s=timeout_s)


async def draft(script: Script, lore: Lore, embedded: Draft, timeout_s: float = 10.0) -> Draft | None:
    async with open_endpoint(options(script, timeout_s)) as endpoint:
        return await ModelEngine(endpoint=endpoint, lore=lambda: lore).draft(CALL, embedded=embedded)


async def code_of(script: Script, lore: Lore, embedded: Draft, timeout_s: float = 10.0) -> str:
    with pytest.raises(ModelFailed) as failed:
        await draft(script, lore, embedded, timeout_s)
    assert failed.value.message
    assert "王" not in str(failed.value)
    return failed.value.code


async def test_a_good_answer(script: Script, lore: Lore, embedded: Draft) -> None:
    better = await draft(script, lore, embedded)
    assert better is not None
    assert better.kind.value == "投诉"
    assert words_of(better.kind, CALL) == ["路灯坏了"]
    assert better.department.value == "市综合行政执法局"
    assert better.departments[0] == better.department
    assert embedded.department.value in [each.value for each in better.departments[1:]]
    assert better.summary.value == "小区门口的路灯坏了好几盏"
    assert better.detail.value == "路灯坏了好几盏。老人走路怕摔跤。"
    assert better.place.value == "环城南路120号门口"
    assert better.caller_name.value == "王"
    assert better.urgency == embedded.urgency
    assert better.knowledge == embedded.knowledge
    assert script.paths == ["/v1/chat/completions"]
    assert script.headers[0]["authorization"] == "Bearer secret-of-the-endpoint"


async def test_what_is_asked(script: Script, lore: Lore, embedded: Draft) -> None:
    await draft(script, lore, embedded)
    asked = script.asked[0]
    assert asked["model"] == "small"
    assert asked["temperature"] == 0
    system, user = (message["content"] for message in asked["messages"])
    assert "市住房和城乡建设局" in system
    assert "[4] 市民：定海区环城南路120号门口。" in user
    schema = asked["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["type"]["properties"]["value"]["enum"] == [
        "咨询",
        "求助",
        "投诉",
        "建议",
        "举报",
        "",
    ]


@pytest.mark.parametrize("refuses", [("json_schema",), ("json_schema", "json_object")])
async def test_servers_that_take_a_schema_otherwise_or_not_at_all(
    script: Script, lore: Lore, embedded: Draft, refuses: tuple[str, ...]
) -> None:
    script.refuses = refuses
    script.says(f"好的，结果如下：\n```json\n{json.dumps(GOOD, ensure_ascii=False)}\n```")
    async with open_endpoint(options(script)) as endpoint:
        engine = ModelEngine(endpoint=endpoint, lore=lambda: lore)
        for _ in range(2):
            better = await engine.draft(CALL, embedded=embedded)
            assert better is not None
            assert better.kind.value == "投诉"
    assert len(script.asked) == len(refuses) + 2  # the second time it is known


async def test_a_server_that_takes_nothing(script: Script, lore: Lore, embedded: Draft) -> None:
    script.refuses = ("json_schema", "json_object", "")
    assert await code_of(script, lore, embedded) == "llm.refused"


@pytest.mark.parametrize(
    ("status", "code"), [(500, "llm.broken"), (503, "llm.broken"), (401, "llm.refused"), (302, "llm.refused")]
)
async def test_a_server_that_fails(
    script: Script, lore: Lore, embedded: Draft, status: int, code: str
) -> None:
    script.status = status
    assert await code_of(script, lore, embedded) == code
    is_unknown_form = status == 500  # as one server says that it does not take a schema in this form
    assert len(script.asked) == (3 if is_unknown_form else 1)  # a redirection is not followed


async def test_a_way_that_was_taken_once_is_kept(script: Script, lore: Lore, embedded: Draft) -> None:
    async with open_endpoint(options(script)) as endpoint:
        engine = ModelEngine(endpoint=endpoint, lore=lambda: lore)
        await engine.draft(CALL, embedded=embedded)
        script.status = 500
        with pytest.raises(ModelFailed, match="出错"):
            await engine.draft(CALL, embedded=embedded)
        script.status = 200
        await engine.draft(CALL, embedded=embedded)
    assert [asked["response_format"]["type"] for asked in script.asked] == ["json_schema"] * 3


async def test_a_server_that_is_slow_to_begin_or_to_end(script: Script, lore: Lore, embedded: Draft) -> None:
    for script.delay_s, script.drip_s in ((30.0, 0.0), (0.0, 0.1)):
        began = time.monotonic()
        assert await code_of(script, lore, embedded, timeout_s=0.4) == "llm.timeout"
        assert time.monotonic() - began < 20  # of 30, and of far more


async def test_nobody_listens(lore: Lore, embedded: Draft) -> None:
    with playing(Script()) as gone:
        pass
    assert await code_of(gone, lore, embedded) == "llm.unreachable"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"\xff\xfe",
        b'{"choices": []}',
        b'{"choices": [{"message": {"content": null}}]}',
        json.dumps({"choices": [{"message": {"content": "我不知道。"}}]}).encode(),
        json.dumps({"choices": [{"message": {"content": '{"type": "求助"}'}}]}).encode(),
        json.dumps({"choices": [{"message": {"content": json.dumps(GOOD)[:-9]}}]}).encode(),
    ],
)
async def test_what_is_no_answer(script: Script, lore: Lore, embedded: Draft, body: bytes) -> None:
    script.body = body
    assert await code_of(script, lore, embedded) == "llm.bad_answer"


async def test_too_much(script: Script, lore: Lore, embedded: Draft) -> None:
    script.body = b" " * (MAX_ANSWER_BYTES + 1)
    assert await code_of(script, lore, embedded) == "llm.too_long"
    script.says(GOOD, finish="length")
    assert await code_of(script, lore, embedded) == "llm.too_long"
    script.says(GOOD | {"summary": [{"line": 2, "quote": "路灯"}] * 50})
    assert await code_of(script, lore, embedded) == "llm.bad_answer"


async def test_an_answer_without_support(script: Script, lore: Lore, embedded: Draft) -> None:
    invented = {"line": 2, "quote": "天然气泄漏了", "value": "举报"}
    script.says({"type": invented, "urgency": invented | {"value": "特急"}})
    assert await code_of(script, lore, embedded) == "llm.ungrounded"
    script.says({})
    assert await code_of(script, lore, embedded) == "llm.ungrounded"


async def test_fallen_back_and_told(script: Script, lore: Lore, embedded: Draft) -> None:
    texts, drafts = {"a": CALL}, {"a": embedded}
    found, fared = await redraft(texts, drafts, lore, options(script), lambda _: None)
    assert found["a"].kind.value == "投诉"
    assert fared.told("small")["fields_kept"]["type"] == 1
    script.status = 500
    found, fared = await redraft(texts, drafts, lore, options(script), lambda _: None)
    assert found["a"] == embedded
    assert fared.told("small")["failures"] == {"llm.broken": 1}


async def test_nothing_to_ask(script: Script, lore: Lore) -> None:
    async with open_endpoint(options(script)) as endpoint:
        unknowing = ModelEngine(endpoint=endpoint, lore=lambda: None)
        assert await unknowing.draft(CALL, embedded=Draft()) is None
        assert await ModelEngine(endpoint=endpoint, lore=lambda: lore).draft((), embedded=Draft()) is None
    assert script.asked == []


def test_every_failure_has_a_sentence() -> None:
    assert all(failure(code).code == code and "草稿" in failure(code).message for code in FAILURES)


def test_settings() -> None:
    def settings(**given: object) -> Settings:
        return Settings(_env_file=None, **given)  # type: ignore[arg-type, call-arg]

    assert settings().llm_options is None
    for url in ("ftp://x/v1", "localhost:8080", "http://", "http://[bad"):
        with pytest.raises(ValidationError):
            settings(llm_url=url, llm_model="m")
    with pytest.raises(ValidationError, match="llm_model"):
        settings(llm_url="http://127.0.0.1:1/v1")
    full = settings(llm_url="http://127.0.0.1:1/v1", llm_model="m", llm_key=SecretStr("hush-hush"))
    assert full.llm_options is not None
    assert full.llm_options.key == "hush-hush"
    assert "hush-hush" not in repr(full.llm_options) + repr(full) + str(full.environment())
