"""`zhiting transcribe` as people and cron start it: real weights, broken files, killed in the middle."""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.batch_files import break_files, speech, wav
from tests.house import running
from tests.real_server import free_port
from tests.test_asr_whisper import ROOT

pytestmark = [pytest.mark.weights, pytest.mark.process]
BOOK = ".zhiting-transcripts.db"


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "scripts.cli", "transcribe", *map(str, arguments)]


def environment() -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ZHITING_")}
    return inherited | {"ZHITING_DATA_DIR": str(ROOT / "var"), "ZHITING_ALLOW_HUB": "false"}


def run(*arguments: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        cwd=ROOT,
        env=environment(),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def recordings(folder: Path, count: int) -> None:
    for number in range(count):
        (folder / f"call-{number}.wav").write_bytes(wav(speech(number * 0.4, 12.4)))


def pieces_on_record(out: Path) -> int:
    """How many utterances of unfinished files a run has put on record."""
    try:
        with sqlite3.connect(f"file:{out / BOOK}?mode=ro", uri=True) as book:
            count: int = book.execute("select count(*) from pieces").fetchone()[0]
            return count
    except sqlite3.OperationalError:  # not made yet
        return 0


def test_broken_files_are_explained_and_the_others_transcribed(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    codes = break_files(source, long_s=600)
    recordings(source, 2)
    first = run(source, "-o", out, "--format", "txt,json", "--json")
    assert first.returncode == 3, first.stderr
    told: dict[str, Any] = json.loads(first.stdout)
    assert (told["files"], told["done"], told["known"]) == (12, 6, 0)
    said = {one["name"]: one["code"] for one in told["refused"] + told["odd"]}
    assert said == codes
    for name, code in codes.items():
        assert f"{name}：" in first.stderr, name
        assert code in first.stderr, name
    assert "出租车" in (out / "call-0.txt").read_text(encoding="utf-8")
    assert "没有听到有人说话" in (out / "silence.txt").read_text(encoding="utf-8")
    (out / "call-1.txt").unlink()
    again = json.loads(run(source, "-o", out, "--format", "txt,json", "--json").stdout)
    assert (again["known"], again["decoded_s"], len(again["refused"])) == (6, 0.0, 6)
    assert (out / "call-1.txt").is_file()


def test_one_file_goes_to_standard_output_and_misuse_is_said(tmp_path: Path) -> None:
    recordings(tmp_path, 1)
    one = run(tmp_path / "call-0.wav", "--format", "srt", "--beam", "1")
    assert one.returncode == 0, one.stderr
    assert one.stdout.startswith("1\n00:00:0")
    missing = run("-", "-o", tmp_path / "out", stdin=f"{tmp_path}/none.wav\n")
    assert (missing.returncode, "没有可转写的录音" in missing.stderr) == (2, True)
    wrong = run(tmp_path, "--format", "pdf")
    assert (wrong.returncode, "可选 txt、srt" in wrong.stderr) == (2, True)


def test_telling_speakers_apart_without_its_weights_says_what_to_do(tmp_path: Path) -> None:
    recordings(tmp_path, 1)
    missing = subprocess.run(
        command(tmp_path / "call-0.wav", "--turns"),
        cwd=ROOT,
        env=environment() | {"ZHITING_MODELS_FOLDER": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "--turns 要用到声音模型 voices，用不了：" in missing.stderr
    assert "Traceback" not in missing.stderr


def test_killed_at_any_moment_it_goes_on_and_ends_as_if_undisturbed(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    recordings(source, 5)
    calm, disturbed = tmp_path / "calm", tmp_path / "disturbed"
    options = ("--format", "json", "--one-by-one", "--json")
    assert run(source, "-o", calm, *options).returncode == 0
    killed = 0
    for kept in (1, 2, 3):
        child = subprocess.Popen(
            command(source, "-o", disturbed, *options),
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until = time.monotonic() + 60
        while child.poll() is None and pieces_on_record(disturbed) < kept and time.monotonic() < until:
            time.sleep(0.002)
        if child.poll() is None:  # on a busy machine a file may be whole before anybody looks
            os.killpg(child.pid, signal.SIGKILL)
            killed += 1
        child.wait()
    assert killed
    on_record = pieces_on_record(disturbed)
    last = run(source, "-o", disturbed, *options)
    assert last.returncode == 0, last.stderr
    assert json.loads(last.stdout)["remembered"] == on_record
    for file in calm.glob("*.json"):
        assert (disturbed / file.name).read_bytes() == file.read_bytes(), file.name
    assert {file.name for file in disturbed.iterdir()} >= {file.name for file in calm.glob("*.json")}


async def test_transcripts_are_stored_as_calls_now_or_when_the_server_is_back(tmp_path: Path) -> None:
    source, port = tmp_path / "in", free_port()
    source.mkdir()
    (source / "139_007_20250304090000.wav").write_bytes(wav(speech(0.0, 12.4)))
    (source / "call-1.wav").write_bytes(wav(speech(0.4, 12.4)))
    options: list[str | Path] = [source, "--store", "--server", f"http://127.0.0.1:{port}", "--beam", "1"]
    options += ["-o", tmp_path / "out", "--name-pattern", r"(?P<caller>\d+)_(?P<operator>\d+)_"]
    away = await asyncio.to_thread(run, *options)
    assert (away.returncode, "连不上" in away.stderr) == (5, True), away.stderr
    assert "1 个转写结果还没有入库" in away.stderr
    assert "未入库  call-1.wav" in away.stderr
    assert "store.no_time" in away.stderr
    assert (tmp_path / "out" / "call-1.txt").is_file()
    async with running(tmp_path / "house", on_port=port) as house:
        back = await asyncio.to_thread(run, *options, "--json")
        told = json.loads(back.stdout)
        assert (back.returncode, told["stored"], told["decoded_s"]) == (5, 1, 0.0), back.stderr
        by_date = await asyncio.to_thread(run, *options, "--started-from", "mtime")
        assert (by_date.returncode, "入库 1 个，早已在库 1 个，未入库 0 个" in by_date.stderr) == (0, True)
        async with httpx.AsyncClient(timeout=60) as client:
            calls = (await client.get(f"{house.url}/v1/calls")).json()["calls"]
        assert {(call["caller"], call["operator_id"]) for call in calls} == {("139", "007"), (None, None)}
        assert {call["end_reason"] for call in calls} == {"recorded"}
