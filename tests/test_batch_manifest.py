"""The manifest: what is on record stays there, whoever dies; nobody does what another does."""

import multiprocessing
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from asr.batch.manifest import Manifest
from asr.batch.types import FileFacts, Piece, Refusal, Transcript
from asr.types import Hypothesis, Party, Word

FACTS = FileFacts(
    seconds=12.5, parties=(Party.MIXED,), source_channels=1, is_alike=False, is_truncated=True, utterances=1
)


def piece(number: int = 1, text: str = "路灯不亮") -> Piece:
    word = Word(text="路", start_s=0.1, end_s=0.3, probability=0.9)
    heard = Hypothesis(text=text, avg_logprob=-0.25, no_speech_prob=0.01, words=(word,))
    return Piece(party=Party.MIXED, number=number, start_s=1.0, end_s=2.5, hypothesis=heard)


def test_what_was_put_on_record_is_found_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "book.db"
    first = Manifest(path)
    first.keep("v1", [("a", piece(1)), ("a", piece(2)), ("b", piece(1))])
    transcript = Transcript(facts=FACTS, pieces=(piece(1),))
    first.finish("b", "v1", transcript)
    first.refuse("c", "v1", Refusal(code="asr.file_empty", attempts=2))
    first.close()
    second = Manifest(path)
    assert second.pieces("a", "v1") == {(Party.MIXED, 1): piece(1), (Party.MIXED, 2): piece(2)}
    assert second.pieces("a", "v2") == {}
    assert second.pieces("b", "v1") == {}  # in the transcript now
    assert second.transcript("b", "v1") == transcript
    assert second.refusal("c", "v1") == Refusal(code="asr.file_empty", attempts=2)
    assert second.transcript("c", "v1") is None
    second.finish("c", "v1", transcript)  # tried again, and it went well
    assert (second.transcript("c", "v1"), second.refusal("c", "v1")) == (transcript, None)
    second.close()


def test_a_piece_is_kept_once(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path / "book.db")
    manifest.keep("v1", [("a", piece(1, "先"))])
    manifest.keep("v1", [("a", piece(1, "后"))])
    assert manifest.pieces("a", "v1")[Party.MIXED, 1].hypothesis.text == "先"
    manifest.keep("v1", [])
    manifest.close()


def claim_and_die(path: Path) -> None:
    Manifest(path).claim("a", "v1")
    os._exit(9)


def test_a_claim_holds_as_long_as_its_owner_lives(tmp_path: Path) -> None:
    path = tmp_path / "book.db"
    first, second = Manifest(path), Manifest(path)
    assert first.claim("a", "v1")
    assert first.claim("a", "v1")
    assert not second.claim("a", "v1")
    assert second.claim("a", "v2")
    first.close()  # gives up what it had
    assert second.claim("a", "v1")
    second.close()
    child = multiprocessing.get_context("spawn").Process(target=claim_and_die, args=(path,))
    child.start()
    child.join()
    third = Manifest(path)
    assert third.claim("a", "v1")
    third.close()


def test_of_several_who_reach_for_a_file_at_once_one_gets_it(tmp_path: Path) -> None:
    books = [Manifest(tmp_path / "book.db") for _ in range(4)]
    together = threading.Barrier(len(books))

    def reach(book: Manifest) -> list[str]:
        got = []
        for digest in map(str, range(40)):
            together.wait()
            if book.claim(digest, "v1"):
                got.append(digest)
        return got

    with ThreadPoolExecutor(len(books)) as threads:
        taken = [digest for got in threads.map(reach, books) for digest in got]
    assert sorted(taken, key=int) == [str(number) for number in range(40)]
    for book in books:
        book.close()


def test_a_file_is_known_until_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "call.wav"
    file.write_bytes(b"one")
    manifest = Manifest(tmp_path / "book.db")
    assert manifest.digest_of(file) is None
    manifest.note_digest(file, "d1")
    assert manifest.digest_of(file) == "d1"
    file.write_bytes(b"other")
    assert manifest.digest_of(file) is None
    manifest.close()


def test_a_name_of_any_bytes_is_kept(tmp_path: Path) -> None:
    file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xb5\xe7\xbb\xb0.wav"))  # 电话 in GBK
    file.write_bytes(b"one")
    manifest = Manifest(tmp_path / "book.db")
    manifest.note_digest(file, "d1")
    assert manifest.digest_of(file) == "d1"
    manifest.close()


def test_a_full_disk_is_told_and_leaves_the_book_whole(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path / "book.db")
    manifest.keep("v1", [("a", piece(1))])

    def no_more_pages(connection: object, _record: object, _proxy: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # type: ignore[attr-defined]

    event.listen(manifest._engine, "checkout", no_more_pages)
    with pytest.raises(OperationalError, match="full"):
        manifest.keep("v1", [("b", piece(number, "长" * 500)) for number in range(200)])
    event.remove(manifest._engine, "checkout", no_more_pages)
    assert manifest.pieces("a", "v1") == {(Party.MIXED, 1): piece(1)}
    manifest.close()
