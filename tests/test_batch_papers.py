"""What transcripts look like: each format, and names under which results are kept."""

import csv
import io
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path, PurePosixPath

import pytest
from docx import Document

from asr.batch.manifest import Manifest
from asr.batch.papers.formats import Format, clock, put_on_paper
from asr.batch.papers.subtitles import cues_of, to_srt, to_vtt
from asr.batch.papers.types import Paper, paper_of
from asr.batch.shelf import Shelf, write_whole
from asr.batch.sources import find_files, read_list, result_names
from asr.batch.types import FileFacts, Piece, Transcript
from asr.types import Hypothesis, Party

FACTS = FileFacts(
    seconds=4000.04,
    parties=(Party.CITIZEN, Party.OPERATOR),
    source_channels=2,
    is_alike=False,
    is_truncated=True,
    utterances=2,
)


def piece(party: Party, start_s: float, text: str, avg_logprob: float = -0.1) -> Piece:
    heard = Hypothesis(text=text, avg_logprob=avg_logprob, no_speech_prob=0.0)
    return Piece(party=party, number=1, start_s=start_s, end_s=start_s + 4, hypothesis=heard)


@pytest.fixture
def paper() -> Paper:
    transcript = Transcript(
        facts=FACTS,
        pieces=(
            piece(Party.OPERATOR, 0.5, "您好,請問有什麼可以幫您"),
            piece(
                Party.CITIZEN,
                3661.3,
                "=我家門口<路燈>不亮,已經三天了,晚上孩子放學回來什麼都看不見,很危險",
                -0.9,
            ),
        ),
    )
    return paper_of(transcript, name="夜间/通话.wav", call_id="c", lexicon=None)


def test_text_is_readable_and_says_what_is_odd(paper: Paper) -> None:
    lines = put_on_paper(paper, Format.TXT).decode().splitlines()
    assert lines[0] == "〔文件不完整：后面缺少一段，只转写了现有的部分。〕"
    assert lines[1] == "[0:00.5] 坐席：您好，请问有什么可以帮您。"
    assert lines[2].startswith("[1:01:01.3] 市民：")


def test_subtitles_are_short_and_in_order(paper: Paper) -> None:
    cues = list(cues_of(paper))
    assert all(len(cue.text) <= 24 for cue in cues)
    assert "".join(cue.text for cue in cues) == "".join(one.text for one in paper.segments)
    assert all(one.end_s <= other.start_s + 1e-9 for one, other in pairwise(cues))
    srt = to_srt(paper)
    assert srt.startswith(
        "1\n00:00:00,500 --> 00:00:04,500\n坐席：您好，请问有什么可以帮您。\n\n2\n01:01:01,300 --> "
    )
    vtt = to_vtt(paper)
    assert vtt.startswith("WEBVTT\n\n00:00:00.500 --> 00:00:04.500\n<v 坐席>您好，")
    assert "&lt;路灯&gt;" in vtt


def test_a_table_opens_in_excel_and_holds_no_formula(paper: Paper) -> None:
    content = put_on_paper(paper, Format.CSV)
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert rows[0] == ["录音", "开始（秒）", "结束（秒）", "说话人", "文字", "听不清"]
    assert rows[2][3:6:2] == ["市民", "是"]
    assert rows[2][4].startswith("'=我家")


def test_json_holds_all_of_it(paper: Paper) -> None:
    told = json.loads(put_on_paper(paper, Format.JSON))
    assert (told["file"], told["seconds"], told["parties"]) == (
        "夜间/通话.wav",
        4000.04,
        ["citizen", "operator"],
    )
    assert told["notes"][0]["code"] == "asr.file_truncated"
    assert told["segments"][1]["is_unclear"]
    assert told["segments"][0]["raw_text"] == "您好,請問有什麼可以幫您"


def test_a_document_can_be_read_and_repeats_to_the_byte(paper: Paper) -> None:
    content = put_on_paper(paper, Format.DOCX)
    assert content == put_on_paper(paper, Format.DOCX)
    document = Document(io.BytesIO(content))
    cells = [[cell.text for cell in row.cells] for row in document.tables[0].rows]
    assert cells[0] == ["时间", "说话人", "内容"]
    assert cells[1] == ["0:00.5", "坐席", "您好，请问有什么可以帮您。"]
    assert cells[2][2].endswith("（听不清）")


def test_nobody_speaks_is_said(paper: Paper) -> None:
    silent = paper_of(
        Transcript(facts=replace(FACTS, is_truncated=False), pieces=()), name="a", call_id="c", lexicon=None
    )
    assert put_on_paper(silent, Format.TXT).decode() == "〔没有听到有人说话。〕\n"
    assert put_on_paper(silent, Format.SRT) == b""


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00.0"), (59.96, "1:00.0"), (754.32, "12:34.3"), (3723.5, "1:02:03.5")]
)
def test_places_read_as_people_write_them(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


def test_names_are_found_and_results_do_not_collide(tmp_path: Path) -> None:
    for name in (
        "a/x.wav",
        "a/x.mp3",
        "a/deep/y.WAV",
        "a/.hidden/z.wav",
        "a/notes.txt",
        "b/x.wav",
        "odd.bin",
    ):
        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"")
    found = find_files(
        [f"{tmp_path}/a", f"{tmp_path}/a/x.wav", f"{tmp_path}/*.bin", f"{tmp_path}/b/x.wav", "no such"]
    )
    assert [one.name for one in found.files] == ["deep/y.WAV", "odd.bin", "x.mp3", "x.wav", "x.wav"]
    assert found.missing == ("no such",)
    names = sorted(str(name) for name in result_names(found.files).values())
    assert names == ["deep/y", "odd", "x.mp3", "x.wav", "x.wav-2"]
    assert find_files([str(tmp_path / "a")], but=tmp_path / "a").files == ()


def test_a_list_may_have_comments() -> None:
    assert read_list("\ufeffa.wav\n\n# 备注\n b 1.wav \r\n") == ["a.wav", "b 1.wav"]


def test_the_shelf_writes_anew_what_changed_or_vanished(tmp_path: Path, paper: Paper) -> None:
    manifest = Manifest(tmp_path / "book.db")
    shelf = Shelf(tmp_path / "out", [Format.TXT, Format.SRT], manifest)
    name = PurePosixPath("夜间/通话")
    assert not shelf.is_up_to_date(name, "m1")
    shelf.put(name, paper, "m1")
    assert shelf.is_up_to_date(name, "m1")
    assert not shelf.is_up_to_date(name, "m2")
    (tmp_path / "out" / "夜间" / "通话.srt").unlink()
    assert not shelf.is_up_to_date(name, "m1")
    assert sorted(path.name for path in (tmp_path / "out" / "夜间").iterdir()) == ["通话.txt"]
    manifest.close()


def test_a_result_is_whole_or_not_there(tmp_path: Path) -> None:
    place = tmp_path / "folder" / "a.txt"
    with pytest.raises(OSError, match="No such file"):
        write_whole(place, b"text")
    place.parent.mkdir()
    write_whole(place, b"text")
    assert [path.name for path in place.parent.iterdir()] == ["a.txt"]
