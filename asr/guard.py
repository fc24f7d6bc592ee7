"""Tells what was heard from what a decoder makes up: loops and the credits of its training films.

In: a text that a transcriber wrote, how sure it was, and how long the sound was.
Out: yes or no, or the text without its invented part.
Not known here: models, sound, calls.
"""

import re
import zlib

from asr.types import Hypothesis, Utterance

MAX_COMPRESSION = 2.4
"""Text that zlib shrinks further than this repeats itself (the threshold of the Whisper paper, 4.5)."""
_COMPRESSIBLE_BYTES = 60  # below this the ratio says nothing
_MAX_CHARACTERS_PER_S = 12.0  # the fastest speakers of Mandarin reach about 8
_SPARE_CHARACTERS = 12
_MAX_LETTERS_PER_VOICED_S = 14.0  # pauses left out, the fastest of our speakers reached 11
_SPARE_LETTERS = 2
_SHORT_S = 0.5  # of speech
_NO_SPEECH_SHORT = 0.6
_NO_SPEECH = 0.85
_UNCLEAR_LOGPROB = -0.6  # on calls: error rate 0.45 below it, 0.2 above
_REPEATED = re.compile(r"(.)\1{9,}|(.{2,3}?)\2{5,}|(.{4,30}?)\3{2,}")
"""One character ten times, two or three six times, a clause three times: all without a break."""
_REPEATED_ALONE = re.compile(r"(?:^|\s)(\S{1,3})(?:\s+\1){5,}(?=\s|$)")
"""The same one to three characters six times, each by itself between two times of the model."""
_NOISE = re.compile(r"[\s\W_]+")
_CLAUSE = re.compile(r"[^，,。.！!？?；;、\s]+[，,。.！!？?；;、\s]*")

_CREDIT = re.compile(
    r"amara\.?org|明[鏡镜](?:与|與|和|火|[电電])|[点點]{2}[栏欄]目|不吝[点點][赞贊讚]|打[赏賞]支持"
    r"|[订訂][阅閱](?:我们?的|我們的|本|明[鏡镜])?[频頻]道|[订訂][阅閱][转轉][发發]|[点點][赞贊讚][订訂][阅閱]"
    r"|[请請](?:按|点|點|您)?[订訂][阅閱]|字幕(?:志[愿願]者|[组組]|社群|由(?![于於])|by|[制製]作)"
    r"|(?:[谢謝]{2}|感[谢謝])(?:大家|您的?|各位)?(?:[观觀]看|收看|收[听聽])"
    r"|(?:[词詞]曲?|曲|志[愿願]者)李宗盛|索[兰蘭][娅婭]|[独獨]播[剧劇][场場]"
    r"|yoyotelevision|mingpao|thank(?:s|you)forwatching",
    re.IGNORECASE,
)
_NAMES_FOLLOW = re.compile(r"字幕(?:志[愿願]者|[组組]|社群|由(?![于於])|by|[制製]作)")


def is_loop(text: str, seconds: float) -> bool:
    """Say whether the text repeats itself, or holds more characters than anybody speaks in that time."""
    bare = _NOISE.sub("", text)
    if len(bare) > _SPARE_CHARACTERS + _MAX_CHARACTERS_PER_S * seconds:
        return True
    packed = bare.encode()
    if len(packed) >= _COMPRESSIBLE_BYTES and len(packed) / len(zlib.compress(packed)) > MAX_COMPRESSION:
        return True
    return bool(_REPEATED.search(bare) or _REPEATED_ALONE.search(text))


def is_invented(hypothesis: Hypothesis, utterance: Utterance) -> bool:
    """Say whether so little was spoken that the text cannot have come from it."""
    bare = _NOISE.sub("", hypothesis.text)
    if len(bare) > _SPARE_LETTERS + _MAX_LETTERS_PER_VOICED_S * utterance.voiced_s:
        return True
    is_short = utterance.voiced_s < _SHORT_S
    return hypothesis.no_speech_prob > (_NO_SPEECH_SHORT if is_short else _NO_SPEECH)


def is_unclear(hypothesis: Hypothesis) -> bool:
    """Say whether the text is likely to be wrong in nearly every second character."""
    return bool(hypothesis.text) and hypothesis.avg_logprob < _UNCLEAR_LOGPROB


def without_credits(text: str) -> str:
    """Leave out the clauses that thank for watching, ask to subscribe or name who made the subtitles."""
    if not _is_credit(text):
        return text
    kept: list[str] = []
    for clause in _CLAUSE.findall(text):
        if _NAMES_FOLLOW.search(clause):
            break
        if not _is_credit(clause):
            kept.append(clause)
    left = "".join(kept).strip()
    # a credit may be spread over clauses that look innocent one by one
    return "" if _is_credit(left) else left


def _is_credit(text: str) -> bool:
    return bool(_CREDIT.search(_NOISE.sub("", text)))
