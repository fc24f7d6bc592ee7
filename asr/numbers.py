"""Writes spoken numbers as a clerk would: 216号, 13805802316, 3%, 2026年3月5日, 9点30分.

In: text in simplified script whose numbers are in Chinese characters, in digits, or mixed.
Out: the same text with digits where a form has them. Doing it twice changes nothing more.
Not known here: models, sound, punctuation.

Words (一下, 万一, 三番五次), small counts (三个人), approximations (五六十块, 十来个) and fractions
(三分之一) keep their characters: they read better so.
"""

import re
from collections.abc import Callable
from typing import TypeAlias

_DIGIT = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"〇": 0, "幺": 1, "两": 2}
_DIGIT |= {str(value): value for value in range(10)}
_UNIT = {"十": 10, "百": 100, "千": 1_000, "万": 10_000, "亿": 100_000_000}

_SPOKEN = "零〇一二两三四五六七八九幺"
_SIGN = "0-9" + _SPOKEN
_NUMERAL = _SIGN + "十百千万亿"
_FREE = rf"(?<![{_NUMERAL}.:])"
_DONE = rf"(?![{_NUMERAL}])"

_KEPT = re.compile(
    rf"((?<![{_NUMERAL}])(?:万一|千千万万|十分(?!钟|之))|千万(?=[不别要记注小])|百分百|十全十美|十之八九|三七二十一|一五一十|三七开|九九八十一|八九不离十"
    "|一了百了|五十步笑百步"
    rf"|(?<![{_NUMERAL}])(?!百分之)[{_SPOKEN}十百千万]+分之[{_SPOKEN}十百千万]+)"
)
_PERCENT = re.compile(rf"百分之([{_NUMERAL}]+)(?:[点.]([{_SIGN}]+))?{_DONE}")
_YEAR = re.compile(rf"{_FREE}([{_SIGN}]{{4}}|[零〇][{_SPOKEN}]|[六七八九][{_SPOKEN}])(?=年)")
_MONTH = re.compile(
    rf"{_FREE}(十[一二]?|[一二三四五六七八九]|[0-9]{{1,2}})月(?!半)"
    rf"(?:(三十一?|二?十[一二三四五六七八九]?|[一二三四五六七八九]|[0-9]{{1,2}})([号日]?){_DONE}(?![个点]))?(份?)"
)
_PART_OF_DAY = "(?:凌晨|[早晚]上|早晨|[上中下]午|傍晚|夜里|半夜|今晚|明早|昨晚)"
_TIME = re.compile(
    rf"({_PART_OF_DAY})?(?<![第{_NUMERAL}.:])"
    rf"(二十[一二三四]?|十[一二三四五六七八九]?|[零〇一二两三四五六七八九]|[0-9]{{1,2}})点"
    rf"(?:(半)|([二三四五]?十[一二三四五六七八九]?|[零〇][一二三四五六七八九]|[0-5][0-9])(分(?!之|钟))?{_DONE})?"
)
_AFTER_HOUR = re.compile("[钟整前后多来]|之[前后]|以[前后]|左右|[到至]|开始|[上下]班|[开关]门")
_UNTIL = re.compile("点[钟半整]?[到至]$")
_LITTLE = re.compile("[早晚快慢多少大小好低高有轻重远近这那]$")
_DECIMAL = re.compile(rf"{_FREE}([{_NUMERAL}]+)点([{_SIGN}]{{1,4}})(?![{_NUMERAL[:-2]}分])")
_RUN = re.compile(rf"{_FREE}[{_SIGN}十][{_NUMERAL}]*")
_NEAR = re.compile("一两|一二(?=[十百千万])|两三|二三|三四|三五|四五|五六|六七|七八|八九")
_MEASURED = re.compile(
    "块|元|角|分|秒|[天周年月日岁号亩斤吨克升度层楼户人名位次遍趟辆台间套栋幢页张份条家倍寸个米平里期]|小时|公[里斤]"
    "|[厘毫]米|毫安|千瓦|工作日|多"
)
_ADDRESSED = re.compile("号(?![码称召令脉])|[幢栋]|单元|室|弄(?!堂)")
_TELEPHONE = re.compile(r"(?<![0-9])1[3-9][0-9]*(?:[，、 -]+[0-9]{2,8}){1,4}(?![0-9])")

_Writer: TypeAlias = Callable[[re.Match[str]], str]


def with_digits(text: str) -> str:
    """Write the numbers of a text in digits."""
    # What one rule writes may be what another one reads; each round leaves fewer numerals to be read.
    while (written := _written_once(text)) != text:
        text = written
    return text


def _written_once(text: str) -> str:
    parts = _KEPT.split(text)  # every second part is a word to keep
    for at in range(0, len(parts), 2):
        for rule, writer in _RULES:
            parts[at] = rule.sub(writer, parts[at])
    return _TELEPHONE.sub(_joined, "".join(parts))


def _percent(found: re.Match[str]) -> str:
    whole, part = _number(found[1]), found[2]
    if whole is None:
        return "100%" if found[1] == "百" and not part else found[0]
    return f"{whole}.{_digits(part)}%" if part else f"{whole}%"


def _year(found: re.Match[str]) -> str:
    if _NEAR.fullmatch(found[1]):
        return found[0]  # 七八年 is a while
    return _digits(found[1])


def _month(found: re.Match[str]) -> str:
    month, day = _number(found[1]), found[2] and _number(found[2])
    if month is None or not 1 <= month <= 12 or (day and day > 31):
        return found[0]
    if day:
        mark = "日" if found[3] else ""
        return f"{month}月{day}{mark}{found[4]}"
    if found[1] == "一" and not found[4]:
        return found[0]  # 一月三百 is by the month
    return f"{month}月{found[4]}"


def _time(found: re.Match[str]) -> str:
    part_of_day, hour, half, minute, mark = found.groups(default="")
    number = _number(hour)
    if number is None or number > 24:
        return found[0]
    before = found.string[: found.start()]
    after = found.string[found.end() :]
    if minute:
        if not mark and minute[0] in "零〇" and _MEASURED.match(after):
            return found[0]  # 三点零五米
        return f"{part_of_day}{number}点{_number(minute):02d}{mark}"
    if half or part_of_day:
        return f"{part_of_day}{number}点{half}" if not _LITTLE.search(before) or number > 1 else found[0]
    is_hour = bool(_AFTER_HOUR.match(after) or _UNTIL.search(before))
    is_sure = number >= 10 or (number >= 2 and is_hour) or after.startswith(("钟", "整"))
    is_decimal = bool(re.match(f"[{_SIGN}]", after))
    return f"{number}点" if is_sure and not is_decimal else found[0]


def _decimal(found: re.Match[str]) -> str:
    whole = _number(found[1])
    is_done = found[0].replace("点", "").isascii()  # a time, by now
    if whole is None or is_done or _LITTLE.search(found.string[: found.start()]):
        return found[0]
    return f"{whole}.{_digits(found[2])}"


def _run(found: re.Match[str]) -> str:
    """Write one run of digits and units, where it is one number."""
    run = found[0]
    if run.isascii():
        return run
    after = found.string[found.end() :]
    if not any(sign in _UNIT for sign in run):
        is_addressed = len(run) == 1 and run != "两" and _ADDRESSED.match(after)
        return _digits(run) if len(run) >= 3 or is_addressed else run
    if _NEAR.search(run) or (re.search(r"[十百千万亿]$", run) and after.startswith(("几", "把"))):
        return run
    before = found.string[: found.start()]
    if run[0] == "十" and (before.endswith(("几", "数")) or re.match("[几来多]", after)):
        return run
    is_ordinal = before.endswith("第")
    if (len(run) == 2 and run[0] == "十") or run == "十":
        return _written(run) if is_ordinal or _MEASURED.match(after) or _ADDRESSED.match(after) else run
    return _written(run)


def _written(run: str) -> str:
    """Write a cardinal; whole 万 and 亿 stay characters."""
    value = _number(run)
    if value is None:
        return run
    if not run.endswith(("万", "亿")):
        return str(value)
    yi, wan = divmod(value // _UNIT["万"], _UNIT["万"])
    return (f"{yi}亿" if yi else "") + (f"{wan}万" if wan else "")


def _joined(found: re.Match[str]) -> str:
    """Join the pieces of a mobile number that was dictated with pauses."""
    digits = re.sub(r"[^0-9]", "", found[0])
    return digits if len(digits) == 11 else found[0]


def _digits(run: str) -> str:
    return "".join(str(_DIGIT[sign]) for sign in run)


_BELOW_WAN = re.compile(
    rf"(?:(?P<digits>[0-9]+)|(?:(?P<k>[{_SIGN}]+)千)?(?P<z1>[零〇])?(?:(?P<h>[{_SIGN}]+)百)?(?P<z2>[零〇])?"
    rf"(?:(?P<t>[{_SIGN}]*)十)?(?P<z3>[零〇])?(?P<one>[{_SIGN}]|[0-9]{{2}})?)"
)


def _number(text: str) -> int | None:
    """Read a cardinal such as 一万二, 三百零五, 十六, 4千2 or 216; None where it is not one."""
    rest, total, last = text, 0, 1
    for unit in "亿万":
        head, found, tail = rest.partition(unit)
        if found:
            value = _section(head)
            if not value:
                return None
            total, rest, last = total + value * _UNIT[unit], tail, _UNIT[unit]
    if not rest:
        return total if last > 1 else None
    if last > 1 and len(rest) == 1 and rest in _DIGIT:
        return total + _DIGIT[rest] * last // 10  # 一万二
    value = _section(rest.lstrip("零〇") if last > 1 else rest)
    return None if value is None or value >= last > 1 else total + value


def _section(text: str) -> int | None:
    """Read a number below 万."""
    found = _BELOW_WAN.fullmatch(text)
    if not found or not text:
        return None
    if found["digits"]:
        return int(found["digits"])
    total, last = 0, 0
    for name, unit in (("k", 1_000), ("h", 100), ("t", 10)):
        head = found[name]
        if head is None:
            continue
        if name == "t" and not head:
            value = 1
        elif len(head) == 1 or head.isascii():
            value = int(_digits(head))
        else:
            return None
        total, last = total + value * unit, unit
    one = int(_digits(found["one"])) if found["one"] else 0
    if one >= (last or 10):
        return None
    has_zero = found["z3"] or found["z2"] or found["z1"]
    if 0 < one < 10 and last >= 100 and not has_zero:
        return total + one * last // 10  # 三百五 is 350
    return total + one


_RULES: tuple[tuple[re.Pattern[str], _Writer], ...] = (
    (_PERCENT, _percent),
    (_YEAR, _year),
    (_MONTH, _month),
    (_TIME, _time),
    (_DECIMAL, _decimal),
    (_RUN, _run),
)
