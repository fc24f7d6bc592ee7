"""Looks whether this machine can run the server, and says what to do where it cannot.

In: settings, the present moment. Out: `Finding`s, one for each thing that was looked at.
Not known here: how they are shown. Nothing is changed but a file that is written and removed again.
"""

import asyncio
import os
import platform
import secrets
import shutil
import socket
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import version as package_version
from pathlib import Path

import psutil
from sqlalchemy.exc import DBAPIError

from agent_ui.settings import Settings
from asr.remote.looking import Seen
from knowledge_base.database import revisions
from knowledge_base.objects.types import ObjectsAway
from knowledge_base.postgres import LEAST_MAJOR, NoDriver, look_at
from knowledge_base.versions import VersionFolder
from models.cache import find_cached, verify
from models.errors import WeightsError
from models.manifest import shipped_manifest

SUPPORTED = ((3, 11), (3, 13))
MEMORY_BYTES = 2_500_000_000
"""The server takes 1.8 GB with 16 calls (docs/benchmarks.md), publishing some more beside it."""
NOT_BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
"""A clock that is behind the program itself is wrong."""


class Verdict(StrEnum):
    """What was found."""

    OK = "ok"
    LOOK = "look"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    name: str
    verdict: Verdict
    found: str
    advice: str = ""
    """What to do, where something is to be done."""


def examine(settings: Settings, *, now: datetime, deep: bool = False) -> Iterator[Finding]:
    """Look at one thing after the other; `deep` also hashes the weights and reads all of the database."""
    checks: tuple[Callable[[], Finding], ...] = (
        _python,
        lambda: _clock(now),
        lambda: _folder(settings),
        lambda: _disk(settings),
        _memory,
        lambda: _weights("语音模型", settings.speech_model, settings, deep),
        lambda: _weights("检索模型", settings.embedding_model, settings, deep),
        lambda: _database(settings, deep),
        lambda: _bus(settings),
        lambda: _objects(settings),
        lambda: _knowledge(settings),
        lambda: _port(settings),
        lambda: _guard(settings),
        *([lambda: _ears(settings)] if settings.ears == "ray" else []),
        lambda: _graphics(settings),
        _browser_font,
    )
    for check in checks:
        try:
            yield check()
        except OSError as error:
            yield _bad("检查", f"{error.strerror}：{error.filename or ''}", "查看该文件或文件夹的权限。")


def _python() -> Finding:
    version = platform.python_version_tuple()[:2]
    found = f"Python {platform.python_version()}，{platform.machine()}"
    lowest, highest = SUPPORTED
    if not lowest <= (int(version[0]), int(version[1])) <= highest:
        return _bad("程序环境", found, "请用 Python 3.11 至 3.13。")
    return _ok("程序环境", found)


def _clock(now: datetime) -> Finding:
    found = now.strftime("%Y-%m-%d %H:%M:%S %Z")
    if now < NOT_BEFORE:
        return _bad("时钟", found, "系统时间不对：设好时间，并打开自动对时（chrony 或 systemd-timesyncd）。")
    return _ok("时钟", found)


def _folder(settings: Settings) -> Finding:
    folder = settings.data_dir.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"1")
    except OSError as error:
        advice = f"让运行服务的用户能写这个文件夹，例如 chown -R {os.geteuid()} {folder}。"
        return _bad("数据文件夹", f"{folder} 写不进去（{error.strerror}）", advice)
    mode = folder.stat().st_mode
    if mode & (stat.S_IRWXG | stat.S_IRWXO) & (stat.S_IROTH | stat.S_IWOTH):
        return _look("数据文件夹", f"{folder} 本机其他用户也能读", f"里面有通话内容：chmod 700 {folder}。")
    return _ok("数据文件夹", str(folder))


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.data_dir).free
    least = settings.min_free_mb * 1_000_000
    found = f"空闲 {free / 1e9:.1f} GB"
    advice = f"少于 {least / 1e9:.1f} GB 就不接新通话。清理磁盘，或缩短录音保存期限（docs/record.md）。"
    if free < least:
        return _bad("磁盘", found, advice)
    return _look("磁盘", found, advice) if free < 5 * least else _ok("磁盘", found)


def _memory() -> Finding:
    memory = psutil.virtual_memory()
    found = f"共 {memory.total / 1e9:.1f} GB，空闲 {memory.available / 1e9:.1f} GB"
    if memory.total < MEMORY_BYTES:
        return _bad("内存", found, "至少要 4 GB 内存。")
    if memory.available < MEMORY_BYTES:
        return _look("内存", found, "空闲不到 2.5 GB：关掉其他程序，或加内存。服务已在运行时可不理会。")
    return _ok("内存", found)


def _weights(what: str, name: str, settings: Settings, deep: bool) -> Finding:
    if shipped_manifest().get(name) is None:
        folder = Path(name).expanduser()
        if folder.is_dir():
            return _ok(what, f"{name}（自备，不核对哈希）")
        return _look(what, f"{name} 不在清单里", "若是模型站点上的名字，首次启动时下载；否则请写文件夹。")
    folder_given = settings.models_folder / name if settings.models_folder else None
    cache = settings.data_dir / "models"
    place = folder_given if folder_given is not None else find_cached(name, cache_dir=cache)
    if place is None or not place.is_dir():
        return _bad(what, f"{name} 还没有", f"运行 zhiting models fetch {name}。")
    try:
        verify(name, place, deep=deep)
    except WeightsError as error:
        return _bad(
            what, f"{name} 不完整（{error.code}）", f"删掉 {place}，再运行 zhiting models fetch {name}。"
        )
    return _ok(what, f"{name}，{'哈希' if deep else '文件'}核对无误")


def _database(settings: Settings, deep: bool) -> Finding:
    if settings.database_url:
        return _postgres(settings)
    path = settings.data_dir / "zhiting.db"
    if not path.exists():
        return _ok("数据库", "还没有，首次启动时建立")
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
            pragma = "integrity_check" if deep else "quick_check(1)"
            state = connection.execute(f"PRAGMA {pragma}").fetchone()[0]
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        return _bad("数据库", f"打不开（{error}）", "停止服务，用最近的备份恢复 zhiting.db。")
    if state != "ok":
        return _bad("数据库", f"有损坏：{state}", "停止服务，用最近的备份恢复 zhiting.db。")
    return _version(row[0], f"{path.stat().st_size / 1e6:,.1f} MB")


def _postgres(settings: Settings) -> Finding:
    try:
        state = look_at(settings.database_url)
    except NoDriver as error:
        return _bad("数据库", "缺少驱动", str(error))
    except DBAPIError as error:
        why = (str(error.orig).strip().splitlines() or [type(error).__name__])[0]
        advice = "检查 ZHITING_DATABASE_URL、PostgreSQL 是否在运行、防火墙。"
        return _bad("数据库", f"连不上（{why}）", advice)
    found = f"PostgreSQL {state.version}，编码 {state.encoding}"
    obstacles = {
        f"至少要 PostgreSQL {LEAST_MAJOR}。": state.major < LEAST_MAJOR,
        "数据库用户不能建表：把数据库交给它（ALTER DATABASE … OWNER TO …）。": not state.may_create,
        "用 UTF8 编码重新建立数据库。": state.encoding != "UTF8",
    }
    if advice := "".join(what for what, is_so in obstacles.items() if is_so):
        return _bad("数据库", found, advice)
    if state.revision is None:
        return _ok("数据库", f"{found}，还没有表，首次启动时建立")
    return _version(state.revision, f"{found}，{state.n_bytes / 1e6:,.1f} MB")


def _version(revision: str, details: str) -> Finding:
    known = revisions()
    found = f"结构版本 {revision}，{details}"
    if revision not in known:
        return _bad("数据库", found, "数据库比程序新：请升级程序，不要用旧程序打开。")
    if revision != known[0]:
        return _look("数据库", found, f"启动时会升级到 {known[0]}：先备份。")
    return _ok("数据库", found)


def _bus(settings: Settings) -> Finding:
    if not settings.bus:
        return _ok("多进程", "没有，只有一个服务进程")
    if settings.bus == "database":
        return _ok("多进程", "经数据库互通（没有 Redis，屏幕最多晚一秒多）")
    try:
        from calls.bus.redis_streams import is_reachable
    except ImportError:
        return _bad("多进程", "没有安装 redis 程序包", "pip install 'zhiting[cluster]'。")
    trouble = asyncio.run(is_reachable(settings.bus))
    if trouble is not None:
        advice = "检查 ZHITING_BUS 的地址和密码、Redis 是否在运行。没有它通话照常，其他服务器的屏幕晚一秒多。"
        return _look("多进程", f"Redis 连接不上（{trouble}）", advice)
    return _ok("多进程", "Redis 可用")


_STORE_ADVICE = {
    "NoSuchBucket": "先在对象存储上建好这个桶，或改 ZHITING_OBJECTS。",
    "NoCredentialsError": "设置 AWS_ACCESS_KEY_ID 和 AWS_SECRET_ACCESS_KEY，或放进 ~/.aws/credentials。",
    "InvalidAccessKeyId": "密钥编号不对：检查 AWS_ACCESS_KEY_ID。",
    "SignatureDoesNotMatch": "密钥不对：检查 AWS_SECRET_ACCESS_KEY，以及两边的时钟。",
    "RequestTimeTooSkewed": "两边的时钟差得太多：打开自动对时。",
    "AccessDenied": "密钥的权限不够：要能读、写、删、列出桶里的对象（docs/deploy/several-machines.md）。",
    "403": "密钥的权限不够：要能读、写、删、列出桶里的对象（docs/deploy/several-machines.md）。",
}


def _objects(settings: Settings) -> Finding:
    """Put a small object there, read it, delete it."""
    if not settings.objects:
        return _ok("对象存储", "没有，文件都在数据文件夹里")
    name = f"probe/doctor-{secrets.token_hex(6)}"
    try:
        objects = settings.open_objects()
        assert objects is not None
        with closing(objects):
            objects.set_text(name, name)
            came = objects.text(name)
            is_listed = name in {one.name for one in objects.under("probe/")}
            objects.delete(name)
            is_gone = objects.size(name) is None
    except ObjectsAway as error:
        usual = (
            "检查 ZHITING_OBJECTS、ZHITING_S3_ENDPOINT 和网络。没有它通话照常，新发布的知识到不了各台服务器。"
        )
        return _bad("对象存储", f"用不了（{error.why}）", _STORE_ADVICE.get(error.why, usual))
    if came != name or not is_listed or not is_gone:
        return _bad("对象存储", "写、读、列出、删除的结果不一致", "换一个与 S3 兼容、读写一致的存储。")
    return _ok("对象存储", f"{settings.objects}，写、读、列出、删除都正常")


def _knowledge(settings: Settings) -> Finding:
    current = VersionFolder(settings.data_dir / "kb").current()
    if current is None:
        return _look("知识库", "还没有发布", "没有发布就不推荐知识：zhiting kb publish，或在知识页发布。")
    return _ok("知识库", f"已发布 {current}")


def _port(settings: Settings) -> Finding:
    name = f"{settings.host}:{settings.port}"
    if settings.port == 0:
        return _ok("端口", "启动时任选一个空闲的")
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        with socket.socket(family) as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind((settings.host, settings.port))
    except OSError as error:
        advice = "智听已在运行时属正常；否则换 ZHITING_PORT，或停掉占用它的程序。"
        return _look("端口", f"{name} 用不了（{error.strerror}）", advice)
    return _ok("端口", f"{name} 空闲")


def _guard(settings: Settings) -> Finding:
    if settings.open:
        return _look("访问", "不用登录即可使用（ZHITING_OPEN）", "只用于试用：正式使用请取消。")
    if not settings.is_guarded:
        advice = "设置 ZHITING_TLS_CERT 和 ZHITING_TLS_KEY，或放在 HTTPS 代理后面（docs/access.md）。"
        return _bad("访问", "语音和密码在网上不加密", advice)
    return _ok("访问", "需要登录")


def _ears(settings: Settings) -> Finding:
    """The machines that recognise."""
    from asr.remote.looking import look_around

    return judge_ears(look_around(settings.ray_address), _fingerprint(settings))


def judge_ears(seen: Seen, fingerprint: str | None) -> Finding:
    """What to think of the ears that were seen; `fingerprint` is ours, None where we have no weights."""
    if seen.trouble:
        return _bad("识别机", "连不上 Ray", seen.trouble)
    found = f"Ray {seen.ray}，{seen.machines} 台机器，{len(seen.cards)} 个识别进程"
    if not seen.cards and not seen.unanswered:
        return _bad("识别机", found, "在识别机上运行 zhiting ears（docs/cluster-ears.md）。")
    ours = (package_version("zhiting"), platform.python_version())
    for card in seen.cards:
        if fingerprint is not None and card.fingerprint != fingerprint:
            theirs = f"{card.machine}：智听 {card.zhiting}、Python {card.python}"
            what = "程序版本不同" if card.zhiting != ours[0] else "模型、程序文件或程序库不同"
            advice = f"{what}，不会使用。本机是智听 {ours[0]}、Python {ours[1]}；两边装同一版本和同一模型。"
            return _bad("识别机", f"{found}；{theirs}", advice)
    if seen.unanswered:
        return (_look if seen.cards else _bad)(
            "识别机",
            f"{found}，{seen.unanswered} 个没有回应",
            "可能正在加载模型；一直这样请看那台机器。",
        )
    calls = sum(card.calls for card in seen.cards)
    return _ok("识别机", f"{found}，约 {calls} 路通话")


def _fingerprint(settings: Settings) -> str | None:
    from asr.remote.opening import fingerprint_of
    from asr.transcriber import WhisperOptions

    name = settings.speech_model
    given = settings.models_folder / name if settings.models_folder else None
    folder = given or find_cached(name, cache_dir=settings.data_dir / "models") or Path(name).expanduser()
    if not folder.is_dir():
        return None
    return fingerprint_of(folder, WhisperOptions(vocabulary=settings.speech_vocabulary))


def _graphics(settings: Settings) -> Finding:
    import ctranslate2

    count = ctranslate2.get_cuda_device_count()
    if settings.device == "cuda" and count == 0:
        return _bad(
            "显卡", "设置为 cuda，但没有可用的显卡", "检查驱动（nvidia-smi），或设 ZHITING_DEVICE=cpu。"
        )
    return _ok("显卡", f"{count} 块可用" if count else "没有，用处理器识别")


def _browser_font() -> Finding:
    """Reports as PDF and pages on this machine need a Chinese font."""
    folders = [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".fonts"]
    wanted = ("notosanscjk", "sourcehansans", "wqy", "notosanssc", "simsun", "msyh", "pingfang")
    for folder in folders:
        with suppress(OSError):
            for file in folder.rglob("*.[ot]t[cf]"):
                if file.name.lower().replace("-", "").replace("_", "").startswith(wanted):
                    return _ok("中文字体", file.name)
    return _look("中文字体", "没有找到", "本机要看页面时安装：apt install fonts-noto-cjk。")


def _ok(name: str, found: str) -> Finding:
    return Finding(name=name, verdict=Verdict.OK, found=found)


def _look(name: str, found: str, advice: str) -> Finding:
    return Finding(name=name, verdict=Verdict.LOOK, found=found, advice=advice)


def _bad(name: str, found: str, advice: str) -> Finding:
    return Finding(name=name, verdict=Verdict.BAD, found=found, advice=advice)
