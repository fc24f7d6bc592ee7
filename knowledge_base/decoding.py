"""Bytes of a text file become text.

In: bytes, in whatever encoding an office computer writes.
Out: text with plain line ends, or a sentence why not.
Not known here: what the text means.
"""

import codecs

from knowledge_base.types import UnreadableFile

_SAMPLE = 4096
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_PLAUSIBLE = 0.7
"""Share of Chinese among what is not ASCII; GB18030 gives letters to nearly any bytes."""


def decode(content: bytes) -> str:
    """Decode UTF-8 (with or without a mark), UTF-16 (with a mark, or mostly ASCII) or GB18030.

    Raises `UnreadableFile` (`kb.file_empty`, `kb.file_encoding`, `kb.file_binary`).
    """
    if not content.strip(b" \t\r\n\0\xef\xbb\xbf\xff\xfe"):
        raise UnreadableFile("文件是空的。", code="kb.file_empty")
    for encoding in _encodings(content):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "gb18030" and not _is_chinese(text):
            continue
        if "\0" in text:
            raise UnreadableFile("文件里有空字符（NUL），不是文本文件或已损坏。", code="kb.file_binary")
        return text.replace("\r\n", "\n").replace("\r", "\n")
    raise UnreadableFile("文件编码无法识别，请另存为 UTF-8 后再导入。", code="kb.file_encoding")


def _encodings(content: bytes) -> list[str]:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return [encoding]
    # ASCII in UTF-16 has a zero in every other byte, and UTF-8 has none at all.
    head = content[:_SAMPLE]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > len(head) // 16 and not even:
        return ["utf-16-le"]
    if even > len(head) // 16 and not odd:
        return ["utf-16-be"]
    return ["utf-8", "gb18030"]


def _is_chinese(text: str) -> bool:
    foreign = [c for c in text if not c.isascii()]
    chinese = sum("\u4e00" <= c <= "\u9fff" or "\u3000" <= c <= "\u303f" or c >= "\uff00" for c in foreign)
    marks = sum(c in "“”‘’…—·€" for c in foreign)
    return chinese + marks >= _PLAUSIBLE * len(foreign)
