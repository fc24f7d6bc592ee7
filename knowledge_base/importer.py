"""Files that people bring, turned into articles, with every row's fault told.

In: the bytes of a file and its name.
Out: `Article`s, one sentence for each row that is not one, and which column was taken for which field.
Not known here: the store; nothing is changed by reading.
"""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePath

from knowledge_base.columns import field_of, to_article
from knowledge_base.decoding import decode
from knowledge_base.outline import to_rows
from knowledge_base.sheets import Rows, read_csv, read_json_lines, read_workbook
from knowledge_base.types import Article, BadArticle, UnreadableFile

MAX_BYTES = 64 * 1024 * 1024
"""A file beyond this is refused before it is read."""
MAX_INFLATED_BYTES = 128 * 1024 * 1024
"""What a Word or Excel file, which is a ZIP archive, may hold unpacked."""
_SAMPLE = Path(__file__).parent / "sample"
_MAX_PARTS = 5_000
_KINDS = {
    ".jsonl": "JSON Lines",
    ".csv": "CSV",
    ".xlsx": "Excel（.xlsx）",
    ".docx": "Word（.docx）",
    ".pdf": "PDF",
    ".md": "Markdown",
    ".html": "HTML",
    ".txt": "纯文本",
}
ENDINGS = tuple(_KINDS)
"""Names of files that can be read end in one of these."""
_SAME_KIND = {".htm": ".html", ".markdown": ".md", ".tsv": ".csv", ".ndjson": ".jsonl", ".text": ".txt"}
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """Why one row is not an article.

    `row` counts from 1, a header included; in a document it is the number of the block.
    """

    row: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What a file holds."""

    articles: tuple[Article, ...]
    errors: tuple[RowError, ...]
    rows: tuple[int, ...] = ()
    """The row of each article."""
    columns: tuple[tuple[str, str | None], ...] = ()
    """Every column of the file with the field that it was taken for."""


def read_articles(content: bytes, *, name: str, mapping: Mapping[str, str] | None = None) -> Import:
    """Read a file by the ending of its name, one of `ENDINGS`.

    Text may be UTF-8, UTF-16 or GB18030. `mapping` says of columns with unusual names which field they
    hold; an empty text leaves the column out.

    Raises `UnreadableFile` when nothing in it can be understood; its code says why.
    """
    if len(content) > MAX_BYTES:
        raise UnreadableFile(
            f"文件超过 {MAX_BYTES // 1024 // 1024} MB，请拆分后再导入。", code="kb.file_too_large"
        )
    ending = _ending(content, name)
    try:
        if ending == ".jsonl":
            found = read_json_lines(decode(content))
        elif ending == ".csv":
            found = read_csv(decode(content), mapping)
        elif ending == ".xlsx":
            found = read_workbook(content, mapping)
        else:
            found = _read_document(content, ending, name, mapping)
    except (UnreadableFile, MemoryError):
        raise
    except Exception as error:
        # The libraries that read office files raise whatever their parsers stumble over.
        raise UnreadableFile(f"文件已损坏，不是完整的 {_KINDS[ending]}。", code="kb.file_damaged") from error
    return _to_import(found, mapping)


def load_sample() -> tuple[Article, ...]:
    """Read the sample knowledge base of the product; raises `UnreadableFile` if it is damaged."""
    articles: list[Article] = []
    for file in sorted(_SAMPLE.glob("*.jsonl")):
        found = read_articles(file.read_bytes(), name=file.name)
        if found.errors:
            first = found.errors[0]
            raise UnreadableFile(f"样例文件 {file.name} 第 {first.row} 行：{first.message}")
        articles += found.articles
    return tuple(articles)


def sample_vectors() -> Path:
    """The file of vectors of the sample's passages, made by `zhiting kb sample-vectors`."""
    return _SAMPLE / "vectors.npz"


def _read_document(content: bytes, ending: str, name: str, mapping: Mapping[str, str] | None) -> Rows:
    # Imported here: most files are tables, and the libraries for documents take their time to load.
    from knowledge_base.documents import read_html, read_markdown, read_pdf, read_plain, read_word

    if ending == ".docx":
        blocks = read_word(content)
    elif ending == ".pdf":
        blocks = read_pdf(content)
    else:
        text = decode(content)
        blocks = {".md": read_markdown, ".html": read_html, ".txt": read_plain}[ending](text)
    return to_rows(blocks, name=PurePath(name).stem, mapping=mapping, only_items=ending == ".md")


def _to_import(found: Rows, mapping: Mapping[str, str] | None) -> Import:
    articles: dict[str, Article] = {}
    rows, errors = [], []
    for row in found.rows:
        try:
            if row.fault:
                raise BadArticle(row.fault)
            article = to_article(row.values, mapping)
            if article.article_id in articles:
                raise BadArticle(f"编号 {article.article_id} 在文件中重复出现。")
        except BadArticle as error:
            where = f"工作表“{row.sheet}”：" if row.sheet else ""
            errors.append(RowError(row=row.number, message=where + error.message))
        else:
            articles[article.article_id] = article
            rows.append(row.number)
    if not articles and not errors:
        raise UnreadableFile("文件里没有任何知识条目。", code="kb.file_empty")
    return Import(
        articles=tuple(articles.values()),
        errors=tuple(errors),
        rows=tuple(rows),
        columns=tuple((column, field_of(column, mapping)) for column in found.columns),
    )


def _ending(content: bytes, name: str) -> str:
    """The ending that says how to read the file; raises `UnreadableFile` where its content is another."""
    given = PurePath(name).suffix.lower()
    ending = _SAME_KIND.get(given, given)
    if content.startswith(_OLD_OFFICE):
        if _ENCRYPTED in content:
            raise UnreadableFile("文件有打开密码，请在 Office 中去掉密码后再导入。", code="kb.file_encrypted")
        raise UnreadableFile(
            "这是旧版 Office 文件，请另存为 .xlsx 或 .docx 后再导入。", code="kb.file_wrong_type"
        )
    if ending not in _KINDS:
        kinds = "、".join(ENDINGS)
        raise UnreadableFile(f"只能导入 {kinds} 文件。", code="kb.file_wrong_type")
    if not content:
        raise UnreadableFile("文件是空的。", code="kb.file_empty")
    actual = _actual_ending(content, ending)
    if actual != ending:
        told = f"扩展名是 {given}，内容却是 {_KINDS[actual]}" if actual else f"内容不是 {_KINDS[ending]}"
        raise UnreadableFile(f"文件{told}，请核对文件。", code="kb.file_wrong_type")
    return ending


def _actual_ending(content: bytes, ending: str) -> str:
    """What the content is by its first bytes; as named where nothing speaks against it, else empty."""
    if content.startswith(b"PK"):
        names = _parts(content)
        if "word/document.xml" in names:
            return ".docx"
        return ".xlsx" if "xl/workbook.xml" in names else ""
    if content[:1024].lstrip().startswith(b"%PDF-"):
        return ".pdf"
    return "" if ending in (".xlsx", ".docx", ".pdf") else ending


def _parts(content: bytes) -> set[str]:
    """The parts of an archive, which must not be more than a person's file holds when unpacked."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise UnreadableFile("文件不完整，打不开，请重新获取后再导入。", code="kb.file_damaged") from error
    if any(part.flag_bits & 1 for part in parts):
        raise UnreadableFile("文件有密码，请去掉密码后再导入。", code="kb.file_encrypted")
    if len(parts) > _MAX_PARTS or sum(part.file_size for part in parts) > MAX_INFLATED_BYTES:
        raise UnreadableFile(
            f"文件解压后超过 {MAX_INFLATED_BYTES // 1024 // 1024} MB，未读取。", code="kb.file_too_large"
        )
    return {part.filename for part in parts}
