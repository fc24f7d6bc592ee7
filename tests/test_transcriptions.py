"""`POST /v1/audio/transcriptions` with the official client of OpenAI on the other side."""

import asyncio
import io
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from agent_ui.settings import Settings
from asr.types import Hypothesis, Samples, Word
from scripts.text_scores import compare
from server import open_engines
from tests.asr_parts import SPEECH, SPEECH_TEXT, LengthTranscriber, until
from tests.house import House, Script, running
from tests.test_recordings import wav

TOKEN = "a-token-of-the-settings"


class WordTranscriber(LengthTranscriber):
    """Hears the length of a clip, with the time of each character."""

    def hear(self, clip: Samples) -> Hypothesis:
        words = (
            Word(text="有", start_s=0.1, end_s=0.3, probability=0.9),
            Word(text="声", start_s=0.3, end_s=0.5, probability=0.8),
        )
        return Hypothesis(text="有声。", avg_logprob=-0.2, no_speech_prob=0.1, words=words)


@asynccontextmanager
async def client_of(house: House, **options: Any) -> AsyncIterator[openai.AsyncOpenAI]:
    options = {"api_key": house.token or "none", "max_retries": 0} | options
    async with openai.AsyncOpenAI(base_url=f"{house.url}/v1", **options) as client:
        yield client


@asynccontextmanager
async def opened(
    tmp_path: Path, script: Script | None = None, **changes: Any
) -> AsyncIterator[openai.AsyncOpenAI]:
    async with running(tmp_path, script, **changes) as house, client_of(house) as client:
        yield client


async def test_every_form_of_the_answer_is_what_the_client_expects(tmp_path: Path) -> None:
    async with opened(tmp_path, Script(transcriber=WordTranscriber()), token=TOKEN) as client:
        create = client.audio.transcriptions.create
        plain = await create(file=SPEECH, model="whisper-1")
        assert plain.text == "有声。\n有声。"
        assert plain.usage is not None
        assert plain.usage.type == "duration"
        assert plain.usage.seconds == pytest.approx(12.4, abs=0.1)
        text = await create(file=SPEECH, model="scripted", response_format="text", language="zh")
        assert text == "有声。\n有声。\n"
        srt = await create(file=SPEECH, model="whisper-1", response_format="srt", temperature=0)
        assert re.match(r"1\n00:00:0\d,\d{3} --> 00:00:0\d,\d{3}\n市民：有声。\n", str(srt))
        vtt = await create(file=SPEECH, model="whisper-1", response_format="vtt", prompt="出租车")
        assert str(vtt).startswith("WEBVTT\n\n00:00:0")
        verbose = await create(
            file=SPEECH,
            model="whisper-1",
            response_format="verbose_json",
            timestamp_granularities=["word", "segment"],
        )
        assert (verbose.language, verbose.text) == ("chinese", plain.text)
        assert verbose.duration == pytest.approx(12.4, abs=0.1)
        assert verbose.segments is not None
        assert verbose.words is not None
        assert [one.text for one in verbose.segments] == ["有声。"] * 2
        assert [one.model_extra for one in verbose.segments] == [
            {"speaker": "citizen"},
            {"speaker": "operator"},
        ]
        first = verbose.segments[0]
        assert (first.id, first.avg_logprob, first.no_speech_prob) == (0, -0.2, 0.1)
        assert verbose.words[0].start == pytest.approx(first.start + 0.1)
        assert [one.word for one in verbose.words[:2]] == ["有", "声"]
        bare = await create(file=SPEECH, model="whisper-1", response_format="verbose_json")
        assert (bare.words, len(bare.segments or [])) == (None, 2)
        words = await create(
            file=SPEECH,
            model="whisper-1",
            response_format="verbose_json",
            timestamp_granularities=["word"],
        )
        assert (words.segments, len(words.words or [])) == (None, 4)
    assert list((tmp_path / "transcriptions").iterdir()) == []


async def test_text_is_streamed_as_it_becomes_known(tmp_path: Path) -> None:
    async with opened(tmp_path, token=TOKEN) as client:
        whole = await client.audio.transcriptions.create(file=SPEECH, model="whisper-1")
        events = await client.audio.transcriptions.create(file=SPEECH, model="whisper-1", stream=True)
        came = [event async for event in events]
    deltas = [event.delta for event in came if event.type == "transcript.text.delta"]
    assert len(deltas) == 2
    assert came[-1].type == "transcript.text.done"
    assert "".join(deltas) == came[-1].text == whole.text
    assert list((tmp_path / "transcriptions").iterdir()) == []


async def test_a_mono_file_and_a_channel_that_is_somebody_elses(tmp_path: Path) -> None:
    async with opened(tmp_path, token=TOKEN) as client:
        told = await client.audio.transcriptions.create(
            file=SPEECH,
            model="whisper-1",
            response_format="verbose_json",
            extra_body={"left": "operator"},
        )
        assert told.segments is not None
        assert told.segments[0].model_extra == {"speaker": "operator"}
        told = await client.audio.transcriptions.create(
            file=SPEECH, model="whisper-1", response_format="verbose_json", extra_body={"channels": "mono"}
        )
        assert {str(one.model_extra) for one in told.segments or []} == {"{'speaker': 'mixed'}"}


@pytest.mark.parametrize(
    ("asked", "param", "code"),
    [
        ({"model": "gpt-9"}, "model", "model_not_found"),
        ({"language": "en"}, "language", "unsupported_value"),
        ({"temperature": 0.7}, "temperature", "unsupported_value"),
        ({"response_format": "diarized_json"}, "response_format", "unsupported_value"),
        ({"include": ["logprobs"]}, "include[]", "unknown_parameter"),
        ({"timestamp_granularities": ["word"]}, "timestamp_granularities[]", "unsupported_value"),
        ({"stream": True, "response_format": "srt"}, "stream", "unsupported_value"),
        ({"extra_body": {"voice": "alto"}}, "voice", "unknown_parameter"),
        ({"file": ("empty.wav", b"")}, "file", "asr.file_empty"),
        ({"file": ("letter.wav", b"this is no recording\n" * 99)}, "file", "asr.file_unreadable"),
        (
            {"file": ("letter.wav", b"this is no recording\n" * 99), "stream": True},
            "file",
            "asr.file_unreadable",
        ),
    ],
)
async def test_what_cannot_be_done_is_refused_in_openais_form(
    tmp_path: Path, asked: dict[str, Any], param: str, code: str
) -> None:
    async with opened(tmp_path, token=TOKEN) as client:
        with pytest.raises(openai.APIStatusError) as refused:
            await client.audio.transcriptions.create(**{"file": SPEECH, "model": "whisper-1"} | asked)
    error = refused.value
    assert (error.param, error.code, error.type) == (param, code, "invalid_request_error")
    assert error.status_code == (404 if code == "model_not_found" else 400)
    assert isinstance(error.body, dict)
    assert re.search("[\u4e00-\u9fff].*。", error.body["message"])


async def test_a_wrong_token_and_one_that_may_not_are_refused(tmp_path: Path) -> None:
    async with running(tmp_path, token=TOKEN) as house:
        async with client_of(house, api_key="somebody else's") as client:
            with pytest.raises(openai.AuthenticationError) as refused:
                await client.audio.transcriptions.create(file=SPEECH, model="whisper-1")
            assert refused.value.code == "access.unauthorised"
        async with httpx.AsyncClient(base_url=house.url, timeout=60) as admin:
            answer = await admin.post(
                "/v1/tokens",
                headers={"Authorization": f"Bearer {TOKEN}"},
                json={"name": "reader", "scopes": ["knowledge:read"]},
            )
            key = answer.json()["key"]
        async with client_of(house, api_key=key) as client:
            with pytest.raises(openai.PermissionDeniedError) as forbidden:
                await client.audio.transcriptions.create(file=SPEECH, model="whisper-1")
            assert forbidden.value.code == "access.forbidden"


async def test_too_much_is_refused_and_nothing_of_it_stays(tmp_path: Path) -> None:
    async with opened(tmp_path, token=TOKEN, transcription_max_mb=1) as client:
        for size in (1_000_001, 20_000_000):
            with pytest.raises(openai.APIStatusError) as refused:
                await client.audio.transcriptions.create(file=("a.wav", bytes(size)), model="whisper-1")
            assert (refused.value.status_code, refused.value.code) == (413, "upload.too_large")
            assert "1 MB" in str(refused.value)
    assert list((tmp_path / "transcriptions").iterdir()) == []


async def test_a_form_that_breaks_off_or_is_none_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as house, httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        url = "/v1/audio/transcriptions"
        answer = await client.post(url, json={"model": "whisper-1"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (415, "upload.no_form")
        broken = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nabc'
        form = {"Content-Type": "multipart/form-data; boundary=b"}
        answer = await client.post(url, content=broken, headers=form)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "upload.broken")
        answer = await client.post(url, data={"model": "whisper-1"}, files={"sound": ("a.wav", wav(1.0))})
        assert answer.json()["error"]["param"] == "file"
        names = {"file": ("../../x/..\\y\n.wav", wav(1.0))}
        answer = await client.post(url, data={"model": "whisper-1"}, files=names)
        assert (answer.status_code, answer.json()["text"]) == (200, "")
    assert not (tmp_path.parent / "x").exists()


async def test_an_engine_that_fails_is_told_as_such(tmp_path: Path) -> None:
    script = Script(transcriber=LengthTranscriber(fail=lambda clip: True))
    async with opened(tmp_path, script, token=TOKEN) as client:
        with pytest.raises(openai.InternalServerError) as refused:
            await client.audio.transcriptions.create(file=SPEECH, model="whisper-1")
        assert refused.value.code == "asr.recognition_failed"


@pytest.mark.parametrize("stream", [False, True])
async def test_who_hangs_up_is_not_transcribed_any_longer(tmp_path: Path, stream: bool) -> None:
    ears = LengthTranscriber()
    script = Script(transcriber=ears)
    ears.gate.clear()
    async with running(tmp_path, script) as house:
        form = {"model": "whisper-1", "stream": str(stream).lower()}
        async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
            asking = asyncio.create_task(
                client.post(
                    "/v1/audio/transcriptions",
                    data=form,
                    files={"file": ("a.flac", SPEECH.read_bytes())},
                )
            )
            await until(lambda: len(ears.batches) >= 1)
            assert list((tmp_path / "transcriptions").iterdir()) != []
            asking.cancel()
            await asyncio.wait([asking])
        await until(lambda: list((tmp_path / "transcriptions").iterdir()) == [])
        ears.gate.set()


async def test_past_the_bound_others_are_asked_to_come_again(tmp_path: Path) -> None:
    ears = LengthTranscriber()
    ears.gate.clear()
    async with opened(tmp_path, Script(transcriber=ears), token=TOKEN) as client:
        waiting = [
            asyncio.ensure_future(
                client.audio.transcriptions.create(file=("a.wav", io.BytesIO(wav(1.0))), model="whisper-1")
            )
            for _ in range(8)
        ]
        folder = tmp_path / "transcriptions"
        while len(list(folder.iterdir())) < 8:  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.001)
        with pytest.raises(openai.InternalServerError) as refused:
            await client.audio.transcriptions.create(file=("a.wav", wav(1.0)), model="whisper-1")
        assert refused.value.code == "transcription.busy"
        assert refused.value.response.headers["retry-after"] == "10"
        ears.gate.set()
        await asyncio.gather(*waiting)


@pytest.mark.weights
async def test_a_real_call_in_every_form(tmp_path: Path) -> None:
    data_dir = Settings(_env_file=None).data_dir  # type: ignore[call-arg]
    shutil.copytree(data_dir / "models", tmp_path / "models", symlinks=True)
    async with running(tmp_path, engines_of=open_engines, token=TOKEN) as house, client_of(house) as client:
        create = client.audio.transcriptions.create
        plain = await create(file=SPEECH, model="whisper-base")
        citizen, operator = plain.text.split("\n")
        for reference, text in zip(SPEECH_TEXT.values(), (citizen, operator), strict=True):
            assert compare(reference, text).edits < 0.3 * len(reference)
        events = await create(file=SPEECH, model="whisper-base", stream=True)
        assert [event async for event in events][-1].to_dict()["text"] == plain.text
        assert await create(file=SPEECH, model="whisper-base", response_format="text") == plain.text + "\n"
        srt = str(await create(file=SPEECH, model="whisper-base", response_format="srt"))
        vtt = str(await create(file=SPEECH, model="whisper-base", response_format="vtt"))
        for told in (srt, vtt):
            assert told.count(" --> ") >= 2
            assert "出租车" in told
        verbose = await create(
            file=SPEECH,
            model="whisper-base",
            response_format="verbose_json",
            timestamp_granularities=["word", "segment"],
        )
        assert verbose.segments
        assert verbose.words
        assert "".join(one.text for one in verbose.segments) == plain.text.replace("\n", "")
        spoken = [(one.start, one.end) for one in verbose.segments]
        assert all(any(a <= word.start <= word.end <= b for a, b in spoken) for word in verbose.words)
        starts = [word.start for word in verbose.words]
        assert len(set(starts)) > len(starts) * 0.8
