"""Asks a language model behind an OpenAI-compatible endpoint (vLLM, llama.cpp, Ollama).

In: two messages and a JSON schema. Out: the JSON object that the model wrote, or `ModelFailed`.
Not known here: calls, what is asked for, whether it is true.

Servers differ in how they take a schema; the ways are tried in turn, and the one that was taken is
remembered. Limits: seconds for a question with all its tries, characters of an answer.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
from pydantic import BaseModel, ValidationError

from calls.wrapup.llm.options import EndpointOptions
from calls.wrapup.llm.types import ModelFailed

log = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 256 * 1024
_NOT_TAKEN = (400, 422, 500, 501)
"""What servers say to a `response_format` that they do not know; 500 is what llama-cpp-python says."""
_MESSAGES = {
    "llm.timeout": "语言模型没有及时回答，工单草稿由内置方法写成，请核对；反复出现请联系管理员。",
    "llm.unreachable": "连不上语言模型，工单草稿由内置方法写成，请核对；请管理员检查 ZHITING_LLM_URL。",
    "llm.refused": "语言模型拒绝了请求，工单草稿由内置方法写成，请核对；请管理员检查地址、型号和密钥。",
    "llm.broken": "语言模型服务出错，工单草稿由内置方法写成，请核对；反复出现请联系管理员。",
    "llm.too_long": "语言模型的回答过长，没有采用，工单草稿由内置方法写成，请核对。",
    "llm.bad_answer": "语言模型的回答不合格式，没有采用，工单草稿由内置方法写成，请核对。",
    "llm.ungrounded": "语言模型的回答在通话里找不到依据，没有采用，工单草稿由内置方法写成，请核对。",
}
FAILURES = tuple(_MESSAGES)


def failure(code: str) -> ModelFailed:
    """The failure of that code, with what it means to people."""
    return ModelFailed(code, _MESSAGES[code])


class _Message(BaseModel):
    content: str


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Completion(BaseModel):
    choices: list[_Choice]


class Endpoint:
    """Asks one endpoint; any number of questions at a time."""

    def __init__(self, client: httpx.AsyncClient, options: EndpointOptions) -> None:
        self._client = client
        self._options = options
        self._way: int | None = None

    @property
    def model(self) -> str:
        """The model's name."""
        return self._options.model

    async def ask(self, system: str, user: str, schema: Mapping[str, Any]) -> str:
        """What the model writes, a JSON object if it does as it is told. Raises `ModelFailed`."""
        ways = dict(enumerate(_ways(schema)))
        try:
            async with asyncio.timeout(self._options.timeout_s):
                for number in ways if self._way is None else (self._way,):
                    question = _question(self._options, system, user) | ways[number]
                    status, body = await self._post(question)
                    if status == httpx.codes.OK:
                        self._way = number
                        return _content(body)
                    if status not in _NOT_TAKEN:
                        break
        except (TimeoutError, httpx.TimeoutException):
            raise failure("llm.timeout") from None
        except httpx.HTTPError as error:
            log.warning("the language model cannot be reached: %s", type(error).__name__)
            raise failure("llm.unreachable") from None
        log.warning("the language model answered with status %d", status)
        raise failure("llm.broken" if httpx.codes.is_server_error(status) else "llm.refused")

    async def _post(self, question: Mapping[str, Any]) -> tuple[int, bytes]:
        """Status and, where that is good, body of the answer."""
        async with self._client.stream("POST", "chat/completions", json=question) as response:
            body = b""
            if response.status_code == httpx.codes.OK:
                async for chunk in response.aiter_raw():
                    body += chunk
                    if len(body) > MAX_ANSWER_BYTES:
                        raise failure("llm.too_long")
            return response.status_code, body


@asynccontextmanager
async def open_endpoint(options: EndpointOptions) -> AsyncIterator[Endpoint]:
    """Be ready to ask; connections are kept from one question to the next.

    No proxy of the environment is used and no redirection followed: what citizens said goes to this address
    alone. Bodies are wanted as they are, so that none grows when it is unpacked.
    """
    headers = {"Accept-Encoding": "identity"}
    if options.key:
        headers["Authorization"] = f"Bearer {options.key}"
    client = httpx.AsyncClient(
        base_url=options.url,
        headers=headers,
        timeout=options.timeout_s,
        trust_env=False,
        follow_redirects=False,
    )
    async with client:
        yield Endpoint(client, options)


def _question(options: EndpointOptions, system: str, user: str) -> dict[str, Any]:
    return {
        "model": options.model,
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}],
        "temperature": 0,
        "max_tokens": options.answer_tokens,
    }


def _ways(schema: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """A schema as OpenAI, vLLM and Ollama take it, as llama-cpp-python does, and none."""
    named = {"name": "work_order", "strict": True, "schema": schema}
    return (
        {"response_format": {"type": "json_schema", "json_schema": named}},
        {"response_format": {"type": "json_object", "schema": schema}},
        {},
    )


def _content(body: bytes) -> str:
    try:
        choice = _Completion.model_validate_json(body).choices[0]
    except (ValidationError, IndexError):
        raise failure("llm.bad_answer") from None
    if choice.finish_reason == "length":
        raise failure("llm.too_long")
    text = choice.message.content
    return text[text.find("{") : text.rfind("}") + 1]  # without a schema models like to talk around it
