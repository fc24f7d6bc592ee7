"""What is wanted of a transcription, as programs written for OpenAI's interface say it.

In: the fields of a form. Out: a `Wish`, or a refusal that names the field.
Not known here: HTTP, files, how anything is recognised.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NoReturn

from asr.batch.types import Channels
from asr.types import Party

_LONGEST_PROMPT = 4000
_MOST_KEYWORDS = 200
_CHINESE = ("zh", "zh-cn", "zh-hans", "cmn", "chinese", "mandarin")
_ALIASES = ("whisper-1",)
"""Names under which programs ask for a model without knowing ours."""
_KNOWN = frozenset(
    (
        "model",
        "language",
        "languages[]",
        "prompt",
        "keywords[]",
        "response_format",
        "temperature",
        "timestamp_granularities[]",
        "stream",
        "chunking_strategy",
        "channels",
        "left",
    )
)
_SEVERAL = ("languages[]", "keywords[]", "timestamp_granularities[]")
_WITHOUT_BRACKETS = {name.removesuffix("[]"): name for name in _SEVERAL}


class ResponseFormat(StrEnum):
    """How the answer is written."""

    JSON = "json"
    TEXT = "text"
    SRT = "srt"
    VTT = "vtt"
    VERBOSE_JSON = "verbose_json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is wanted."""

    response_format: ResponseFormat = ResponseFormat.JSON
    prompt: str = ""
    keywords: tuple[str, ...] = ()
    has_segments: bool = True
    has_words: bool = False
    is_streamed: bool = False
    channels: Channels = "auto"
    left: Party = Party.CITIZEN


class WishRefused(Exception):
    """A field holds what cannot be done."""

    def __init__(self, message: str, *, param: str | None, code: str, status: int = 400):
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code
        self.status = status


def read_wish(fields: Mapping[str, Sequence[str]], *, model: str) -> Wish:
    """Understand the fields; `model` is the one that we have. Raises `WishRefused`."""
    told: dict[str, list[str]] = {}
    for name, values in fields.items():
        known = _WITHOUT_BRACKETS.get(name, name)
        if known not in _KNOWN:
            _refuse(name, f"不支持参数 {name[:80]}。", code="unknown_parameter")
        told.setdefault(known, []).extend(values)
    for name, values in told.items():
        if len(values) > 1 and name not in _SEVERAL:
            _refuse(name, f"参数 {name} 只能给一次。")
    one = {name: values[0].strip() for name, values in told.items()}
    _see_model(one.get("model"), model)
    for name in ("language", "languages[]"):
        _see_languages(name, told.get(name, []))
    _see_temperature(one.get("temperature", ""))
    if one.get("chunking_strategy", "auto") != "auto":
        _refuse("chunking_strategy", "chunking_strategy 只支持 auto。")
    form = _one_of("response_format", one.get("response_format") or "json", tuple(ResponseFormat))
    grains = told.get("timestamp_granularities[]", [])
    for grain in grains:
        _one_of("timestamp_granularities[]", grain, ("segment", "word"))
    if grains and form != ResponseFormat.VERBOSE_JSON:
        _refuse(
            "timestamp_granularities[]",
            "timestamp_granularities 只能与 response_format=verbose_json 一起用。",
        )
    is_streamed = _one_of("stream", one.get("stream", "").lower() or "false", ("true", "false")) == "true"
    if is_streamed and form not in (ResponseFormat.JSON, ResponseFormat.TEXT):
        _refuse("stream", f"stream 不能与 response_format={form} 一起用，请用 json 或 text。")
    prompt, keywords = one.get("prompt", ""), told.get("keywords[]", [])
    if len(prompt) > _LONGEST_PROMPT:
        _refuse("prompt", f"prompt 最多 {_LONGEST_PROMPT} 个字。")
    if len(keywords) > _MOST_KEYWORDS:
        _refuse("keywords[]", f"keywords 最多 {_MOST_KEYWORDS} 个。")
    channels = _one_of("channels", one.get("channels") or "auto", ("auto", "stereo", "mono"))
    left = _one_of("left", one.get("left") or "citizen", ("citizen", "operator"))
    return Wish(
        response_format=ResponseFormat(form),
        prompt=prompt,
        keywords=tuple(word.strip() for word in keywords),
        has_segments="segment" in grains or not grains,
        has_words="word" in grains,
        is_streamed=is_streamed,
        channels=channels,  # type: ignore[arg-type]  # seen above
        left=Party(left),
    )


def _see_model(asked: str | None, model: str) -> None:
    if not asked:
        _refuse("model", "请用 model 指明模型。", code="missing_required_parameter")
    if asked not in (model, *_ALIASES):
        _refuse(
            "model",
            f"没有模型 {asked[:80]}，本服务器的模型是 {model}（也可写 {_ALIASES[0]}）。",
            code="model_not_found",
            status=404,
        )


def _see_languages(name: str, values: Sequence[str]) -> None:
    for value in values:
        if value.strip() and value.strip().lower() not in _CHINESE:
            _refuse(name, f"只识别汉语（zh），不支持语言 {value[:40]}。")


def _see_temperature(text: str) -> None:
    try:
        temperature = float(text or 0)
    except ValueError:
        _refuse("temperature", f"temperature 不是数：{text[:40]}。", code="invalid_value")
    if temperature != 0:
        _refuse("temperature", "temperature 只支持 0：先取最可能的文字，听不通时自动提高重试。")


def _one_of(name: str, value: str, allowed: Sequence[str]) -> str:
    if value not in allowed:
        _refuse(name, f"{name} 只能是 {'、'.join(allowed)}，不支持 {value[:40]}。")
    return value


def _refuse(param: str, message: str, *, code: str = "unsupported_value", status: int = 400) -> NoReturn:
    raise WishRefused(message, param=param, code=code, status=status)


def form_schema() -> dict[str, Any]:
    """The form, for the description of the interface."""

    def text(*allowed: str) -> dict[str, Any]:
        return {"type": "string"} | ({"enum": list(allowed)} if allowed else {})

    properties = {
        "file": {"type": "string", "format": "binary"},
        "model": text(),
        "language": text(),
        "prompt": text(),
        "keywords[]": {"type": "array", "items": text()},
        "response_format": text(*ResponseFormat),
        "temperature": {"type": "number", "enum": [0]},
        "timestamp_granularities[]": {"type": "array", "items": text("segment", "word")},
        "stream": {"type": "boolean"},
        "channels": text("auto", "stereo", "mono"),
        "left": text("citizen", "operator"),
    }
    schema = {"type": "object", "required": ["file", "model"], "properties": properties}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}
