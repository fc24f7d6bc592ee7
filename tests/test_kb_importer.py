"""Imports: every accepted encoding, every fault told by row, the sample whole."""

import json
from datetime import date

import pytest

from knowledge_base.importer import load_sample, read_articles
from knowledge_base.types import UnreadableFile

CSV = (
    "topic_id,title,category,department,question_variants,keywords,body,expires_on\r\n"
    'T1,路灯报修,市容,城管局,灯坏了|灯杆歪了,路灯|灯杆,"第一行。\n第二行。",2027-01-31\r\n'
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_in_every_accepted_encoding(encoding: str) -> None:
    found = read_articles(CSV.encode(encoding), name="导出.CSV")
    (article,) = found.articles
    assert found.errors == ()
    assert (article.article_id, article.title) == ("T1", "路灯报修")
    assert article.questions == ("灯坏了", "灯杆歪了")
    assert article.body == "第一行。\n第二行。"
    assert article.expires_on == date(2027, 1, 31)


def test_chinese_headers_and_extra_columns() -> None:
    content = "编号,标题,正文,备注\nA1,路灯,打电话。,略\n".encode()
    assert read_articles(content, name="a.csv").articles[0].body == "打电话。"


def test_json_lines() -> None:
    rows = [
        {"article_id": "A1", "title": "一", "body": "一。", "questions": ["问", "问"], "expires_on": None},
        {"article_id": 2, "title": "二", "body": "二。", "effective_from": "2026-01-01"},
    ]
    content = "\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    first, second = read_articles(content, name="a.jsonl").articles
    assert (first.questions, first.expires_on) == (("问",), None)
    assert (second.article_id, second.effective_from) == ("2", date(2026, 1, 1))


def test_every_faulty_row_is_told_and_the_others_are_read() -> None:
    lines = [
        '{"article_id": "A1", "title": "一", "body": "一。"}',
        '{"article_id": "A2", "title": "二"',
        '["A3"]',
        '{"article_id": "A4", "title": "四"}',
        '{"article_id": "A1", "title": "又", "body": "又。"}',
        '{"article_id": "A6", "title": "六", "body": "六。", "expires_on": "明年"}',
        '{"article_id": "A7", "title": {"a": 1}, "body": "七。"}',
        '{"article_id":"A8","title":"八","body":"八。","effective_from":"2026-02-01","expires_on":"2026-02-01"}',
    ]
    found = read_articles("\n".join(lines).encode(), name="a.jsonl")
    assert [a.article_id for a in found.articles] == ["A1"]
    assert [(e.row, e.message) for e in found.errors] == [
        (2, "这一行不是完整的 JSON。"),
        (3, "这一行不是一个对象。"),
        (4, "缺少正文（body）。"),
        (5, "编号 A1 在文件中重复出现。"),
        (6, "日期“明年”应写成 2026-01-31 的形式（expires_on）。"),
        (7, "title 应为文字。"),
        (8, "失效日期不晚于生效日期。"),
    ]


def test_csv_rows_with_faults() -> None:
    content = 'id,title,body\nA1,一,一。\nA2,二\n\nA3,三,三。,多,余\nA4,四,四。\nA5,"五\n'.encode()
    found = read_articles(content, name="a.csv")
    assert [a.article_id for a in found.articles] == ["A1", "A4"]
    assert [error.row for error in found.errors] == [3, 5, 7]
    assert "引号" in found.errors[-1].message


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "a.jsonl", "空的"),
        (b"\n\n", "a.csv", "空的"),
        (b"id,title\n", "a.csv", "body"),
        (b"\x80\xff\x80", "a.jsonl", "编码"),
        (b"PK\x03\x04", "a.xlsx", "不完整"),
    ],
)
def test_a_file_that_is_none_is_refused_with_a_sentence(content: bytes, name: str, words: str) -> None:
    with pytest.raises(UnreadableFile, match=words):
        read_articles(content, name=name)


def test_the_sample_is_whole() -> None:
    articles = load_sample()
    assert [article.article_id for article in articles] == [f"T{i:03}" for i in range(1, 161)]
    for article in articles:
        assert 150 <= len(article.body) <= 500, article.article_id
        assert len(article.questions) >= 8, article.article_id
        assert "示例" in article.source
        assert article.department
        assert article.category
        assert article.keywords
