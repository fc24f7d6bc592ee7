"""Makes what a model wrote readable Chinese.

In: the raw text of one utterance, and whether it is final.
Out: simplified script, full-width punctuation where the context is Chinese, numbers in digits, a sentence
end on finals, and without the speaker's hesitations where these are not wanted.
Not known here: models, sound, calls. Every step is a pure function from text to text.
"""

import re

from opencc import OpenCC

from asr.numbers import with_digits

_HAN = "\u3400-\u4dbf\u4e00-\u9fff〇"
_MARKS = "，。？！；：、…"
_WIDE = {",": "，", "?": "？", "!": "！", ";": "；", ":": "：", "､": "、", "｡": "。"}
_ALL_MARKS = _MARKS + "." + "".join(_WIDE)
_STRENGTH = {mark: rank for rank, mark in enumerate("…、，：；。！？")}

_TO_SIMPLIFIED = OpenCC("t2s")
_LEFT_OVER = str.maketrans({"妳": "你", "馀": "余", "祇": "只", "衹": "只"})
_LEFT_OVER_WORDS = (("甚么", "什么"), ("计画", "计划"))
# 著 is an old form of 着 except in words like 著名, 著作, 显著
_PARTICLE_ZHE = re.compile("(?<![显卓昭名原编论专合遗土巨拙新译])著(?![名作书者述录称])")

_HALF_MARK = re.compile(r"[,?!;:､｡]|\.+")
_SPACED_MARK = re.compile(rf"\s*([{_MARKS}])\s*")
_PAUSE = re.compile(rf"(?<=[{_HAN}\d][{_HAN}])\s+(?=[{_HAN}][{_HAN}\d])")
_SPACE_IN_CHINESE = re.compile(rf"(?<=[{_HAN}])\s+(?=[{_HAN}])")
_SPACE_IN_NUMBER = re.compile(r"(?<=\d) +(?=\d)")
_SEVERAL_MARKS = re.compile(rf"[{_MARKS}]{{2,}}")

_FILLER = re.compile(
    rf"(?:(?<=^)|(?<=[{_MARKS}]))(?:(?:嗯|呃|额|唔|哦|噢)+|那个|这个|就是说?)[，、…]"
    rf"|[，、](?:嗯|呃|额|唔)+(?=[。？！]|$)|^(?:嗯|呃|额|唔)+[。？！]?$"
)

_QUESTION = re.compile(
    r"(?:吗|呢|(?<![那这要多])么|是不是|对不对|行不行|可不可以|能不能|有没有|好不好"
    r"|怎么办|怎么样|怎么走|多少|多少钱|多久|为什么|哪里|哪儿|哪个|几点|谁)$"
)


def readable(raw: str, *, is_final: bool, keep_fillers: bool = True) -> str:
    """Make the text of one utterance readable; empty stays empty."""
    text = with_digits(punctuated(simplified(without_half_characters(raw))))
    if is_final:
        text = with_sentence_end(text)
    return text if keep_fillers else without_fillers(text)


def without_half_characters(text: str) -> str:
    """Drop what a decoder leaves of a character that it did not finish, and control characters."""
    return "".join(character for character in text if character != "\ufffd" and character >= " ").strip()


def simplified(text: str) -> str:
    """Bring traditional script to simplified, 著 by its meaning."""
    text = _TO_SIMPLIFIED.convert(text).translate(_LEFT_OVER)
    for old, new in _LEFT_OVER_WORDS:
        text = text.replace(old, new)
    return _PARTICLE_ZHE.sub("着", text)


def punctuated(text: str) -> str:
    """Write punctuation full width beside Chinese, close up Chinese characters, keep one mark of several.

    A space between two clauses is a pause that the model heard and becomes a comma. Numbers (3.5, 10:30,
    1,200) and English stay as they are.
    """
    text = _HALF_MARK.sub(_widened, text)
    text = _SPACED_MARK.sub(r"\1", text)
    text = _PAUSE.sub("，", text)
    text = _SPACE_IN_CHINESE.sub("", text)
    text = _SPACE_IN_NUMBER.sub("", text)
    text = _SEVERAL_MARKS.sub(lambda marks: max(marks[0], key=_STRENGTH.__getitem__), text)
    return text.lstrip(_ALL_MARKS + " ")


def without_fillers(text: str) -> str:
    """Drop hesitations (嗯, 呃, a lone 那个) that stand between marks, together with one of the marks."""
    while (less := _FILLER.sub("", text)) != text:
        text = less
    return text


def with_sentence_end(text: str) -> str:
    """End a Chinese utterance with 。 or, where it ends as a question does, with ？."""
    bare = text.rstrip("，、；：… ,;:")
    if not bare or bare[-1] in "。？！.?!" or not re.search(f"[{_HAN}]", bare):
        return bare
    return bare + ("？" if _QUESTION.search(bare) else "。")


def _widened(mark: re.Match[str]) -> str:
    """Choose the width of one mark by the characters on either side of it."""
    around = _ALL_MARKS + " "
    before = mark.string[: mark.start()].rstrip(around)[-1:]
    after = mark.string[mark.end() :].lstrip(around)[:1]
    is_han = re.compile(f"[{_HAN}]").match
    if mark[0].startswith("."):
        return mark[0] if not is_han(before) else "。" if len(mark[0]) == 1 else "…"
    is_chinese = is_han(before) or (is_han(after) and not re.match(r"[A-Za-z]", before))
    return _WIDE[mark[0]] if is_chinese else mark[0]
