"""Makes rows for an admin out of figures: what is well, what to look at, and what to do.

In: `Figures`. Out: sections of rows, each with a level and, where something is to be done, a sentence.
Not known here: how anything is measured, HTTP, how a page shows a row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, TypeAlias

from agent_ui.figures import (
    CallFigures,
    DiskFigures,
    EarFigures,
    Figures,
    MachineFigures,
    SearchFigures,
    ServerFigures,
    WeightFigures,
    WordFigures,
)
from asr.remote.types import RemoteFigures
from calls.journal import JournalStats

Value: TypeAlias = str | int | float | bool | None
Unit: TypeAlias = Literal["", "s", "bytes", "share", "count", "time"]

BUSY_CALLS = 0.9
"""Share of the calls that may run from which on it is worth a look."""
BUSY_LOAD = 0.9
BUSY_EARS = 0.7
"""From here on text under way comes more seldom (`PoolOptions.full_load`)."""
LITTLE_MEMORY = 0.1
NO_MEMORY = 0.03
LITTLE_DISK = 5
"""Times the space below which no call is taken."""
LITTLE_DISK_SHARE = 0.05
RECENT = timedelta(minutes=10)


class Level(StrEnum):
    """Whether something is to be done."""

    OK = "ok"
    LOOK = "look"
    """Not at once."""
    BAD = "bad"
    """Now: calls are or will soon be the worse for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure."""

    name: str
    value: Value
    unit: Unit = ""
    limit: float | None = None
    level: Level = Level.OK
    note: str | None = None
    """What to do, for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Figures of one thing."""

    name: str
    rows: tuple[Row, ...]

    @property
    def level(self) -> Level:
        """That of the worst row."""
        return worst([row.level for row in self.rows])


def worst(levels: Sequence[Level]) -> Level:
    """The most pressing of them."""
    return max(levels, key=list(Level).index, default=Level.OK)


def sections(figures: Figures) -> tuple[Section, ...]:
    """Everything, in the order in which it is shown."""
    now = figures.at
    return (
        Section(name="server", rows=_server(figures.server, now)),
        Section(name="machine", rows=_machine(figures.machine)),
        Section(name="disk", rows=_disk(figures.disk, figures.calls.min_free_bytes)),
        Section(name="calls", rows=_calls(figures.calls)),
        Section(name="ears", rows=_ears(figures.ears)),
        *([Section(name="remote", rows=_remote(figures.ears.remote))] if figures.ears.remote else []),
        Section(name="search", rows=_search(figures.search)),
        Section(name="journal", rows=_journal(figures.journal, now)),
        Section(name="words", rows=_words(figures.words)),
        Section(name="weights", rows=tuple(_weights(one) for one in figures.weights)),
    )


def _row(
    name: str,
    value: Value,
    unit: Unit = "",
    *,
    limit: float | None = None,
    bad: tuple[bool, str] = (False, ""),
    look: tuple[bool, str] = (False, ""),
) -> Row:
    """A row that is bad or worth a look where the condition holds, and then says why."""
    for level, (holds, note) in ((Level.BAD, bad), (Level.LOOK, look)):
        if holds:
            return Row(name=name, value=value, unit=unit, limit=limit, level=level, note=note)
    return Row(name=name, value=value, unit=unit, limit=limit)


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _server(server: ServerFigures, now: datetime) -> tuple[Row, ...]:
    guarded = "本机以外的通话和密码没有加密传输，请配置 HTTPS 证书（说明见 docs/access.md）。"
    opened = "现在不用登录就能使用全部功能，只适合试用；正式使用前请去掉设置 ZHITING_OPEN。"
    unreadable = "设置文件有读不懂的内容，相应的设置用的是默认值。请重新设置并保存。"
    return (
        _row("version", server.version),
        _row("started_at", _moment(server.started_at), "time"),
        _row("uptime", round((now - server.started_at).total_seconds()), "s"),
        _row("address", server.address),
        _row("is_guarded", server.is_guarded, look=(not server.is_guarded, guarded)),
        _row("is_open", server.is_open, look=(server.is_open, opened)),
        _row(
            "settings_file",
            server.is_settings_file_readable,
            bad=(not server.is_settings_file_readable, unreadable),
        ),
        _row("python", server.python),
    )


def _machine(machine: MachineFigures) -> tuple[Row, ...]:
    share = machine.memory_free / machine.memory_total if machine.memory_total else 0.0
    return (
        _row("cores", machine.cores, "count"),
        _row(
            "load",
            round(machine.load, 3),
            "share",
            look=(
                machine.load >= BUSY_LOAD,
                "处理器很忙，文字可能出得慢。如果经常这样，请减少同时通话的上限。",
            ),
        ),
        _row("memory_total", machine.memory_total, "bytes"),
        _row(
            "memory_free",
            machine.memory_free,
            "bytes",
            bad=(share < NO_MEMORY, "内存快用完了，请关闭这台机器上的其他程序，或增加内存。"),
            look=(share < LITTLE_MEMORY, "可用内存不多了，请留意这台机器上的其他程序。"),
        ),
        _row("process_memory", machine.process_memory, "bytes"),
    )


def _disk(disk: DiskFigures, min_free_bytes: int) -> tuple[Row, ...]:
    is_little = disk.free < max(LITTLE_DISK * min_free_bytes, LITTLE_DISK_SHARE * disk.total)
    return (
        _row(
            "free",
            disk.free,
            "bytes",
            limit=min_free_bytes,
            bad=(
                disk.free < min_free_bytes,
                "磁盘空间不足，已不接收新通话。请马上清理磁盘，或换更大的磁盘。",
            ),
            look=(is_little, "磁盘剩余空间不多了，请尽快清理磁盘，或换更大的磁盘。"),
        ),
        _row("total", disk.total, "bytes"),
        _row("audio", disk.audio, "bytes"),
        _row("kb", disk.kb, "bytes"),
        _row("models", disk.models, "bytes"),
        _row("database", disk.database, "bytes"),
    )


def _calls(calls: CallFigures) -> tuple[Row, ...]:
    is_busy = calls.running >= BUSY_CALLS * calls.max_calls
    return (
        _row(
            "running",
            calls.running,
            "count",
            limit=calls.max_calls,
            look=(is_busy, "同时通话快到或已到上限，到上限后不接收新通话。"),
        ),
        _row("refusal", calls.refusal, bad=(calls.refusal is not None, "现在不接收新通话，原因如上。")),
        _row("screens", calls.screens, "count"),
    )


def _ears(ears: EarFigures) -> tuple[Row, ...]:
    stats = ears.stats
    late = "文字来不及识别，暂不接收新通话。请减少同时通话的上限，或换更快的机器。"
    slow = "文字出得有些慢。如果经常这样，请减少同时通话的上限。"
    busy = "识别比较忙，说话途中的文字会出得少一些。如果经常这样，请减少同时通话的上限。"
    failed = "启动以来有句子识别失败，原因见服务日志。"
    return (
        _row("engine", ears.engine),
        _row("model", ears.model),
        _row("device", ears.device),
        _row("compute_type", ears.compute_type),
        _row("workers", ears.workers, "count"),
        _row("load", round(stats.load, 3), "share", look=(stats.load > BUSY_EARS, busy)),
        _row("queued_finals", stats.queued_finals, "count"),
        _row(
            "oldest_final",
            round(stats.oldest_final_s, 2),
            "s",
            limit=ears.refuse_lag_s,
            bad=(stats.oldest_final_s > ears.refuse_lag_s, late),
            look=(stats.oldest_final_s > ears.refuse_lag_s / 2, slow),
        ),
        _row("queued_partials", stats.queued_partials, "count"),
        _row("rejected", stats.rejected, "count"),
        _row("failed", stats.failed, "count", look=(stats.failed > 0, failed)),
        _row("decoded", round(stats.decoded_s, 1), "s"),
    )


def _remote(remote: RemoteFigures) -> tuple[Row, ...]:
    """The machines that recognise for this server, a row for each process on them."""
    unlinked = f"{remote.trouble or '正在连接 Ray。'}"
    nobody = "没有识别机可用，文字会晚到，不接新电话。请在识别机上运行 zhiting ears，并检查网络和 Ray。"
    standing_in = "没有识别机可用，现在由本机识别，能接的电话少一些。请检查识别机和 Ray。"
    is_deaf = remote.ready == 0
    rows = [
        _row("linked", remote.is_linked, bad=(not remote.is_linked, unlinked)),
        _row(
            "ready",
            remote.ready,
            "count",
            bad=(is_deaf and not remote.is_standing_in, nobody),
            look=(is_deaf, standing_in),
        ),
        _row("calls", remote.calls, "count"),
        _row("lost", remote.lost, "count"),
        _row("redone", remote.redone, "count"),
    ]
    other = (
        "模型、程序或程序库的版本与本机不同，没有使用。请在那台机器上装同一版本，再重新启动 zhiting ears。"
    )
    silent = "没有回应，暂时不给它新的声音；它手上的已交给别的识别机。请检查那台机器和网络。"
    for label, ear in remote.by_label().items():
        what = f"{ear.device} ×{ear.workers}，忙 {ear.busy:.0%}，{ear.batches} 批"
        rows.append(
            _row(
                label,
                what,
                bad=(ear.state == "other_weights", other),
                look=(ear.state == "silent", silent),
            )
        )
    return tuple(rows)


def _search(search: SearchFigures) -> tuple[Row, ...]:
    served = search.served
    version = served.version if served else None
    is_refused = search.published not in (None, version)
    rows = (
        _row(
            "kb_version",
            version,
            bad=(served is None, "还没有可用的知识库，通话时不会有推荐。请在知识库页面发布。"),
            look=(is_refused, f"已发布的版本 {search.published} 还没有启用。几分钟后仍这样，请看服务日志。"),
        ),
        _row("published_at", _moment(served.published_at) if served else None, "time"),
        _row("articles", served.articles if served else 0, "count"),
        _row("passages", served.passages if served else 0, "count"),
        _row("model", search.model),
    )
    return (*rows, _row("reranker", search.reranker)) if search.reranker else rows


def _journal(journal: JournalStats, now: datetime) -> tuple[Row, ...]:
    last = journal.last_failed_at
    is_recent = last is not None and now - last < RECENT
    full = "记录来不及写入磁盘，通话会变慢。请检查磁盘是否正常。"
    failing = "刚才有记录写不进磁盘，相关通话可能缺少内容。请马上检查磁盘空间和权限。"
    failed = "启动以来有过记录写不进磁盘的情况，请检查磁盘。"
    return (
        _row(
            "waiting",
            journal.waiting,
            "count",
            limit=journal.limit,
            bad=(journal.waiting >= journal.limit, full),
            look=(journal.waiting >= journal.limit / 2, full),
        ),
        _row(
            "failed",
            journal.failed,
            "count",
            bad=(is_recent, failing),
            look=(journal.failed > 0, failed),
        ),
        _row("last_failed_at", _moment(last), "time"),
    )


def _words(words: WordFigures) -> tuple[Row, ...]:
    note = f"{words.problem}现在用的是上一次能读的词表，请改好或重新导入。"
    return (
        _row("own", words.own, "count"),
        _row("shipped", words.shipped, "count"),
        _row("in_use", words.in_use, "count"),
        _row("file", str(words.file), bad=(words.problem is not None, note)),
    )


def _weights(weights: WeightFigures) -> Row:
    if weights.digest is None:
        note = "这个模型不在清单里，没有校验；请确认文件来源可靠。"
        return Row(name=weights.name, value=str(weights.folder), level=Level.LOOK, note=note)
    kind = "清单校验" if weights.is_pinned else "下载时记录"
    return Row(name=weights.name, value=f"{weights.folder}（{kind} {weights.digest[:12]}）")
