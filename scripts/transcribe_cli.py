"""`zhiting transcribe`: recordings become text, from one file to a year of them.

In: names of files, folders and lists. Out: results in a folder, or text on standard output; exit codes: 0 all
done, 1 could not begin, 2 misused, 3 some files have no result, 4 the disk is full, 5 all have a result but
some are not on record at the server, 130 interrupted.
Not known here: how anything is recognised.
"""

import errno
import json
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, NoReturn, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import typer
from pydantic import ValidationError
from rich.console import Console
from sqlalchemy.exc import OperationalError

from agent_ui.origins import is_loopback
from agent_ui.settings import Settings
from asr.batch.cluster.types import ClusterOptions
from asr.batch.ears import EarOptions
from asr.batch.fingerprint import wording_mark
from asr.batch.papers.formats import Format
from asr.batch.sources import Found, find_files, read_list
from asr.batch.types import Channels, ListeningOptions
from asr.footprint import limit_footprint
from asr.transcriber import WhisperOptions
from asr.types import AsrError, Party
from models.errors import WeightsError
from scripts.server_options import DEFAULT_SERVER, Server, Token, local_key
from scripts.storing import StartedFrom, Store
from scripts.transcribing import Job, Tally, transcribe_files
from scripts.weights import weights_here, weights_of
from scripts.wording import lexicon_of, words_mark

_console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
_BOOK = ".zhiting-transcripts.db"
"""The manifest, beside the results."""
_CHECKPOINTS = ".zhiting-checkpoints"
SOME_FAILED, DISK_FULL, NOT_STORED, INTERRUPTED = 3, 4, 5, 130
_MOST_TOLD = 50


def transcribe(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH]...", help="Files, folders, patterns; - reads names from stdin."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for the results; without it text goes to stdout."),
    ] = None,
    formats: Annotated[str, typer.Option("--format", help="Any of txt,srt,vtt,json,csv,docx.")] = "txt",
    names_from: Annotated[
        list[Path] | None, typer.Option("--list", help="File with a name in each line.")
    ] = None,
    channels: Annotated[str, typer.Option(help="auto, stereo (two legs) or mono (one mixed leg).")] = "auto",
    left: Annotated[Party, typer.Option(help="Whose leg the left channel is.")] = Party.CITIZEN,
    model: Annotated[str | None, typer.Option(help="Speech model; else that of the settings.")] = None,
    beam: Annotated[int, typer.Option(min=1, max=10, help="1 is fast, 5 accurate.")] = 5,
    words: Annotated[bool, typer.Option("--words", help="Tell the time of each word (json).")] = False,
    keep_fillers: Annotated[
        bool, typer.Option("--fillers/--no-fillers", help="Keep hesitations such as 嗯.")
    ] = True,
    one_by_one: Annotated[
        bool, typer.Option("--one-by-one", help="Slower: the same sound gives the same text to the letter.")
    ] = False,
    readers: Annotated[int, typer.Option(min=0, max=64, help="Processes that read; 0 chooses.")] = 0,
    workers: Annotated[int, typer.Option(min=0, max=64, help="Batches decoded at a time; 0 chooses.")] = 0,
    engine: Annotated[
        str, typer.Option(help="local: this machine; ray: a cluster (docs/cluster.md).")
    ] = "local",
    address: Annotated[
        str, typer.Option(envvar="RAY_ADDRESS", help="Of Ray's head, host:port; without it on this machine.")
    ] = "",
    checkpoints: Annotated[
        str, typer.Option(metavar="URL", help="Where a cluster keeps its results: shared; else in --out.")
    ] = "",
    cores: Annotated[
        int, typer.Option(min=0, max=1024, help="Of each worker of a cluster; 0: one worker has a machine.")
    ] = 0,
    retry_refused: Annotated[
        bool, typer.Option("--retry-refused", help="Try files again that were refused earlier.")
    ] = False,
    store: Annotated[
        bool, typer.Option("--store", help="Let the server put each transcript on record as a call.")
    ] = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
    started_from: Annotated[
        StartedFrom, typer.Option(help="Where the time of a call is known from, with --store.")
    ] = StartedFrom.NAME,
    name_pattern: Annotated[
        str | None,
        typer.Option(help="Regular expression for file names, with groups time, caller, operator."),
    ] = None,
    resend: Annotated[
        bool, typer.Option("--resend", help="With --store: send also what was sent before.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say only what failed; for cron.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON on stdout.")] = False,
) -> None:
    """Transcribe recordings; what was done before is not done again."""
    for noisy in ("httpx", "faster_whisper"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    wanted = _formats(formats)
    if channels not in get_args(Channels):
        _misused(f"--channels {channels}：只能是 auto、stereo 或 mono。")
    if engine not in ("local", "ray"):
        _misused(f"--engine {engine}：只能是 local 或 ray。")
    if engine == "ray" and not (out or checkpoints):
        _misused("--engine ray 要用 -o 或 --checkpoints 指定一个各台机器都能读写的位置。")
    found = _found(paths or [], names_from or [], but=out)
    is_to_stdout = out is None and not store
    if is_to_stdout and (len(found.files) > 1 or len(wanted) > 1 or as_json):
        _misused("多个文件、多种格式或 --json 时，请用 -o 指定存放结果的文件夹。")
    pattern = _pattern(name_pattern)
    limit_footprint()
    with _failing_politely():
        settings = Settings()
        options = EarOptions(
            folder=weights_of(settings, model or settings.speech_model),
            whisper=WhisperOptions(
                device=settings.device,
                compute_type=settings.compute_type,
                vocabulary=settings.speech_vocabulary,
                workers=1 if one_by_one else workers,
            ),
            listening=ListeningOptions(channels=channels, left=left),  # type: ignore[arg-type]  # seen above
            beam_size=beam,
            word_times=words,
            one_by_one=one_by_one,
        )
        job = Job(
            files=found.files,
            folder=out,
            book=(out or settings.data_dir / "transcripts") / _BOOK,
            formats=wanted,
            keep_fillers=keep_fillers,
            wording=wording_mark(words_mark(settings.data_dir, settings.lexicon_path)),
            readers=readers,
            retry_refused=retry_refused,
            cluster=_cluster(
                options.folder,
                model or settings.speech_model,
                address,
                checkpoints or f"{out}/{_CHECKPOINTS}",
                cores=cores or int(one_by_one),
            )
            if engine == "ray"
            else None,
            store=Store(
                server=server,
                token=token or (local_key() if is_loopback(urlsplit(server).hostname or "") else None),
                zone=ZoneInfo(settings.timezone),
                started_from=started_from,
                name_pattern=pattern,
                resend=resend,
            )
            if store
            else None,
        )
        lexicon = lexicon_of(settings.data_dir, settings.lexicon_path)
        tally = transcribe_files(
            job, options, lexicon, None if quiet or is_to_stdout else _console, tell=_console.print
        )
    _sum_up(tally, is_quiet=quiet or is_to_stdout, with_store=store)
    if as_json:
        typer.echo(json.dumps(asdict(tally) | {"x_realtime": tally.x_realtime}, ensure_ascii=False, indent=1))
    if tally.refused or found.missing:
        raise typer.Exit(SOME_FAILED)
    if tally.waiting or tally.unstored:
        raise typer.Exit(NOT_STORED)


def _cluster(folder: Path, model: str, address: str, checkpoints: str, *, cores: int) -> ClusterOptions:
    if find_spec("ray") is None:
        _misused("没有安装 Ray。请运行：pip install 'zhiting[cluster]'")
    return ClusterOptions(
        checkpoints=checkpoints,
        find_weights=partial(weights_here, folder.absolute(), model),
        address=address,
        cores=cores,
    )


def _formats(text: str) -> tuple[Format, ...]:
    try:
        return tuple(dict.fromkeys(Format(name.strip().lower()) for name in text.split(",")))
    except ValueError:
        _misused(f"--format {text}：可选 {'、'.join(Format)}，用逗号隔开。")


def _pattern(text: str | None) -> re.Pattern[str] | None:
    try:
        return re.compile(text) if text else None
    except re.error as error:
        _misused(f"--name-pattern 不是正则表达式：{error}")


def _found(paths: list[str], lists: list[Path], *, but: Path | None) -> Found:
    names: list[str] = []
    try:
        for path in paths:
            names += read_list(sys.stdin.read()) if path == "-" else [path]
        for file in lists:
            names += read_list(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        _misused(f"名单读不出来，须是 UTF-8 文本，每行一个文件名：{error}")
    found = find_files(names, but=but)
    for name in found.missing:
        _console.print(f"没有找到录音：{name}")
    if not found.files:
        _misused("没有可转写的录音。")
    return found


def _misused(sentence: str) -> NoReturn:
    _console.print(sentence)
    raise typer.Exit(2)


@contextmanager
def _failing_politely() -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        _misused(f"setting {'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}")
    except (AsrError, WeightsError) as error:
        _console.print(error.message)
        raise typer.Exit(1) from None
    except (OSError, OperationalError) as error:
        if getattr(error, "errno", None) == errno.ENOSPC or "disk is full" in str(error):
            _console.print("磁盘已满，已停止。转写好的都还在；腾出空间后再运行同样的命令，会接着做。")
            raise typer.Exit(DISK_FULL) from None
        _console.print(f"结果文件夹不能读写：{error}")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        _console.print("已停止。转写好的都还在；再运行同样的命令，会接着做。")
        raise typer.Exit(INTERRUPTED) from None


def _sum_up(tally: Tally, *, is_quiet: bool, with_store: bool) -> None:
    for trouble in tally.refused[:_MOST_TOLD]:
        _console.print(f"未转写  {trouble.name}：{trouble.message}（{trouble.code}）")
    if len(tally.refused) > _MOST_TOLD:
        _console.print(f"……另有 {len(tally.refused) - _MOST_TOLD} 个文件未转写")
    for trouble in tally.unstored[:_MOST_TOLD]:
        _console.print(f"未入库  {trouble.name}：{trouble.message}（{trouble.code}）")
    if len(tally.unstored) > _MOST_TOLD:
        _console.print(f"……另有 {len(tally.unstored) - _MOST_TOLD} 个未入库")
    if tally.waiting:
        _console.print(
            f"{tally.store_trouble}。{tally.waiting} 个转写结果还没有入库，已留在本机；"
            "排除后再运行同样的命令，会接着入库，不会重新转写。"
        )
    if is_quiet:
        return
    for trouble in tally.odd[:_MOST_TOLD]:
        _console.print(f"请留意  {trouble.name}：{trouble.message}（{trouble.code}）")
    speed = f"，{tally.x_realtime:.0f} 倍速" if tally.x_realtime else ""
    known = f"（其中 {tally.known} 个以前已转写）" if tally.known else ""
    _console.print(
        f"完成 {tally.done} 个{known}，未转写 {len(tally.refused)} 个；"
        f"录音 {tally.seconds / 60:.1f} 分钟，用时 {tally.took_s:.1f} 秒{speed}"
    )
    if with_store:
        _console.print(
            f"入库 {tally.stored} 个，早已在库 {tally.stored_before} 个，"
            f"未入库 {tally.waiting + len(tally.unstored)} 个"
        )
