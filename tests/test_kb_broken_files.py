"""Broken files: each is answered by a sentence with a code, within bounds, and nothing is changed."""

import re
import time
from pathlib import Path

import pytest

from knowledge_base.importer import read_articles
from knowledge_base.sandbox import ReadingLimits, read_bounded
from knowledge_base.types import UnreadableFile
from tests.broken_files import FILES, HEADER, bomb, content_of, workbook

SENTENCE = re.compile(r"[^\n]*[\u4e00-\u9fff][^\n]*[。！]")


def test_there_are_fifty() -> None:
    assert len(FILES) >= 50


@pytest.mark.parametrize("what", FILES)
def test_a_broken_file_is_answered_with_a_sentence(what: str) -> None:
    name, _, code = FILES[what]
    content = content_of(what)
    if not code:
        found = read_articles(content, name=name)
        assert found.errors
        assert all(SENTENCE.fullmatch(error.message) for error in found.errors)
        return
    with pytest.raises(UnreadableFile) as refusal:
        read_articles(content, name=name)
    assert (refusal.value.code, bool(SENTENCE.fullmatch(refusal.value.message))) == (code, True)


@pytest.mark.parametrize("what", ["truncated docx", "encrypted pdf", "xlsx with a formula never computed"])
def test_the_bounded_process_answers_the_same(what: str) -> None:
    name, _, code = FILES[what]
    content = content_of(what)
    if code:
        with pytest.raises(UnreadableFile) as refusal:
            read_bounded(content, name=name)
        assert refusal.value.code == code
    else:
        assert read_bounded(content, name=name) == read_articles(content, name=name)


@pytest.mark.parametrize(
    "limits",
    [
        ReadingLimits(cpu_s=1),
        ReadingLimits(wall_s=1.0),
        ReadingLimits(memory_bytes=120 * 1024**2),
    ],
    ids=["processor", "clock", "memory"],
)
def test_a_file_that_takes_too_much_is_stopped(limits: ReadingLimits) -> None:
    rows = [HEADER, *((f"A{i}", f"题{i}", f"文{i}" * 20) for i in range(20_000))]
    content = workbook(rows)
    with pytest.raises(UnreadableFile) as refusal:
        read_bounded(content, name="a.xlsx", limits=limits)
    assert refusal.value.code in ("kb.file_too_costly", "kb.file_too_large")


def test_a_bomb_is_not_unpacked() -> None:
    content = bomb()
    started = time.monotonic()
    with pytest.raises(UnreadableFile, match="解压后超过"):
        read_articles(content, name="a.docx")
    assert time.monotonic() - started < 20


def test_the_name_of_an_upload_is_only_a_name() -> None:
    with pytest.raises(UnreadableFile, match="只能导入"):
        read_bounded(b"x", name="../../etc/passwd")


def test_every_code_is_documented() -> None:
    text = (Path(__file__).parent.parent / "docs" / "knowledge-base.md").read_text(encoding="utf-8")
    assert not {code for _, _, code in FILES.values() if code and f"`{code}`" not in text}
