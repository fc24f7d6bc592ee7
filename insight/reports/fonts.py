"""Chinese fonts for files that bring their own: the faces, cut down to the characters of one report.

In: the characters that a report needs. Out: TrueType fonts of those alone; the path of a whole face.
Not known here: reports, PDF.

The faces are Noto Sans SC and Noto Serif SC (SIL Open Font License 1.1) out of `pylopdf-fonts-zh-cn`, which
holds those two files. Their outlines are cubic; PDF writers of Python take quadratic ones, so what is cut out
is approximated (fontTools' cu2qu) to a thousandth of the height of a character.
"""

import io
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables._g_l_y_f import Glyph

from insight.reports.types import NoFont

PACKAGE = "pylopdf-fonts-zh-cn"
_MODULE = "pylopdf_fonts_zh_cn"
_FINENESS = 0.001
_NOTDEF = ".notdef"


class Face(StrEnum):
    """The faces there are, by their files."""

    SANS = "NotoSansSC-Regular.otf"
    SERIF = "NotoSerifSC-Regular.otf"


def path_of(face: Face) -> Path:
    """Where its file lies. Raises `NoFont` with what to do."""
    found = find_spec(_MODULE)
    folders = found.submodule_search_locations if found is not None else None
    path = Path(next(iter(folders or [""]))) / face.value
    if not folders or not path.is_file():
        raise NoFont(
            f"缺少中文字体，不能生成 PDF。请管理员在服务器上安装：pip install {PACKAGE}，再重启服务。"
        )
    return path


def font_of(face: Face, characters: Iterable[str]) -> bytes:
    """A TrueType font of those characters alone; those that the face lacks are left out. Raises `NoFont`."""
    path = path_of(face)
    drawn = {sign: _drawn(path, sign) for sign in sorted(set(characters))}
    known = {sign: one for sign, one in drawn.items() if one is not None}
    names = {sign: f"u{ord(sign):04X}" for sign in known}
    metrics = {names[sign]: (advance, glyph.xMin) for sign, (glyph, advance) in known.items()}
    font = FontBuilder(_opened(path)["head"].unitsPerEm, isTTF=True)
    font.setupGlyphOrder([_NOTDEF, *names.values()])
    font.setupCharacterMap({ord(sign): name for sign, name in names.items()})
    font.setupGlyf({_NOTDEF: Glyph()} | {names[sign]: glyph for sign, (glyph, _) in known.items()})
    font.setupHorizontalMetrics({_NOTDEF: (1000, 0)} | metrics)
    font.setupHorizontalHeader(ascent=880, descent=-120)
    family = f"{face.value.partition('-')[0]} (cut)"
    font.setupNameTable({"familyName": family, "styleName": "Regular", "psName": face.value[:-4]})
    font.setupOS2(sTypoAscender=880, sTypoDescender=-120, usWinAscent=1160, usWinDescent=320)
    font.setupPost()
    written = io.BytesIO()
    font.save(written)
    return written.getvalue()


@lru_cache(maxsize=2)
def _opened(path: Path) -> TTFont:
    return TTFont(io.BytesIO(path.read_bytes()))


@lru_cache(maxsize=8192)
def _drawn(path: Path, sign: str) -> tuple[Glyph, int] | None:
    """The outline of a character and how wide it is; reports have most characters in common."""
    font = _opened(path)
    name = font.getBestCmap().get(ord(sign))
    if name is None:
        return None
    glyph = font.getGlyphSet()[name]
    pen = TTGlyphPen(None)
    glyph.draw(Cu2QuPen(pen, font["head"].unitsPerEm * _FINENESS, reverse_direction=True))
    drawn = pen.glyph()
    drawn.recalcBounds(None)
    return drawn, round(glyph.width)
