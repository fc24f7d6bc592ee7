"""Packed recordings in a store that servers share: heard, deleted and kept from any of them, none lost."""

import asyncio
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import Engine, insert

from calls.audio.keeper import FORGET_AFTER_S, pack_call, sender_of
from calls.audio.keys import NO_KEYS, Keys, keys_of, new_key_line
from calls.audio.packing import pack
from calls.audio.sound import Recordings, box_path
from calls.audio.stored import packed_in, stored_name
from calls.audio.types import AudioAway, AudioDamaged, Form
from calls.keeping.deletion import Deleter
from calls.keeping.tables import deletions
from calls.keeping.types import What
from calls.records import Records
from calls.spool import spool_path
from calls.types import UnknownCall
from knowledge_base.database import open_database
from knowledge_base.objects.opening import open_objects
from knowledge_base.objects.sending import Candidate, Sender
from knowledge_base.objects.types import Objects
from tests.house import running
from tests.object_store import ObjectStore
from tests.test_call_audio import LINEAR, speech, talk
from tests.waiting import until_true

pytestmark = pytest.mark.filterwarnings("error")

KEYS = keys_of(new_key_line("2026"))


def packed(
    folder: Path, objects: Objects | None, form: Form, keys: Keys, seconds: float = 25.0
) -> Recordings:
    folder.mkdir()
    spool_path(folder, "c-1").write_bytes(speech(LINEAR, seconds))
    recordings = Recordings(folder=folder, keys=keys, objects=objects)
    pack(recordings, "c-1", LINEAR, form)
    return recordings


def sending(recordings: Recordings, **options: Any) -> Sender:
    assert recordings.objects is not None
    return Sender(objects=recordings.objects, find=lambda: packed_in(recordings.folder), **options)


def heard(recordings: Recordings, start: int, end: int) -> Any:
    sound = recordings.open("c-1", LINEAR)
    assert sound is not None
    with sound:
        return np.concatenate(list(sound.pieces(start, end)))


@pytest.mark.parametrize("keys", [NO_KEYS, KEYS], ids=["open", "sealed"])
@pytest.mark.parametrize("form", [Form.RAW, Form.LOSSLESS, Form.OPUS])
def test_any_stretch_is_heard_from_the_store(
    tmp_path: Path, objects: Objects, form: Form, keys: Keys
) -> None:
    here = packed(tmp_path / "a", objects, form, keys)
    stretches = [(0, 400_000), (0, 1), (159_990, 160_010), (399_999, 400_000), (250_000, 250_007)]
    before = [heard(here, *stretch) for stretch in stretches]
    sender = sending(here)
    sender.round()
    assert (list((tmp_path / "a").iterdir()), sender.waiting) == ([], 0)
    (tmp_path / "b").mkdir()
    elsewhere = Recordings(folder=tmp_path / "b", keys=keys, objects=objects)
    for stretch, wanted in zip(stretches, before, strict=True):
        assert (heard(elsewhere, *stretch) == wanted).all()
    sound = elsewhere.open("c-1", LINEAR)
    assert sound is not None
    with sound:
        assert (sound.frames, sound.kept.n_bytes) == (400_000, objects.size("audio/c-1.zta"))
    assert elsewhere.n_bytes("c-1") == objects.size("audio/c-1.zta")
    assert list((tmp_path / "b").iterdir()) == []
    assert (elsewhere.delete("c-1"), elsewhere.delete("c-1")) == (True, False)
    assert (here.open("c-1", LINEAR), here.n_bytes("c-1"), list(objects.under("audio/"))) == (None, 0, [])


def test_what_was_changed_in_the_store_is_noticed(tmp_path: Path, objects: Objects) -> None:
    recordings = packed(tmp_path / "a", objects, Form.LOSSLESS, KEYS, seconds=3.0)
    whole = box_path(recordings.folder, "c-1").read_bytes()
    sending(recordings).round()
    for changed in (whole[:-7], b"", whole[:2000] + b"\x07" + whole[2001:]):
        (tmp_path / "changed").write_bytes(changed)
        objects.put("audio/c-1.zta", tmp_path / "changed")
        with pytest.raises(AudioDamaged):
            heard(recordings, 0, 48_000)


def test_nothing_goes_before_the_store_has_it(object_store: ObjectStore, tmp_path: Path) -> None:
    objects = open_objects(object_store.bucket(), endpoint=object_store.endpoint)
    assert objects is not None
    recordings = packed(tmp_path / "a", objects, Form.RAW, NO_KEYS)
    before, boxed = heard(recordings, 0, 400_000), box_path(recordings.folder, "c-1")
    sender = sending(recordings)
    object_store.cable.cut()
    sender.round()
    assert (boxed.exists(), sender.waiting, objects.stats().is_up) == (True, 1, False)
    assert (heard(recordings, 0, 400_000) == before).all()
    object_store.cable.mend()
    object_store.cable.limit = 400_000  # of 1.6 MB
    sender.round()
    object_store.cable.mend()
    assert (boxed.exists(), sender.waiting, objects.size("audio/c-1.zta")) == (True, 1, None)
    # Something shorter lies there, as a store that lost a part of it would have it.
    objects.set_text("audio/c-1.zta", "half")
    sender.round()
    assert (boxed.exists(), sender.waiting) == (False, 0)
    assert (heard(recordings, 0, 400_000) == before).all()
    object_store.cable.cut()
    for ask in (
        lambda: recordings.open("c-1", LINEAR),
        lambda: recordings.n_bytes("c-1"),
        lambda: recordings.delete("c-1"),
    ):
        with pytest.raises(AudioAway):
            ask()
    objects.close()


def test_a_copy_may_stay_for_a_while(tmp_path: Path, objects: Objects) -> None:
    recordings = packed(tmp_path / "a", objects, Form.LOSSLESS, NO_KEYS, seconds=2.0)
    boxed = box_path(recordings.folder, "c-1")
    sender = sending(recordings, keep_s=3600.0)
    sender.round()
    sender.round()
    assert (boxed.exists(), sender.waiting, objects.size("audio/c-1.zta")) == (True, 0, boxed.stat().st_size)
    _age(boxed, 3700.0)
    sender.round()
    assert not boxed.exists()


def test_what_is_deleted_while_it_is_brought_there_does_not_stay(tmp_path: Path, objects: Objects) -> None:
    recordings = packed(tmp_path / "a", objects, Form.LOSSLESS, NO_KEYS, seconds=2.0)
    boxed, asked = box_path(recordings.folder, "c-1"), []

    def wanted(names: list[str]) -> set[str]:
        asked.append(names)
        return set(names) if len(asked) == 1 else set()

    sender = sending(recordings, wanted=wanted, forget_s=3600.0)
    sender.round()
    assert (len(asked), list(objects.under("audio/")), boxed.exists()) == (2, [], True)
    sender.round()
    assert (list(objects.under("audio/")), boxed.exists(), sender.waiting) == ([], True, 0)
    _age(boxed, 3700.0)
    sender.round()
    assert not boxed.exists()


def test_a_file_that_vanishes_holds_nobody_up(tmp_path: Path, objects: Objects) -> None:
    recordings = packed(tmp_path / "a", objects, Form.LOSSLESS, NO_KEYS, seconds=2.0)
    gone = Candidate(stored_name("c-0"), tmp_path / "a" / "c-0.zta")
    sender = Sender(objects=objects, find=lambda: [gone, *packed_in(recordings.folder)])
    sender.round()
    assert [one.name for one in objects.under("audio/")] == ["audio/c-1.zta"]


def _age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


NOW = datetime(2026, 3, 5, 10, 15, tzinfo=UTC)


def test_a_sweep_takes_from_the_store_what_is_on_the_list_and_nothing_else(
    tmp_path: Path, engine: Engine, objects: Objects
) -> None:
    (tmp_path / "a").mkdir()
    recordings = Recordings(folder=tmp_path / "a", keys=NO_KEYS, objects=objects)
    for call_id in ("deleted", "of-others"):
        objects.set_text(stored_name(call_id), "sound")
    with engine.begin() as connection:
        row = {"what": What.CALL, "at": NOW.isoformat(), "who": "管理员", "reason": "本人要求", "counts": {}}
        connection.execute(insert(deletions).values(call_id="deleted", **row))
    deleter = Deleter(engine, recordings)
    assert deleter.sweep(before=datetime.now(UTC) - timedelta(days=1)) == 0
    assert deleter.sweep(before=datetime.now(UTC) + timedelta(minutes=5)) == 1
    assert [one.name for one in objects.under("audio/")] == ["audio/of-others.zta"]


async def test_two_houses_share_the_sound_of_ended_calls(
    tmp_path: Path, postgres_url: str, object_store: ObjectStore
) -> None:
    (tmp_path / "keys").write_text(new_key_line("2026"))
    settings: dict[str, Any] = {
        "database_url": postgres_url,
        "bus": "database",
        "lease_s": 60.0,
        "audio_keys": tmp_path / "keys",
        "objects": object_store.bucket(),
        "s3_endpoint": object_store.endpoint,
    }
    objects = open_objects(settings["objects"], endpoint=object_store.endpoint)
    assert objects is not None
    database = open_database(postgres_url)
    keys = keys_of((tmp_path / "keys").read_text())
    at_one = Recordings(folder=tmp_path / "a" / "audio", keys=keys, objects=objects)
    async with (
        running(tmp_path / "a", **settings) as one,
        running(tmp_path / "b", **settings) as other,
        httpx.AsyncClient(base_url=one.url, timeout=60) as asks_one,
        httpx.AsyncClient(base_url=other.url, timeout=60) as asks_other,
    ):
        for call_id in ("c-1", "c-2"):
            await talk(one, call_id, LINEAR, speech(LINEAR, 12.0))
        plain = await asks_one.get("/v1/calls/c-1/sound")
        records = Records(database)
        for call_id in ("c-1", "c-2"):
            await asyncio.to_thread(pack_call, at_one, records, Form.LOSSLESS, call_id)
        await until_true(lambda: not list(at_one.folder.glob("c-*")))
        there = await asyncio.to_thread(lambda: {stored.name for stored in objects.under("audio/")})
        assert there == {"audio/c-1.zta", "audio/c-2.zta"}
        for client in (asks_one, asks_other):
            assert (await client.get("/v1/calls/c-1/sound")).content == plain.content
            part = await client.get("/v1/calls/c-1/sound", headers={"Range": "bytes=300001-400003"})
            assert (part.status_code, part.content) == (206, plain.content[300_001:400_004])
            told = (await client.get("/v1/calls/c-1/record")).json()["sound"]
            assert (told["seconds"], told["is_sealed"], told["codec"]) == (12.0, True, "flac")
        assert list((tmp_path / "b" / "audio").iterdir()) == []
        # The store is away: it is said, and nothing is deleted.
        object_store.cable.cut()
        for client in (asks_one, asks_other):
            refused = await client.get("/v1/calls/c-1/sound")
            assert (refused.status_code, refused.json()["detail"]["code"]) == (503, "audio.away")
            told = (await client.get("/v1/calls/c-1/record")).json()["sound"]
            assert told["code"] == "audio.away"
        kept = await asks_other.delete("/v1/calls/c-1", params={"reason": "本人要求"})
        assert (kept.status_code, kept.json()["detail"]["code"]) == (503, "audio.away")
        object_store.cable.mend()
        assert (await asks_one.get("/v1/calls/c-1/sound")).content == plain.content
        # Deleted at the other one: gone for all.
        gone = await asks_other.delete("/v1/calls/c-1", params={"reason": "本人要求"})
        assert (gone.status_code, gone.json()["counts"]["audio_bytes"] > 0) == (200, True)
        silent = await asks_other.delete("/v1/calls/c-2", params={"reason": "本人要求", "what": "audio"})
        assert silent.status_code == 200
        assert await asyncio.to_thread(lambda: list(objects.under("audio/"))) == []
        for client in (asks_one, asks_other):
            for call_id in ("c-1", "c-2"):
                assert (await client.get(f"/v1/calls/{call_id}/sound")).status_code == 404
        metrics = await until_sent(asks_one)
        assert 'zhiting_objects_waiting{what="audio"} 0.0' in metrics
    database.dispose()
    objects.close()


async def until_sent(client: httpx.AsyncClient) -> str:
    text = ""

    async def is_told() -> bool:
        nonlocal text
        text = (await client.get("/metrics")).text
        return "zhiting_objects_waiting{" in text

    await until_true(is_told)
    return text


def test_a_spool_of_a_call_that_others_deleted_goes(tmp_path: Path, engine: Engine, objects: Objects) -> None:
    (tmp_path / "a").mkdir()
    recordings = Recordings(folder=tmp_path / "a", keys=NO_KEYS, objects=objects)
    spool = spool_path(recordings.folder, "c-1")
    spool.write_bytes(b"\0" * 3200)
    assert not pack_call(recordings, Records(engine), Form.LOSSLESS, "c-1")
    assert spool.exists(), "its row may still come"
    _age(spool, FORGET_AFTER_S + 60.0)
    assert pack_call(recordings, Records(engine), Form.LOSSLESS, "c-1")
    assert not spool.exists()
    sender = sender_of(recordings, Records(engine), keep_s=0.0)
    assert sender is not None
    box_path(recordings.folder, "c-2").write_bytes(b"no call leads here")
    sender.round()
    assert list(objects.under("audio/")) == []
    with pytest.raises(UnknownCall):
        Deleter(engine, recordings).delete("c-2", What.CALL, who="", reason="", now=NOW)
