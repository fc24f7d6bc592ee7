"""Why a file cannot be taken, in a sentence for the person who brought it.

In: the code of a refusal. Out: what is wrong, and what to do.
Not known here: who found out.
"""

_SENTENCES = {
    "asr.file_empty": "这个文件是空的，请重新导出后再试。",
    "asr.file_unreadable": "这个文件读不出声音：可能不是录音，或者已经损坏。"
    "请换一个文件，或另存为 WAV、MP3 后再试。",
    "asr.file_no_sound": "这个文件里没有声音，请换一个文件。",
    "asr.file_too_long": "录音太长，最多 {hours:g} 小时，请截成几段后再试。",
    "asr.file_too_costly": "读取这个文件用的时间或内存太多，已停止。请另存为 WAV、MP3 后再试。",
    "asr.file_unopened": "这个文件打不开，请检查它是否还在、是否有读取权限。",
    "asr.recognition_failed": "识别这个文件时引擎出错，请稍后重试；仍不行时请把错误代码告诉管理员。",
    "asr.worker_lost": "转写这个文件的进程几次中途停止，已放弃。请检查文件，或加 --retry-refused 再试一次。",
}


def sentence_of(code: str, *, max_s: float) -> str:
    """The sentence; `max_s` is the longest sound that is taken."""
    return _SENTENCES[code].format(hours=max_s / 3600)
