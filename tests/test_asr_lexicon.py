"""Words that sound right are written right, and what is right already is left alone."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.lexicon import Lexicon, LexiconOptions, corrected
from asr.sounds import blurred, sound_of, sounds_of
from asr.terms import BadTerms, Term, parse_terms, read_terms, sample_terms, with_short_names
from asr.types import Party, Segment
from asr.vocabulary import Vocabulary, count_words, general_words
from asr.wording import Wording, open_lexicon
from calls.corrections import undo_correction
from knowledge_base.importer import load_sample


@dataclass(frozen=True)
class Page:
    """A piece of a knowledge base."""

    title: str = "雨水管道堵塞、路面积水如何报修"
    body: str = "路边雨水口堵住、雨水管道积水，市政派人疏通。井盖缺失请先围挡。"
    questions: tuple[str, ...] = ("雨水口被树叶堵死了", "路上的井盖没了")
    keywords: tuple[str, ...] = ("雨水管道", "雨水口", "井盖")
    department: str = "市住房和城乡建设局"


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return open_lexicon(load_sample())


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("我住在普托区。", "我住在普陀区。"),
        ("您好，周山12345热线。", "您好，舟山12345热线。"),
        ("鱼水管道堵了", "雨水管道堵了"),
        ("鱼水口全让树叶给堵死了", "雨水口全让树叶给堵死了"),
        ("我想提取攻击尽付房租", "我想提取公积金付房租"),
        ("那个警盖被水顶掉了", "那个井盖被水顶掉了"),
        ("本人没有自由驻防", "本人没有自有住房"),
        ("新城的中洲路", "新城的中州路"),
        ("我爸爸在6横岛", "我爸爸在六横岛"),
        ("要去三江马头坐船", "要去三江码头坐船"),
        ("转给住件部门处理", "转给住建部门处理"),
    ],
)
def test_what_sounds_right_is_written_right(lexicon: Lexicon, heard: str, written: str) -> None:
    text, corrections = lexicon.correct(heard)
    assert text == written
    assert corrections


@pytest.mark.parametrize(
    "text",
    [
        "请他们尽快攻击尽头的敌人",
        "我们一起去吃饭，周三上午有空",
        "他的警告很及时，公号是公众号",
        "自由和驻防是两回事",
        "房价上涨，股市下跌，球队昨晚赢了比赛",
        "普陀区、雨水管道、公积金、井盖",
        "3个人，5天，2号楼",
        "Hello, 3.5%, 10:30",
        "",
    ],
)
def test_what_is_right_stays(lexicon: Lexicon, text: str) -> None:
    assert lexicon.correct(text) == (text, ())


def test_corrections_say_where_what_and_why_and_can_be_taken_back(lexicon: Lexicon) -> None:
    heard = "周山的鱼水口，攻击尽也要问，自由驻防呢"
    segment = corrected(segment_of(heard), lexicon)
    assert segment.text == "舟山的雨水口，公积金也要问，自有住房呢"
    assert segment.raw_text == heard
    for correction in segment.corrections:
        end = correction.start + len(correction.written)
        assert segment.text[correction.start : end] == correction.written
        assert correction.reason
    while segment.corrections:
        segment = undo_correction(segment, 0)
    assert segment.text == heard


def test_a_term_told_by_an_admin_counts_and_so_does_what_it_is_misheard_as() -> None:
    terms = [Term(text="观澜府", kind="小区", heard=("关了府上",)), Term(text="东港")]
    lexicon = Lexicon(general=general_words(), terms=terms)
    assert lexicon.correct("我家在关兰府") == (
        "我家在观澜府",
        lexicon.correct("我家在关兰府")[1],
    )
    text, (correction,) = lexicon.correct("家在关了府上五号")
    assert text == "家在观澜府五号"
    assert (correction.start, correction.heard, correction.reason) == (2, "关了府上", "小区：词表所列")


def test_the_price_of_a_correction_decides() -> None:
    terms = [Term(text="普陀区")]
    dear = Lexicon(general=general_words(), terms=terms, options=LexiconOptions(correction_cost=60.0))
    assert dear.correct("普托区")[0] == "普托区"
    assert Lexicon(general=general_words(), terms=terms).correct("普托区")[0] == "普陀区"
    with pytest.raises(ValueError, match="negative"):
        LexiconOptions(tone_cost=-1.0)


@given(st.text(alphabet="周山普托区攻击尽鱼水口公号，。 13a", max_size=30))
def test_taking_every_correction_back_gives_what_was_heard(lexicon: Lexicon, text: str) -> None:
    segment = corrected(segment_of(text), lexicon)
    while segment.corrections:
        segment = undo_correction(segment, len(segment.corrections) - 1)
    assert segment.text == text


def test_sounds() -> None:
    assert [sound.syllable for sound in sounds_of("银行")] == ["yin", "hang"]
    assert sound_of("山").tone == "1"
    for first, second in (
        ("zhou", "zou"),
        ("shan", "sang"),
        ("nan", "lan"),
        ("ren", "len"),
        ("fang", "huan"),
    ):
        assert blurred(first) == blurred(second), (first, second)
    assert blurred("zhou") != blurred("zhu")


def test_words_of_a_domain_become_likelier() -> None:
    general = {"雨": 50, "水": 50, "口": 50, "雨水": 20, "路": 50}
    plain = Vocabulary(general, terms={"雨水口": 1.0})
    counts = count_words(["雨水口，雨水口和路"], plain)
    assert counts == {"雨水口": 2, "和": 1, "路": 1}
    taught = Vocabulary(general, terms={"雨水口": 1.0}, domain=counts)
    before, after = plain.cost("雨水"), taught.cost("雨水口")
    assert before is not None
    assert after is not None
    assert after < before
    assert plain.cost("雨水口路") is None


def test_lists_of_terms(tmp_path: Path) -> None:
    file = tmp_path / "terms.csv"
    file.write_text(
        "\ufeffterm,kind,weight,heard,note\n观澜府,小区,2,关了府|官府\n\n望潮酒店,,,,x\n", "utf-8"
    )
    first, second = read_terms(file)
    assert first == Term(text="观澜府", kind="小区", weight=2.0, heard=("关了府", "官府"))
    assert second == Term(text="望潮酒店")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name\n定海区\n", "term"),
        ("term\n定\n", "第 2 行"),
        ("term,weight\n定海区,many\n", "many"),
        ("term,weight\n定海区,1000\n", "weight"),
        ("term,heard\n定海区,定\n", "heard"),
    ],
)
def test_a_bad_list_is_refused_in_one_sentence(content: str, said: str) -> None:
    with pytest.raises(BadTerms, match=said):
        parse_terms(content, name="list.csv")


def test_a_file_that_is_no_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadTerms):
        read_terms(tmp_path / "missing.csv")
    (tmp_path / "gbk.csv").write_bytes("term\n定海区".encode("gbk"))
    with pytest.raises(BadTerms):
        read_terms(tmp_path / "gbk.csv")


def test_areas_have_short_names() -> None:
    terms = with_short_names([Term(text="定海区", kind="区划"), Term(text="岱山县", kind="区划", weight=2.0)])
    assert {term.text: term.weight for term in terms} == {
        "定海区": 1.0,
        "定海": 1.0,
        "岱山县": 2.0,
        "岱山": 2.0,
    }


def test_the_samples_can_be_read() -> None:
    kinds = {term.kind for term in sample_terms()}
    assert {"区划", "街道乡镇", "道路", "岛屿", "码头", "医院"} <= kinds


def test_the_lexicon_is_made_anew_when_the_file_or_the_version_changes(tmp_path: Path) -> None:
    file = tmp_path / "terms.csv"
    file.write_text("term\n观澜府\n", encoding="utf-8")
    wording = Wording(file)
    wording.keep_up("v1", ())
    first = wording.lexicon
    assert first is not None
    assert first.correct("关兰府")[0] == "观澜府"
    wording.keep_up("v1", ())
    assert wording.lexicon is first
    wording.keep_up("v2", [Page()])
    second = wording.lexicon
    assert second is not first
    file.write_text("name\n观澜府二期\n", encoding="utf-8")
    wording.keep_up("v2", [Page()])
    assert wording.lexicon is second  # a list that turned bad changes nothing
    with pytest.raises(BadTerms):
        Wording(file).keep_up(None, ())


@pytest.fixture(autouse=True)
def general_words_are_read_once() -> None:
    general_words()


def segment_of(text: str) -> Segment:
    return Segment(
        call_id="C1",
        segment_id="citizen-1",
        party=Party.CITIZEN,
        start_s=0.0,
        end_s=1.0,
        text=text,
        raw_text=text,
        is_final=True,
    )
