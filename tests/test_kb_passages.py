"""Cutting: nothing is lost, nothing comes twice, identifiers outlive a republish."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.passages import BODY_CHARS, cut, embedding_text, sentences
from knowledge_base.types import PassageKind
from tests.retrieval_parts import article

LINES = st.lists(st.text(alphabet="办理材料，。；一二三AB", max_size=300), max_size=8)


def test_title_questions_and_body_become_passages() -> None:
    passages = cut(article(questions=("灯坏了", "灯坏了", " ", "灯杆歪了")))
    assert [(p.kind, p.text) for p in passages] == [
        (PassageKind.TITLE, "路灯报修"),
        (PassageKind.QUESTION, "灯坏了"),
        (PassageKind.QUESTION, "灯杆歪了"),
        (PassageKind.BODY, passages[3].text),
    ]
    assert passages[3].text.splitlines()[1].startswith("办理方式：")


def test_a_piece_of_a_body_is_embedded_with_its_title() -> None:
    assert embedding_text(PassageKind.BODY, "路灯报修", "三天内修好。") == "路灯报修：三天内修好。"
    assert embedding_text(PassageKind.QUESTION, "路灯报修", "灯坏了") == "灯坏了"


@given(LINES)
def test_pieces_hold_the_whole_body_and_stay_short(lines: list[str]) -> None:
    passages = cut(article(body="\n".join(lines)))
    pieces = [p.text for p in passages if p.kind is PassageKind.BODY]
    whole = "".join("".join(lines).split())
    found = "".join("".join(pieces).split())
    # Equal pieces of one article come once, so what is found may be shorter, never different.
    assert found == whole or (len(found) < len(whole) and set(found) <= set(whole))
    for piece in pieces:
        assert len(piece) <= BODY_CHARS or len(sentences(piece)) == 1


@given(LINES)
def test_identifiers_are_positive_63_bit_and_unique(lines: list[str]) -> None:
    ids = [p.passage_id for p in cut(article(body="\n".join(lines)))]
    assert len(set(ids)) == len(ids)
    assert all(0 < passage_id < 2**63 for passage_id in ids)


def test_identifiers_depend_on_article_kind_and_content_only() -> None:
    before = article()
    after = replace(before, keywords=("别的",), department="别的", questions=("新问法", *before.questions))
    assert {p.passage_id for p in cut(before)} < {p.passage_id for p in cut(after)}
    other = cut(replace(before, article_id="A2"))
    assert not {p.passage_id for p in cut(before)} & {p.passage_id for p in other}
    assert [p.content_hash for p in cut(before)] == [p.content_hash for p in other]


def test_a_changed_title_changes_what_its_body_is_embedded_as() -> None:
    body = next(p for p in cut(article()) if p.kind is PassageKind.BODY)
    renamed = next(p for p in cut(replace(article(), title="改名")) if p.kind is PassageKind.BODY)
    assert body.text == renamed.text
    assert body.content_hash != renamed.content_hash


def test_sentences_keep_their_marks() -> None:
    assert sentences("先断电。再报修！“怎么报？”打电话\n备注") == [
        "先断电。",
        "再报修！",
        "“怎么报？”",
        "打电话",
        "备注",
    ]
