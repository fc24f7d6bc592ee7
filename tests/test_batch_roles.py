"""Who of two speakers is the operator, and what a transcript says of it."""

import json
from dataclasses import replace

import pytest

from asr.batch.papers.formats import Format, put_on_paper
from asr.batch.papers.roles import Said, operator_of
from asr.batch.papers.speakers import with_speakers
from asr.batch.papers.types import Paper, paper_of
from asr.batch.types import FileFacts, Piece, Transcript
from asr.types import Hypothesis, Party

FACTS = FileFacts(
    seconds=30.0,
    parties=(Party.MIXED,),
    source_channels=1,
    is_alike=False,
    is_truncated=False,
    utterances=3,
)
CALL = ("您好，请问有什么可以帮您？", "我想咨询一下公积金。", "请问您怎么称呼？")


def said(*lines: tuple[int, str]) -> list[Said]:
    return [Said(speaker=speaker, text=text) for speaker, text in lines]


@pytest.mark.parametrize(
    ("lines", "operator"),
    [
        (said((1, "您好，工号零二七，请问有什么可以帮您？"), (2, "喂，你好。")), 1),
        (said((1, "喂？"), (2, "您好，12345市民热线。"), (1, "我要投诉一个出租车。")), 2),
        (said((1, "比好，功耗214，庆温有什么可以绑银？"), (2, "我想问一下公积金。")), 1),  # heard badly
        (said((1, "我们小区停水了。"), (2, "我帮您登记，您贵姓？"), (1, "我姓陈。")), 2),
        (said((1, "明天几点？"), (2, "八点吧。")), None),  # speaking first is not enough
        (said((1, "您好。"), (2, "您好您好。")), None),
        ([], None),
    ],
)
def test_the_operator_is_known_by_what_they_say(lines: list[Said], operator: int | None) -> None:
    assert operator_of(lines) == operator
    swapped = [Said(speaker=3 - one.speaker, text=one.text) for one in lines]
    assert operator_of(swapped) == (None if operator is None else 3 - operator)


def paper(*texts: str, speakers: tuple[int, ...] = ()) -> Paper:
    pieces = tuple(
        Piece(
            party=Party.MIXED,
            number=number,
            start_s=number * 5.0,
            end_s=number * 5.0 + 3,
            hypothesis=Hypothesis(text=text, avg_logprob=-0.1, no_speech_prob=0.0),
        )
        for number, text in enumerate(texts, 1)
    )
    transcript = Transcript(facts=FACTS, pieces=pieces)
    return with_speakers(paper_of(transcript, name="a.wav", call_id="a", lexicon=None), speakers)


def test_known_roles_are_parties() -> None:
    told = paper(*CALL, speakers=(1, 2, 1))
    assert told.parties == (Party.CITIZEN, Party.OPERATOR)
    assert [one.party for one in told.segments] == [Party.OPERATOR, Party.CITIZEN, Party.OPERATOR]
    lines = put_on_paper(told, Format.TXT).decode().splitlines()
    assert lines[0].startswith("〔录音只有一路，市民和坐席是按声音")
    assert [line.split("] ")[1].split("：")[0] for line in lines[1:]] == ["坐席", "市民", "坐席"]
    assert "<v 市民>" in put_on_paper(told, Format.VTT).decode()
    assert "speaker" not in json.loads(put_on_paper(told, Format.JSON))["segments"][0]


def test_unknown_roles_are_numbers_even_where_a_line_is_empty_or_taken_away() -> None:
    told = paper("今天天气不错。", "", "是啊。", "明天也好。", speakers=(1, 1, 2, 1))
    assert told.notes == ("asr.speakers_numbered",)
    assert told.parties == (Party.MIXED,)
    assert [told.name_of(one) for one in told.segments] == ["说话人1", "说话人2", "说话人1"]
    fewer = replace(told, segments=told.segments[1:])
    assert [told.name_of(one) for one in fewer.segments] == ["说话人2", "说话人1"]
    assert [one["speaker"] for one in json.loads(put_on_paper(told, Format.JSON))["segments"]] == [1, 2, 1]
    assert "说话人2：是啊。" in put_on_paper(told, Format.SRT).decode()
    assert "说话人2" in put_on_paper(told, Format.CSV).decode("utf-8-sig")
    assert put_on_paper(told, Format.DOCX) != put_on_paper(paper("今天天气不错。"), Format.DOCX)


def test_one_speaker_has_no_number() -> None:
    told = paper(*CALL, speakers=(1, 1, 1))
    assert told.notes == ("asr.one_speaker",)
    assert {told.name_of(one) for one in told.segments} == {"说话人"}


def test_nobody_asked_and_nothing_is_said_of_it() -> None:
    told = paper(*CALL)
    assert (told.notes, told.second, told.parties) == ((), None, (Party.MIXED,))
    assert [line.split("] ")[1][:4] for line in put_on_paper(told, Format.TXT).decode().splitlines()] == [
        "说话人："
    ] * 3
