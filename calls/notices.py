"""What people at the screens are told when sound is missing or late.

In: media time and length. Out: `CallDegraded` facts. Not known here: why that is so.
"""

from calls.types import CallDegraded

AUDIO_DROPPED = "asr.audio_dropped"
AUDIO_GAP = "call.audio_gap"
NO_EARS = "asr.no_ears"
SLOW_DISK = "call.slow_disk"
SOUND_AWAY = "call.sound_away"


def audio_dropped(start_s: float, seconds: float) -> CallDegraded:
    """The ears were too slow; the sound is kept and heard after the call."""
    return CallDegraded(
        code=AUDIO_DROPPED,
        seconds=seconds,
        start_s=start_s,
        message=f"识别跟不上，{seconds:.0f} 秒声音将在通话结束后补写。",
    )


def sound_away(start_s: float, seconds: float) -> CallDegraded:
    """What the ears had skipped lies with another process, or is gone: it is not heard after the call."""
    return CallDegraded(
        code=SOUND_AWAY,
        seconds=seconds,
        start_s=start_s,
        message=f"有 {seconds:.0f} 秒声音没来得及识别，又不在这台服务器上，补写不了，请向市民核对。",
    )


def no_ears() -> CallDegraded:
    """Nobody is there to recognise; the sound is kept, and heard as soon as somebody is."""
    return CallDegraded(
        code=NO_EARS,
        seconds=0.0,
        message="识别机都连不上，文字会晚到。声音在照常保存，恢复后会补写。",
    )


def slow_disk(at_s: float, seconds: float) -> CallDegraded:
    """The disk keeps sound waiting for so long already; it is heard as soon as it is there."""
    return CallDegraded(
        code=SLOW_DISK,
        seconds=seconds,
        start_s=at_s,
        message="磁盘写入太慢，文字会晚到。声音正在排队保存，不会丢；请管理员检查磁盘。",
    )


def audio_gap(start_s: float, seconds: float) -> CallDegraded:
    """The line was away, and what was said meanwhile never came."""
    return CallDegraded(
        code=AUDIO_GAP,
        seconds=seconds,
        start_s=start_s,
        message=f"线路中断，约 {seconds:.0f} 秒没有声音。",
    )
