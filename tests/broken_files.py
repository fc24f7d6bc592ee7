"""Fifty files that people bring and that are not what they should be, made here.

In: nothing. Out: (name, content, code of the refusal) by what is wrong; an empty code where the rows are
read one by one and their faults are told.
"""

import io
import json
import struct
import zipfile
from collections.abc import Callable, Sequence

from docx import Document
from openpyxl import Workbook
from pypdf import PdfWriter

HEADER = ("编号", "标题", "正文")
ROWS = (HEADER, ("A1", "路灯报修", "拨打热线登记。"), ("A2", "噪声投诉", "执法人员会去现场。"))


def workbook(
    rows: Sequence[Sequence[object]] = ROWS, change: Callable[[Workbook], None] | None = None
) -> bytes:
    book = Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(list(row))
    if change is not None:
        change(book)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def word(*paragraphs: tuple[str, str]) -> bytes:
    document = Document()
    for style, text in paragraphs:
        document.add_paragraph(text, style=style)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def archive(parts: dict[str, bytes], *, lying_size: int | None = None) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    content = file.getvalue()
    if lying_size is not None:
        at = content.rindex(b"PK\x01\x02")
        content = content[: at + 24] + struct.pack("<I", lying_size) + content[at + 28 :]
    return content


def pdf(text: str | None = None, *, password: str | None = None, pages: int = 1) -> bytes:
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(width=200, height=200)
    if password is not None:
        writer.encrypt(password, algorithm="RC4-128")
    file = io.BytesIO()
    writer.write(file)
    content = file.getvalue()
    if text is not None:
        stream = f"BT /F1 12 Tf 20 100 Td ({text}) Tj ET"
        font = "<</Font<</F1 5 0 R>>>>"
        page = f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources{font}>>"
        objects = (
            "<</Type/Catalog/Pages 2 0 R>>",
            "<</Type/Pages/Kids[3 0 R]/Count 1>>",
            page,
            f"<</Length {len(stream)}>>stream\n{stream}\nendstream",
            "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        )
        lines = (f"{number} 0 obj{made}endobj\n" for number, made in enumerate(objects, 1))
        content = ("%PDF-1.4\n" + "".join(lines) + "trailer<</Root 1 0 R>>\n").encode()
    return content


def csv(rows: Sequence[Sequence[str]] = ROWS, encoding: str = "utf-8") -> bytes:
    return "".join(",".join(row) + "\r\n" for row in rows).encode(encoding)


def with_formula(book: Workbook) -> None:
    assert book.active is not None
    book.active["C2"] = '=CONCATENATE("拨打","热线")'


def with_error(book: Workbook) -> None:
    assert book.active is not None
    book.active["B3"] = "#REF!"


def with_merged_title(book: Workbook) -> None:
    assert book.active is not None
    book.active.merge_cells("A2:A3")


def inside(content: bytes, part: str, new: bytes | None) -> bytes:
    """The archive with one part replaced or taken out."""
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    if new is None:
        del parts[part]
    else:
        parts[part] = new
    return archive(parts)


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
BODY = "word/document.xml"
SHEET = "xl/worksheets/sheet1.xml"
WIDE = ((*HEADER, *(f"列{i}" for i in range(9_997))), ("A1", "题", "文"))
ENTITIES = (
    b'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(9))
    + b']><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
    b"<w:p><w:r><w:t>&j;</w:t></w:r></w:p></w:body></w:document>"
)
GOOD_WORD = word(("Heading 1", "路灯报修"), ("Normal", "拨打热线登记。"))
GOOD_BOOK = workbook()


def bomb(lying_size: int | None = None) -> bytes:
    return archive({BODY: b"0" * (200 << 20)}, lying_size=lying_size)


def content_of(what: str) -> bytes:
    content = FILES[what][1]
    return content if isinstance(content, bytes) else content()


FILES: dict[str, tuple[str, bytes | Callable[[], bytes], str]] = {
    "truncated docx": ("a.docx", GOOD_WORD[: len(GOOD_WORD) // 2], "kb.file_damaged"),
    "docx cut by one byte": ("a.docx", GOOD_WORD[:-1], "kb.file_damaged"),
    "docx with damage in the middle": (
        "a.docx",
        GOOD_WORD[:2000] + b"\xff" * 3000 + GOOD_WORD[5000:],
        "kb.file_damaged",
    ),
    "docx without its document": ("a.docx", inside(GOOD_WORD, BODY, None), "kb.file_wrong_type"),
    "docx whose document is no XML": ("a.docx", inside(GOOD_WORD, BODY, b"<w:document"), "kb.file_damaged"),
    "docx with a billion laughs": ("a.docx", inside(GOOD_WORD, BODY, ENTITIES), "kb.file_damaged"),
    "docx with a foreign entity": (
        "a.docx",
        inside(GOOD_WORD, BODY, ENTITIES.replace(b'"aaaaaaaaaa"', b'SYSTEM "file:///etc/passwd"')),
        "kb.file_damaged",
    ),
    "docx that is empty": ("a.docx", word(), "kb.file_empty"),
    "docx with nothing but a heading": ("a.docx", word(("Heading 1", "路灯报修")), ""),
    "docx without its styles": (
        "a.docx",
        inside(GOOD_WORD, "[Content_Types].xml", b"<x/>"),
        "kb.file_damaged",
    ),
    "zip bomb named docx": ("a.docx", bomb, "kb.file_too_large"),
    "zip bomb that lies about its size": ("a.docx", lambda: bomb(lying_size=1000), "kb.file_damaged"),
    "zip with ten thousand parts": (
        "a.xlsx",
        archive({f"xl/{i}.xml": b"x" for i in range(10_000)}),
        "kb.file_too_large",
    ),
    "any other zip": ("a.xlsx", archive({"readme.txt": b"hello"}), "kb.file_wrong_type"),
    "old xls": ("a.xls", OLE, "kb.file_wrong_type"),
    "old doc named docx": ("a.docx", OLE, "kb.file_wrong_type"),
    "encrypted xlsx": ("a.xlsx", OLE + "EncryptedPackage".encode("utf-16-le"), "kb.file_encrypted"),
    "xlsx named csv": ("a.csv", GOOD_BOOK, "kb.file_wrong_type"),
    "docx named xlsx": ("a.xlsx", GOOD_WORD, "kb.file_wrong_type"),
    "pdf named docx": ("a.docx", pdf("Hello"), "kb.file_wrong_type"),
    "csv named xlsx": ("a.xlsx", csv(), "kb.file_wrong_type"),
    "csv named pdf": ("a.pdf", csv(), "kb.file_wrong_type"),
    "picture": ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(64), "kb.file_wrong_type"),
    "no ending": ("知识", csv(), "kb.file_wrong_type"),
    "truncated xlsx": ("a.xlsx", GOOD_BOOK[:-200], "kb.file_damaged"),
    "xlsx whose sheet is no XML": ("a.xlsx", inside(GOOD_BOOK, SHEET, b"<worksheet><row"), "kb.file_damaged"),
    "xlsx without its sheet": ("a.xlsx", inside(GOOD_BOOK, SHEET, None), "kb.file_empty"),
    "empty xlsx": ("a.xlsx", workbook(()), "kb.file_empty"),
    "xlsx with a header alone": ("a.xlsx", workbook((HEADER,)), "kb.file_empty"),
    "xlsx without the columns": ("a.xlsx", workbook((("甲", "乙"), ("一", "二"))), "kb.file_columns"),
    "xlsx with a formula never computed": ("a.xlsx", workbook(change=with_formula), ""),
    "xlsx with a formula in error": ("a.xlsx", workbook(change=with_error), ""),
    "xlsx with merged identifiers": ("a.xlsx", workbook(change=with_merged_title), ""),
    "xlsx with ten thousand columns": ("a.xlsx", lambda: workbook(WIDE), "kb.file_too_wide"),
    "csv with ten thousand columns": ("a.csv", csv(WIDE), "kb.file_too_wide"),
    "empty csv": ("a.csv", b"", "kb.file_empty"),
    "csv of blank lines": ("a.csv", b"\r\n \r\n\r\n", "kb.file_empty"),
    "csv with a header alone": ("a.csv", csv((HEADER,)), "kb.file_empty"),
    "csv without the columns": ("a.csv", csv((("甲", "乙"), ("一", "二"))), "kb.file_columns"),
    "csv of 50 MB": ("a.csv", lambda: csv() + csv(ROWS[1:]) * 600_000, "kb.file_too_many_rows"),
    "csv beyond the limit": ("a.csv", lambda: csv() + bytes(64 << 20), "kb.file_too_large"),
    "csv with a quote that never closes": ("a.csv", csv() + '"A3,三,三\r\n'.encode(), ""),
    "csv in Shift-JIS": ("a.csv", csv((HEADER,)) + "ｱｲｳ".encode("shift-jis") * 9, "kb.file_encoding"),
    "csv in UTF-16 without its mark, cut in a letter": (
        "a.csv",
        csv(encoding="utf-16-le")[:-1],
        "kb.file_encoding",
    ),
    "csv with a zero byte": ("a.csv", csv() + b"A3,\0,x\r\n", "kb.file_binary"),
    "random bytes named csv": ("a.csv", bytes(range(128, 256)) * 40, "kb.file_encoding"),
    "json lines in one array": ("a.jsonl", json.dumps([{"title": "一", "body": "二"}]).encode(), ""),
    "json lines nested without end": ("a.jsonl", b"[" * 100_000, ""),
    "pdf of pictures alone": ("a.pdf", pdf(), "kb.file_no_text"),
    "encrypted pdf": ("a.pdf", pdf(password="geheim"), "kb.file_encrypted"),
    "truncated pdf": ("a.pdf", pdf()[:80], "kb.file_damaged"),
    "pdf of too many pages": ("a.pdf", pdf(pages=501), "kb.file_too_large"),
    "html without words": (
        "a.html",
        b"<html><script>alert(1)</script><style>p{}</style></html>",
        "kb.file_empty",
    ),
    "markdown of a heading alone": ("a.md", "# 标题\n".encode(), ""),
    "markdown with a title beyond all bounds": ("a.md", ("# " + "长" * 5_000 + "\n\n正文\n").encode(), ""),
    "text beyond what an article holds": ("a.txt", ("字" * 99 + "\n").encode() * 300, ""),
}
