"""Jobs through the real application: left, worked on, cancelled, taken up after a restart, deleted."""

import asyncio
import errno
import io
import zipfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from access.types import SCOPES_OF_ROLE, Role, Scope
from asr.types import Hypothesis, Samples
from calls.jobs.turn import trouble_of
from calls.jobs.types import job_sentence
from tests.asr_parts import LengthTranscriber
from tests.batch_files import speech, wav
from tests.databases import database_in, in_both_houses, rows_in
from tests.house import Script, running

TOKEN = "a-token-of-the-settings"


def call(number: int) -> bytes:
    """A recording of one utterance, of a length of its own."""
    return wav(speech(0.0, 6.0 - number / 10))


class RememberingTranscriber(LengthTranscriber):
    """Remembers what it was given to hear."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[bytes] = []

    def transcribe(self, clips: Sequence[Samples], **options: Any) -> list[Hypothesis]:
        self.heard += [clip.tobytes() for clip in clips]
        return super().transcribe(clips, **options)


class FaintTranscriber(RememberingTranscriber):
    """Hears so many batches, and then nothing until its gate is opened."""

    def __init__(self, faints_after: int) -> None:
        super().__init__()
        self._faints_after = faints_after

    def transcribe(self, clips: Sequence[Samples], **options: Any) -> list[Hypothesis]:
        if len(self.batches) == self._faints_after:
            self.gate.clear()
        return super().transcribe(clips, **options)


OVER = ("done", "failed", "cancelled")


@dataclass
class Desk:
    client: httpx.AsyncClient

    async def ask(self, method: str, path: str, *, code: int = 200, **options: Any) -> Any:
        answer = await self.client.request(method, f"/v1/jobs{path}", **options)
        assert answer.status_code == code, answer.text
        is_json = answer.headers.get("content-type", "").startswith("application/json")
        return answer.json() if is_json and answer.content else answer.content

    async def refused(self, method: str, path: str, *, code: int, **options: Any) -> str:
        detail = (await self.ask(method, path, code=code, **options))["detail"]
        assert detail["message"].endswith("。")
        return str(detail["code"])

    async def leave(self, *contents: bytes, code: int = 201, **fields: str) -> Any:
        files = [("files", (f"录音{number}.wav", content)) for number, content in enumerate(contents, 1)]
        return await self.ask("POST", "", code=code, files=files, data=fields)

    async def stopped(self, job_id: str) -> None:
        """Wait until the job does not go on any more, or is gone."""
        async with asyncio.timeout(60):
            while True:
                answer = await self.client.get(f"/v1/jobs/{job_id}")
                if answer.status_code == 404 or answer.json()["job"]["state"] in OVER:
                    return
                await asyncio.sleep(0.05)

    async def over(self, job_id: str) -> Any:
        async with asyncio.timeout(60):
            while True:
                told = await self.ask("GET", f"/{job_id}")
                if told["job"]["state"] in OVER:
                    return told
                await asyncio.sleep(0.05)


@asynccontextmanager
async def opened(
    data_dir: Path, ears: LengthTranscriber | None = None, *, key: str = "", **changes: Any
) -> AsyncIterator[Desk]:
    script = Script(transcriber=ears or LengthTranscriber())
    async with running(data_dir, script, **changes) as house:
        headers = {"Authorization": f"Bearer {key or house.token}"} if house.token else {}
        async with httpx.AsyncClient(base_url=house.url, headers=headers, timeout=60) as client:
            yield Desk(client)


@in_both_houses
async def test_a_job_from_upload_to_results(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        job = await desk.leave(call(1), b"", call(2), name="夜班", formats="txt,srt", beam="2")
        assert (job["name"], job["files"]["total"], job["is_mine"]) == ("夜班", 3, True)
        told = await desk.over(job["job_id"])
        assert told["job"]["state"] == "done"
        assert told["job"]["files"] == {"total": 3, "waiting": 0, "done": 2, "failed": 1}
        assert told["job"]["done_s"] == pytest.approx(5.9 + 5.8, abs=0.1)
        first, empty, third = told["files"]
        assert (first["state"], first["name"], first["error"]) == ("done", "录音1.wav", None)
        assert (empty["state"], empty["error"]["code"]) == ("failed", "asr.file_empty")
        assert empty["error"]["message"].endswith("。")
        assert third["seconds"] == pytest.approx(5.8, abs=0.01)
        url = f"/{job['job_id']}/files/1"
        paper = await desk.ask("GET", f"{url}/result")
        (segment,) = paper["segments"]
        assert (segment["party"], segment["text"][:1]) == ("citizen", "有")
        for form, begins in {"txt": "[0:0", "srt": "1\n00:00:0", "vtt": "WEBVTT", "docx": "PK"}.items():
            content = await desk.ask("GET", f"{url}/result", params={"format": form})
            assert content.startswith(begins.encode())
        archive = zipfile.ZipFile(io.BytesIO(await desk.ask("GET", f"/{job['job_id']}/results.zip")))
        assert archive.namelist() == ["录音1.txt", "录音1.srt", "录音3.txt", "录音3.srt", "未转写.csv"]
        assert "asr.file_empty" in archive.read("未转写.csv").decode("utf-8-sig")
        only = await desk.ask("GET", f"/{job['job_id']}/results.zip", params={"format": "csv"})
        assert "录音1.csv" in zipfile.ZipFile(io.BytesIO(only)).namelist()
        listed = await desk.ask("GET", "")
        assert (listed["total"], listed["jobs"][0]["job_id"]) == (1, job["job_id"])
        assert not list((tmp_path / "jobs" / job["job_id"]).glob("results*"))


async def test_stretches_of_a_recording_can_be_heard(tmp_path: Path) -> None:
    content = call(1)
    async with opened(tmp_path) as desk:
        job_id = (await desk.leave(content))["job_id"]
        url = f"/v1/jobs/{job_id}/files/1/audio"
        whole = await desk.client.get(url)
        assert (whole.content, whole.headers["content-type"]) == (content, "audio/x-wav")
        part = await desk.client.get(url, headers={"Range": "bytes=44-1043"})
        assert (part.status_code, part.content) == (206, content[44:1044])
        assert part.headers["content-range"] == f"bytes 44-1043/{len(content)}"
        assert await desk.refused("GET", f"/{job_id}/files/9/audio", code=404) == "job.unknown_file"
        for _ in range(2):
            heard = await desk.client.get(url, params={"format": "wav"}, headers={"Range": "bytes=0-43"})
            assert (heard.status_code, heard.content) == (206, content[:44])


async def test_an_upload_is_never_given_out_as_a_page(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        files = [("files", ("x.html", b"<script>alert(1)</script>")), ("files", ("y.svg", b"<svg/>"))]
        job_id = (await desk.ask("POST", "", code=201, files=files))["job_id"]
        for number in (1, 2):
            answer = await desk.client.get(f"/v1/jobs/{job_id}/files/{number}/audio")
            assert answer.headers["content-type"] == "application/octet-stream"
            assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_line_is_put_right_beside_what_was_recognised(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        job_id = (await desk.leave(call(1)))["job_id"]
        await desk.over(job_id)
        url = f"/{job_id}/files/1"
        (before,) = (await desk.ask("GET", f"{url}/result"))["segments"]
        line = f"{url}/segments/{before['segment_id']}"
        paper = await desk.ask("PUT", line, json={"text": " 您好。 ", "author": "小王"})
        (after,) = paper["segments"]
        assert (after["text"], after["raw_text"]) == ("您好。", before["raw_text"])
        assert after["edit"]["recognised"] == before["text"]
        assert after["edit"]["author"] == "小王"
        assert b"\xe6\x82\xa8\xe5\xa5\xbd" in await desk.ask("GET", f"{url}/result?format=txt")
        assert (await desk.ask("PUT", line, json={"text": ""}))["segments"][0]["text"] == ""
        for form in ("txt", "srt", "vtt", "csv", "docx"):
            content = await desk.ask("GET", f"{url}/result", params={"format": form})
            assert before["text"].encode() not in content
        assert (await desk.ask("PUT", line, json={"text": None}))["segments"] == [before]
        assert await desk.refused("PUT", f"{url}/segments/x-1", code=404, json={"text": "a"}) == (
            "job.unknown_line"
        )


async def test_cancelled_work_is_kept_and_taken_up_again(tmp_path: Path) -> None:
    ears = LengthTranscriber()
    async with opened(tmp_path, ears) as desk:
        ears.gate.clear()
        job_id = (await desk.leave(*(call(number) for number in range(6))))["job_id"]
        await until_so(lambda: len(ears.batches) >= 2)
        told = (await desk.ask("GET", f"/{job_id}"))["job"]
        assert told["state"] == "running"
        assert told["read_s"] > 0
        asked = asyncio.ensure_future(desk.ask("POST", f"/{job_id}/cancel"))
        await desk.over(job_id)
        await asyncio.sleep(0.2)
        ears.gate.set()
        told = await asked
        assert told["state"] == "cancelled"
        assert told["files"]["waiting"] >= 1
        assert await desk.refused("POST", f"/{job_id}/cancel", code=409) == "job.conflict"
        assert (await desk.ask("POST", f"/{job_id}/retry"))["state"] in ("queued", "running")
        assert (await desk.over(job_id))["job"]["files"]["done"] == 6
        assert await desk.refused("POST", f"/{job_id}/retry", code=409) == "job.conflict"


async def until_so(is_so: Any, *, wait_s: float = 60.0) -> None:
    async with asyncio.timeout(wait_s):
        while not is_so():  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.01)


async def test_a_file_that_failed_is_tried_again(tmp_path: Path) -> None:
    is_broken = [True]
    ears = LengthTranscriber(fail=lambda clip: is_broken[0])
    async with opened(tmp_path, ears) as desk:
        job_id = (await desk.leave(call(1)))["job_id"]
        told = await desk.over(job_id)
        assert told["files"][0]["error"]["code"] == "asr.recognition_failed"
        assert await desk.refused("GET", f"/{job_id}/files/1/result", code=404) == "job.no_result"
        assert await desk.refused("GET", f"/{job_id}/results.zip", code=422) == "job.no_result"
        is_broken[0] = False
        await desk.ask("POST", f"/{job_id}/retry")
        assert (await desk.over(job_id))["job"]["files"]["done"] == 1


async def test_a_restart_goes_on_where_the_server_was(tmp_path: Path) -> None:
    ears = FaintTranscriber(faints_after=4)
    async with opened(tmp_path, ears) as desk:
        job_id = (await desk.leave(*(call(number) for number in range(16))))["job_id"]
        await until_so(lambda: len(ears.batches) >= 5)
        asyncio.get_running_loop().call_later(5.0, ears.gate.set)
    assert 5 <= len(ears.heard) < 16
    again = RememberingTranscriber()
    async with opened(tmp_path, again) as desk:
        told = await desk.over(job_id)
        assert (told["job"]["state"], told["job"]["files"]["done"]) == ("done", 16)
    heard = ears.heard + again.heard
    assert len(set(heard)) == 16
    assert len(heard) <= 16 + 4  # two batches of two were in flight


async def test_what_is_deleted_is_gone(tmp_path: Path) -> None:
    ears = LengthTranscriber()
    async with opened(tmp_path, ears) as desk:
        job_id = (await desk.leave(call(1), name="要删除的任务"))["job_id"]
        await desk.over(job_id)
        (line,) = (await desk.ask("GET", f"/{job_id}/files/1/result"))["segments"]
        url = f"/{job_id}/files/1/segments/{line['segment_id']}"
        await desk.ask("PUT", url, json={"text": "要删除的秘密"})
        await desk.ask("DELETE", f"/{job_id}", code=204)
        assert list((tmp_path / "jobs").iterdir()) == []
        assert await desk.refused("GET", f"/{job_id}", code=404) == "job.unknown"
        ears.gate.clear()
        running_id = (await desk.leave(call(2)))["job_id"]
        await until_so(lambda: len(ears.batches) == 2)
        asked = asyncio.ensure_future(desk.ask("DELETE", f"/{running_id}", code=204))
        await desk.stopped(running_id)
        await asyncio.sleep(0.2)
        ears.gate.set()
        await asked
        assert (await desk.ask("GET", ""))["total"] == 0
    kept = rows_in(database_in(tmp_path))
    assert kept
    assert not any("要删除的秘密".encode() in content for _, content in kept)


async def test_recordings_of_the_server_and_nothing_beside_them(tmp_path: Path) -> None:
    allowed, secret = tmp_path / "recordings", tmp_path / "secret.wav"
    (allowed / "8月").mkdir(parents=True)
    (allowed / "8月" / "a.wav").write_bytes(call(1))
    secret.write_bytes(call(2))
    (allowed / "link.wav").symlink_to(secret)
    (allowed / "folder").symlink_to(tmp_path, target_is_directory=True)
    async with opened(tmp_path / "data", job_folders=[allowed]) as desk:

        async def refused(*paths: str) -> str:
            return await desk.refused("POST", "", code=422, json={"paths": list(paths)})

        for path in (
            str(secret),
            "/etc/passwd",
            "recordings",
            str(allowed / "link.wav"),
            str(allowed / "folder"),
            str(allowed / "folder" / "secret.wav"),
            f"{allowed}/../secret.wav",
            f"{tmp_path}/nowhere.wav",
            "/",
        ):
            assert await refused(path) == "job.path_outside", path
        assert await refused(str(allowed / "nothing.wav")) == "job.path_missing"
        job_id = (await desk.ask("POST", "", code=201, json={"paths": [str(allowed)]}))["job_id"]
        told = await desk.over(job_id)
        states = {file["name"]: (file["state"], file["error"]) for file in told["files"]}
        assert states["8月/a.wav"] == ("done", None)
        assert states["link.wav"][1]["code"] == "job.path_outside"
        assert len(states) == 2
        heard = await desk.ask("GET", f"/{job_id}/files/1/audio")
        assert heard == call(1)
        assert await desk.refused("GET", f"/{job_id}/files/2/audio", code=404) == "job.no_audio"
        await desk.ask("POST", f"/{job_id}/retry")
        assert (await desk.over(job_id))["job"]["files"]["failed"] == 1
        await desk.ask("DELETE", f"/{job_id}", code=204)
        assert (allowed / "8月" / "a.wav").exists()
    async with opened(tmp_path / "data") as desk:
        answer = await desk.refused("POST", "", code=422, json={"paths": [str(allowed)]})
        assert answer == "job.no_folders"


async def test_a_recording_that_is_swapped_for_a_link_is_not_followed(tmp_path: Path) -> None:
    allowed, secret = tmp_path / "recordings", tmp_path / "secret.wav"
    allowed.mkdir()
    secret.write_bytes(call(2))
    ears = LengthTranscriber()
    ears.gate.clear()
    changes: dict[str, Any] = {"job_folders": [allowed], "job_max_files": 9}
    async with opened(tmp_path / "data", ears, **changes) as desk:
        # two that hold the places up
        for number in range(2):
            await desk.leave(call(number))
        await until_so(lambda: len(ears.batches) == 2)
        (allowed / "a.wav").write_bytes(call(3))
        job_id = (await desk.ask("POST", "", code=201, json={"paths": [str(allowed)]}))["job_id"]
        (allowed / "a.wav").unlink()
        (allowed / "a.wav").symlink_to(secret)
        ears.gate.set()
        told = await desk.over(job_id)
        assert told["files"][0]["error"]["code"] == "job.path_outside"
        assert await desk.refused("GET", f"/{job_id}/files/1/audio", code=404) == "job.no_audio"


async def test_limits_are_told_in_words_and_leave_nothing(tmp_path: Path) -> None:
    ears = LengthTranscriber()
    ears.gate.clear()
    limits: dict[str, Any] = {"jobs_per_user": 2, "job_max_files": 2, "job_max_mb": 1}
    async with opened(tmp_path, ears, **limits) as desk:
        large = [("files", ("a.wav", bytes(1_100_000)))]
        assert await desk.refused("POST", "", code=413, files=large) == "upload.too_large"
        many = [("files", (f"{n}.wav", b"x")) for n in range(3)]
        assert await desk.refused("POST", "", code=413, files=many) == "upload.too_many_files"
        for number in range(2):
            await desk.leave(call(number))
        two = [("files", ("a.wav", call(3)))]
        assert await desk.refused("POST", "", code=429, files=two) == "job.too_many"
        assert len(list((tmp_path / "jobs").iterdir())) == 2
        ears.gate.set()


@pytest.mark.parametrize(
    ("fields", "place"), [({"beam": "11"}, "beam"), ({"formats": "pdf"}, "formats"), ({"x": "1"}, "x")]
)
async def test_what_makes_no_sense_is_refused(tmp_path: Path, fields: dict[str, str], place: str) -> None:
    async with opened(tmp_path) as desk:
        told = await desk.leave(call(1), code=422, **fields)
        assert place in told["detail"][0]["loc"]
        assert list((tmp_path / "jobs").iterdir()) == []


async def test_a_form_without_files_and_one_that_breaks_off(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        head = {"Content-Type": "multipart/form-data; boundary=b"}
        empty = b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nx\r\n--b--\r\n'
        assert await desk.refused("POST", "", code=422, content=empty, headers=head) == "job.no_files"
        broken = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.wav"\r\n\r\nabc'
        assert await desk.refused("POST", "", code=400, content=broken, headers=head) == "upload.broken"
        assert await desk.refused("POST", "", code=415, content=b"abc") == "upload.no_form"
        told = await desk.ask(
            "POST", "", code=422, content=b"G", headers={"Content-Type": "application/json"}
        )
        assert told["detail"][0]["type"] == "json_invalid"
        much = {"paths": ["/x" * 600_000]}
        assert await desk.refused("POST", "", code=413, json=much) == "upload.too_large"
        assert list((tmp_path / "jobs").iterdir()) == []


async def test_uploads_that_a_crash_left_are_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "jobs" / "j-half").mkdir(parents=True)
    (tmp_path / "jobs" / "j-half" / "00001.wav").write_bytes(b"half")
    async with opened(tmp_path):
        assert list((tmp_path / "jobs").iterdir()) == []


async def test_who_may_what(tmp_path: Path) -> None:
    assert Scope.RECORDINGS not in SCOPES_OF_ROLE[Role.OPERATOR]
    for role in (Role.SUPERVISOR, Role.INTEGRATOR, Role.ADMIN):
        assert Scope.RECORDINGS in SCOPES_OF_ROLE[role]
    async with opened(tmp_path, token=TOKEN) as desk:

        async def token(*scopes: str) -> dict[str, str]:
            answer = await desk.client.post("/v1/tokens", json={"name": "t", "scopes": list(scopes)})
            return {"Authorization": f"Bearer {answer.json()['key']}"}

        one, other = await token("recordings"), await token("recordings")
        all_calls, none = await token("recordings", "calls:all"), await token("audio", "calls:own")
        assert await desk.refused("GET", "", code=403, headers=none) == "access.forbidden"
        files = [("files", ("a.wav", call(1)))]
        job_id = (await desk.ask("POST", "", code=201, files=files, headers=one))["job_id"]
        assert await desk.refused("GET", f"/{job_id}", code=404, headers=other) == "job.unknown"
        assert (await desk.ask("GET", "", headers=other))["total"] == 0
        assert (await desk.ask("GET", "", headers=all_calls))["total"] == 1
        assert (await desk.ask("GET", "?mine=true", headers=all_calls))["total"] == 0
        seen = (await desk.ask("GET", f"/{job_id}", headers=all_calls))["job"]
        assert (seen["is_mine"], seen["owner"]) == (False, "t")
        assert await desk.refused("DELETE", f"/{job_id}", code=403, headers=all_calls) == "job.not_yours"
        await desk.over(job_id)
        await desk.ask("DELETE", f"/{job_id}", code=204)  # an admin's token


async def test_a_job_that_broke_says_so_and_goes_on_when_it_can(tmp_path: Path) -> None:
    ears = LengthTranscriber()
    ears.gate.clear()
    async with opened(tmp_path, ears) as desk:
        for number in range(2):  # these hold both places
            await desk.leave(call(number))
        await until_so(lambda: len(ears.batches) == 2)
        job_id = (await desk.leave(call(3)))["job_id"]
        in_the_way = tmp_path / "jobs" / job_id / "book.db"
        in_the_way.mkdir()
        ears.gate.set()
        told = (await desk.over(job_id))["job"]
        assert (told["state"], told["error"]["code"]) == ("failed", "job.broken")
        assert "重试" in told["error"]["message"]
        in_the_way.rmdir()
        await desk.ask("POST", f"/{job_id}/retry")
        assert (await desk.over(job_id))["job"]["files"]["done"] == 1


def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    assert trouble_of(OSError(errno.ENOSPC, "No space left on device")) == "job.disk_full"
    full = sa.create_engine(f"sqlite:///{tmp_path}/full.db")
    with full.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 2")
        with pytest.raises(OperationalError) as raised:
            connection.exec_driver_sql("CREATE TABLE t AS SELECT zeroblob(100000) AS x")
    full.dispose()
    assert trouble_of(raised.value) == "job.disk_full"
    assert trouble_of(ValueError("x")) == "job.broken"
    assert "磁盘" in job_sentence("job.disk_full")
