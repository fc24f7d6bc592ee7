"""Documents that people write become blocks of text: Markdown, HTML, Word, PDF, plain text.

In: the text or the bytes of a document.
Out: `Block`s in reading order.
Not known here: what a section means, how articles are cut.
"""

import io
import re
from collections.abc import Iterator

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString
from docx import Document
from docx.table import Table
from docx.text.paragraph import Paragraph
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from pypdf import PdfReader
from pypdf.errors import DependencyError, PyPdfError

from knowledge_base.outline import BLANK_LINE, Block
from knowledge_base.types import UnreadableFile

MAX_PAGES = 500
_ENDS = "。！？；：!?;:”）)"
_HEADING_STYLE = re.compile(r"(?:heading|标题)\s*(\d)", re.IGNORECASE)
_BLOCK_TAGS = [
    *("p", "div", "section", "article", "blockquote", "pre", "header", "main", "body"),
    *("ul", "ol", "li", "dl", "dt", "dd"),
]
_UNSEEN_TAGS = ["script", "style", "noscript", "template", "nav", "footer", "head", "svg", "form", "button"]


def read_markdown(text: str) -> list[Block]:
    """Headings, paragraphs (one line each, where they break by force), list items, tables."""
    tree = SyntaxTreeNode(MarkdownIt("commonmark").enable("table").parse(text))
    return list(_markdown_blocks(tree, is_item=False))


def read_html(text: str) -> list[Block]:
    """What a reader of the page would see, without menus and scripts."""
    soup = BeautifulSoup(text, "html.parser")
    for tag in soup.find_all(_UNSEEN_TAGS):
        tag.decompose()
    return [block for block in _walk(soup) if block.text.strip() or block.table]


def read_plain(text: str) -> list[Block]:
    """One block a line."""
    return [Block(text=line.strip()) for line in text.split("\n") if line.strip()]


def read_word(content: bytes) -> list[Block]:
    """Headings by their style, paragraphs, tables (merged cells once a row)."""
    blocks: list[Block] = []
    for part in Document(io.BytesIO(content)).iter_inner_content():
        if isinstance(part, Table):
            blocks.append(Block(table=tuple(_word_row(row.cells) for row in part.rows)))
        elif isinstance(part, Paragraph) and part.text.strip():
            style = part.style.name or "" if part.style is not None else ""
            found = _HEADING_STYLE.search(style)
            level = int(found[1]) if found else int(style in ("Title", "标题"))
            lines = [line for line in part.text.split("\n") if line.strip()]
            if level:
                blocks.append(Block(text=" ".join(lines), level=level))
            else:
                blocks += [Block(text=line.strip()) for line in lines]
    return blocks


def read_pdf(content: bytes) -> list[Block]:
    """The text of the pages; lines that were broken by the width of the page are joined again."""
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableFile("PDF 有打开密码，请去掉密码后再导入。", code="kb.file_encrypted")
        if len(reader.pages) > MAX_PAGES:
            raise UnreadableFile(
                f"PDF 有 {len(reader.pages)} 页，最多 {MAX_PAGES} 页，请拆分。", code="kb.file_too_large"
            )
        lines = [line.strip() for page in reader.pages for line in (page.extract_text() or "").split("\n")]
    except DependencyError as error:
        raise UnreadableFile("PDF 是加密的，请去掉密码后再导入。", code="kb.file_encrypted") from error
    except PyPdfError as error:
        raise UnreadableFile("PDF 已损坏，打不开。", code="kb.file_damaged") from error
    if not any(lines):
        raise UnreadableFile("PDF 里只有图片，没有可以读取的文字，请先做文字识别。", code="kb.file_no_text")
    return [Block(text=line) for line in _joined(lines)]


def _joined(lines: list[str]) -> Iterator[str]:
    widest = max(len(line) for line in lines)
    piece = ""
    for line in lines:
        piece += line
        # A line much shorter than the page is wide ended because its author ended it.
        if piece and (not line or line[-1] in _ENDS or len(line) < 0.75 * widest):
            yield piece
            piece = ""
    if piece:
        yield piece


def _markdown_blocks(node: SyntaxTreeNode, *, is_item: bool) -> Iterator[Block]:
    if node.type == "heading":
        yield Block(text=_inline_text(node).replace("\n", " "), level=int(node.tag[1]))
    elif node.type == "paragraph":
        lines = _inline_text(node).replace(BLANK_LINE, "").split("\n")
        yield from (Block(text=line, is_item=is_item) for line in lines)
    elif node.type == "table":
        rows = (row for part in node.children for row in part.children)
        yield Block(table=tuple(tuple(_inline_text(cell) for cell in row.children) for row in rows))
    elif node.type in ("code_block", "fence"):
        yield from (Block(text=line) for line in node.content.rstrip("\n").split("\n"))
    elif node.type == "html_block":
        yield from read_html(node.content)
    else:
        for child in node.children:
            yield from _markdown_blocks(child, is_item=is_item or node.type == "list_item")


def _inline_text(node: SyntaxTreeNode) -> str:
    """The text of a node without its marks."""
    if node.type in ("softbreak", "hardbreak"):
        return "\n"
    if node.type == "html_inline":
        return "\n" if node.content.lower().startswith("<br") else ""
    if node.children:
        return "".join(_inline_text(child) for child in node.children)
    return node.content if node.type in ("text", "code_inline", "image") else ""


def _word_row(cells: tuple[object, ...]) -> tuple[str, ...]:
    return tuple(str(getattr(cell, "text", "")).strip() for cell in cells)


def _walk(tag: Tag) -> Iterator[Block]:
    """Blocks of a tag; text between blocks is a line of its own."""
    loose: list[str] = []

    def line() -> Iterator[Block]:
        for text in "".join(loose).split("\0"):
            squeezed = " ".join(text.split())
            if squeezed:
                yield Block(text=squeezed, is_item=tag.name == "li")
        loose.clear()

    for child in tag.children:
        if isinstance(child, Tag):
            heading = re.fullmatch(r"h([1-6])", child.name)
            if heading:
                yield from line()
                yield Block(text=" ".join(child.get_text().split()), level=int(heading[1]))
            elif child.name == "table":
                yield from line()
                yield Block(table=_html_table(child))
            elif child.name == "br":
                loose.append("\0")
            elif child.name in _BLOCK_TAGS or child.find(_BLOCK_TAGS) is not None:
                yield from line()
                yield from _walk(child)
            else:
                loose.append(child.get_text())
        elif type(child) is NavigableString:  # comments and declarations are kinds of it
            loose.append(str(child))
    yield from line()


def _html_table(table: Tag) -> tuple[tuple[str, ...], ...]:
    rows = (row.find_all(("th", "td")) for row in table.find_all("tr"))
    return tuple(tuple(" ".join(cell.get_text().split()) for cell in row) for row in rows if row)
