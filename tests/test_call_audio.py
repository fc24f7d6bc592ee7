"""The sound of ended calls: packed, sealed, read again from any place, on real files and over real HTTP."""

import asyncio
import io
import wave
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agent_ui.ranges import range_of
from agent_ui.settings import Settings
from calls.audio.codecs import linear_samples
from calls.audio.keeper import keep_packed, pack_call
from calls.audio.keys import NO_KEYS, BadKeys, Keys, Seal, Sm4Gcm, Suite, keys_of, new_key_line
from calls.audio.packing import pack
from calls.audio.sound import Recordings, Sound, box_path
from calls.audio.types import AudioDamaged, Codec, Form, KeyMissing
from calls.records import Records
from calls.spool import spool_path
from calls.types import AudioFormat
from knowledge_base.database import open_database
from tests.databases import database_in
from tests.house import START, House, receive, running, send

LINEAR = AudioFormat(encoding="pcm_s16le", sample_rate_hz=16_000, channels=("citizen", "operator"))
ODD = AudioFormat(encoding="pcm_s16le", sample_rate_hz=11_025, channels=("mixed",))
MULAW = AudioFormat(encoding="mulaw", sample_rate_hz=8_000, channels=("citizen", "operator"))
FORMATS = {"linear": LINEAR, "odd": ODD, "mulaw": MULAW}
KEYS = keys_of(new_key_line("2026"))
SM4_KEYS = keys_of(new_key_line("2026", Suite.SM4))


def speech(audio_format: AudioFormat, seconds: float) -> bytes:
    """Something with pitch and pauses, other on each leg."""
    t = np.arange(round(seconds * audio_format.sample_rate_hz)) / audio_format.sample_rate_hz
    legs = [
        np.sin(2 * np.pi * (180 + 60 * leg) * t) * np.clip(np.sin(2 * np.pi * (0.3 + leg) * t), 0, 1) * 9000
        for leg in range(len(audio_format.channels))
    ]
    pcm = np.stack(legs, 1).astype("<i2")
    if audio_format.encoding == "pcm_s16le":
        return pcm.tobytes()
    levels = linear_samples(replace(audio_format, channels=("mixed",)), bytes(range(256)))[:, 0]
    order = np.argsort(levels, kind="stable")
    return order[np.searchsorted(levels[order], pcm).clip(0, 255)].astype(np.uint8).tobytes()


def spooled(
    folder: Path, audio_format: AudioFormat, seconds: float = 33.3, keys: Keys = NO_KEYS
) -> Recordings:
    folder.mkdir(exist_ok=True)
    spool_path(folder, "c-1").write_bytes(speech(audio_format, seconds))
    return Recordings(folder=folder, keys=keys)


def heard(sound: Sound, start: int = 0, end: int | None = None) -> np.ndarray:
    with sound:
        return np.concatenate(list(sound.pieces(start, sound.frames if end is None else end)))


def opened(recordings: Recordings, audio_format: AudioFormat) -> Sound:
    sound = recordings.open("c-1", audio_format)
    assert sound is not None
    return sound


def heard_frames(recordings: Recordings) -> int:
    with opened(recordings, LINEAR) as sound:
        return sound.frames


@pytest.mark.parametrize("keys", [NO_KEYS, KEYS, SM4_KEYS], ids=["open", "sealed", "sm4"])
@pytest.mark.parametrize("form", [Form.RAW, Form.LOSSLESS])
@pytest.mark.parametrize("name", FORMATS)
def test_what_is_packed_sounds_as_it_came_from_every_place(
    tmp_path: Path, name: str, form: Form, keys: Keys
) -> None:
    audio_format = FORMATS[name]
    recordings = spooled(tmp_path / "audio", audio_format, keys=keys)
    before = heard(opened(recordings, audio_format))
    gained = pack(recordings, "c-1", audio_format, form)
    assert not spool_path(recordings.folder, "c-1").exists()
    assert [path.name for path in recordings.folder.iterdir()] == ["c-1.zta"]
    if form is Form.LOSSLESS:
        assert gained > 0.3 * before.size
    assert (heard(opened(recordings, audio_format)) == before).all()
    rng = np.random.default_rng(3)
    for start, end in np.sort(rng.integers(0, len(before), (25, 2)), axis=1):
        part = heard(opened(recordings, audio_format), start, end + 1)
        assert (part == before[start : end + 1]).all()


@pytest.mark.parametrize("name", FORMATS)
def test_a_recording_for_the_ear_is_small_and_in_its_place(tmp_path: Path, name: str) -> None:
    audio_format = FORMATS[name]
    recordings = spooled(tmp_path / "audio", audio_format, keys=KEYS)
    before = heard(opened(recordings, audio_format)).astype(float)
    pack(recordings, "c-1", audio_format, Form.OPUS)
    assert box_path(recordings.folder, "c-1").stat().st_size < 0.4 * before.size * 2
    after = heard(opened(recordings, audio_format)).astype(float)
    assert after.shape == before.shape
    step = audio_format.sample_rate_hz // 100
    whole = len(before) // step * step
    envelopes = [np.abs(pcm[:whole, 0]).reshape(-1, step).mean(1) for pcm in (before, after)]
    assert np.corrcoef(*envelopes)[0, 1] > 0.97
    middle = round(17.05 * audio_format.sample_rate_hz)
    part = heard(opened(recordings, audio_format), middle, middle + 4000).astype(float)
    assert np.abs(part - after[middle : middle + 4000]).mean() <= 0.1 * np.abs(after).mean() + 1


def test_what_a_codec_for_the_ear_does_not_get_right_is_kept_whole(tmp_path: Path) -> None:
    recordings = spooled(tmp_path / "audio", LINEAR)
    spool_path(recordings.folder, "c-1").write_bytes(b"\x00\x30" * 320_000)  # a line that hangs
    before = heard(opened(recordings, LINEAR))
    pack(recordings, "c-1", LINEAR, Form.OPUS)
    with opened(recordings, LINEAR) as kept:
        assert kept.kept.codec is Codec.FLAC
    assert (heard(opened(recordings, LINEAR)) == before).all()


def test_a_call_without_sound_can_be_packed(tmp_path: Path) -> None:
    recordings = spooled(tmp_path / "audio", LINEAR, seconds=0.0)
    pack(recordings, "c-1", LINEAR, Form.LOSSLESS)
    assert heard_frames(recordings) == 0


def test_a_torn_last_frame_is_left_out(tmp_path: Path) -> None:
    recordings = spooled(tmp_path / "audio", LINEAR, seconds=1.0)
    with spool_path(recordings.folder, "c-1").open("ab") as file:
        file.write(b"\1\2\3")
    pack(recordings, "c-1", LINEAR, Form.LOSSLESS)
    assert heard_frames(recordings) == 16_000


def test_sealed_sound_is_not_on_the_disk(tmp_path: Path) -> None:
    recordings = spooled(tmp_path / "audio", LINEAR, keys=KEYS)
    raw = spool_path(recordings.folder, "c-1").read_bytes()
    pack(recordings, "c-1", LINEAR, Form.RAW)
    on_disk = box_path(recordings.folder, "c-1").read_bytes()
    loud = next(raw[at : at + 64] for at in range(0, len(raw), 64) if len(set(raw[at : at + 64])) > 20)
    assert loud not in on_disk
    assert KEYS.by_name["2026"] not in on_disk


def test_national_algorithms_seal_as_their_standard_says() -> None:
    """The example of RFC 8998, A.1: SM4-GCM."""
    key, nonce = bytes.fromhex("0123456789abcdeffedcba9876543210"), bytes.fromhex("00001234567800000000abcd")
    about = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    plain = b"".join(bytes([byte]) * 8 for byte in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA))
    sealed = (
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
        "83de3541e4c2b58177e065a9bf7b62ec"
    )
    assert Sm4Gcm(key).encrypt(nonce, plain, about).hex() == sealed
    assert Sm4Gcm(key).decrypt(nonce, bytes.fromhex(sealed), about) == plain
    seal = SM4_KEYS.seal("2026", b"salt")
    for data, said in ((b"", b"head"), (b"short", b"head"), (seal.close(1, b"sound", b"head"), b"other")):
        with pytest.raises(AudioDamaged):
            seal.open(1, data, said)
    assert isinstance(seal.cipher, Sm4Gcm)
    assert seal.open(1, seal.close(1, b"sound", b"head"), b"head") == b"sound"


def test_a_key_of_one_algorithm_opens_nothing_of_the_other() -> None:
    other = keys_of(new_key_line("2026", Suite.SM4))
    same = Keys(by_name=other.by_name)
    seals: list[Seal] = [keys.seal("2026", b"salt") for keys in (other, same)]
    with pytest.raises(AudioDamaged):
        seals[1].open(1, seals[0].close(1, b"sound", b"head"), b"head")


def test_a_new_key_seals_and_old_ones_still_open(tmp_path: Path) -> None:
    old = spooled(tmp_path / "audio", LINEAR, keys=KEYS)
    before = heard(opened(old, LINEAR))
    pack(old, "c-1", LINEAR, Form.LOSSLESS)
    newer = keys_of(f"# the new one\n{new_key_line('2027')}\n")
    both = Recordings(folder=old.folder, keys=Keys(by_name={**newer.by_name, **KEYS.by_name}))
    assert both.keys.current == "2027"
    sound = opened(both, LINEAR)
    assert sound.kept.key == "2026"
    assert (heard(sound) == before).all()
    with pytest.raises(KeyMissing) as missing:
        Recordings(folder=old.folder, keys=newer).open("c-1", LINEAR)
    assert (missing.value.code, missing.value.key_id) == ("audio.key_missing", "2026")
    wrong = Keys(by_name={"2026": newer.by_name["2027"]})
    with pytest.raises(AudioDamaged):
        Recordings(folder=old.folder, keys=wrong).open("c-1", LINEAR)


@pytest.mark.parametrize("keys", [NO_KEYS, KEYS, SM4_KEYS], ids=["open", "sealed", "sm4"])
def test_whatever_is_changed_is_noticed(tmp_path: Path, keys: Keys) -> None:
    recordings = spooled(tmp_path / "audio", LINEAR, keys=keys)
    pack(recordings, "c-1", LINEAR, Form.LOSSLESS)
    path = box_path(recordings.folder, "c-1")
    whole = path.read_bytes()
    places = [0, 5, len(whole) // 2, len(whole) - 3, *np.random.default_rng(5).integers(300, len(whole), 20)]
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 0x41
        path.write_bytes(changed)
        with pytest.raises(AudioDamaged):
            heard(opened(recordings, LINEAR))
    for length in (0, 3, 40, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(AudioDamaged):
            heard(opened(recordings, LINEAR))


def test_what_a_crash_left_is_taken_up(tmp_path: Path) -> None:
    recordings = spooled(tmp_path / "audio", LINEAR)
    raw = spool_path(recordings.folder, "c-1").read_bytes()
    box_path(recordings.folder, "c-1").with_suffix(".part").write_bytes(b"half")
    pack(recordings, "c-1", LINEAR, Form.LOSSLESS)
    spool_path(recordings.folder, "c-1").write_bytes(raw)  # stopped before it was taken away
    pack(recordings, "c-1", LINEAR, Form.LOSSLESS)
    assert [path.name for path in recordings.folder.iterdir()] == ["c-1.zta"]
    spool_path(recordings.folder, "c-1").write_bytes(raw[:64_000])  # not the same call
    with pytest.raises(AudioDamaged):
        pack(recordings, "c-1", LINEAR, Form.LOSSLESS)
    assert spool_path(recordings.folder, "c-1").read_bytes() == raw[:64_000], (
        "the spool is the one to believe"
    )


@pytest.mark.parametrize(
    "text",
    [
        *("", "a", "a b", "a " + "A" * 40, f"{new_key_line('k')}\n{new_key_line('k')}"),
        *(f"{new_key_line('k')} sm2", f"{new_key_line('k')} sm4 sm4"),
    ],
    ids=["nothing", "a name", "no key", "a short key", "two of one name", "another cipher", "two ciphers"],
)
def test_a_bad_key_file_is_refused_without_telling_it(text: str) -> None:
    with pytest.raises(BadKeys) as refused:
        keys_of(text)
    assert "A" * 8 not in str(refused.value)


def test_a_server_does_not_start_with_keys_that_cannot_be_used(tmp_path: Path) -> None:
    for content in (None, "2026 short", "\xff\xfe"):
        path = tmp_path / "keys"
        if content is not None:
            path.write_bytes(content.encode("latin-1"))
        with pytest.raises(ValidationError, match="audio_keys cannot be used"):
            Settings(data_dir=tmp_path, audio_keys=path, _env_file=None)  # type: ignore[call-arg]


async def test_the_house_packs_what_is_over_and_lets_running_calls_be(tmp_path: Path) -> None:
    async with running(tmp_path) as house, house.socket("/v1/calls/audio") as line:
        await talk(house, "c-1", LINEAR, speech(LINEAR, 2.0))
        await send(line, START | {"call_id": "c-2"})
        await receive(line)
        await line.send(b"\0" * 3200)
        database = open_database(database_in(tmp_path))
        recordings, records = Recordings(folder=tmp_path / "audio", keys=NO_KEYS), Records(database)
        keeping = asyncio.create_task(keep_packed(recordings, records, Form.LOSSLESS, after_s=0.0))
        async with asyncio.timeout(60):
            await until_packed(recordings, "c-1")
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        database.dispose()
        names = sorted(path.name for path in recordings.folder.iterdir())
        assert names == ["c-1.zta", "c-2.raw"]


async def until_packed(recordings: Recordings, call_id: str) -> None:
    while True:
        if (
            box_path(recordings.folder, call_id).exists()
            and not spool_path(recordings.folder, call_id).exists()
        ):
            return
        await asyncio.sleep(0.05)


@given(st.integers(1, 500), st.integers(0, 600), st.integers(0, 600))
def test_ranges(length: int, first: int, last: int) -> None:
    try:
        found = range_of(f"bytes={first}-{last}", length)
    except ValueError:
        assert first >= length or last < first
    else:
        assert found == (first, min(last + 1, length))
    assert range_of("bytes=0-", length) == (0, length)
    assert (
        range_of(None, length) is range_of("bytes=0-1,3-4", length) is range_of("lines=1-2", length) is None
    )
    assert range_of("bytes=-3", length) == (max(0, length - 3), length)


async def talk(house: House, call_id: str, audio_format: AudioFormat, data: bytes) -> None:
    """A call that has ended."""
    start = START | {"call_id": call_id, "channels": list(audio_format.channels)}
    start |= {"encoding": audio_format.encoding, "sample_rate": audio_format.sample_rate_hz}
    async with house.socket("/v1/calls/audio") as line:
        await send(line, start)
        await receive(line)
        await line.send(data)
        await send(line, {"type": "stop"})
        await receive(line)


async def test_a_player_hears_a_sealed_call_by_stretches(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(new_key_line("2026"))
    data = speech(LINEAR, 12.0)
    async with (
        running(tmp_path / "var", audio_keys=tmp_path / "keys") as house,
        httpx.AsyncClient(base_url=house.url, timeout=60) as client,
    ):
        await talk(house, "c-1", LINEAR, data)
        plain = await client.get("/v1/calls/c-1/sound")
        spool = spool_path(tmp_path / "var" / "audio", "c-1")
        assert plain.status_code == 200
        database = open_database(database_in(tmp_path / "var"))
        recordings = Recordings(folder=spool.parent, keys=keys_of((tmp_path / "keys").read_text()))
        assert await asyncio.to_thread(pack_call, recordings, Records(database), Form.LOSSLESS, "c-1")
        database.dispose()
        assert not spool.exists()
        packed = await client.get("/v1/calls/c-1/sound")
        assert packed.content == plain.content
        with wave.open(io.BytesIO(packed.content)) as file:
            assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (2, 16_000, 192_000)
        for asked in ("bytes=0-0", "bytes=10-100", "bytes=44-", "bytes=300001-400003", "bytes=-7"):
            part = await client.get("/v1/calls/c-1/sound", headers={"Range": asked})
            first, last = range_of(asked, len(plain.content)) or (0, 0)
            assert part.status_code == 206
            assert part.content == plain.content[first:last]
            assert part.headers["content-range"] == f"bytes {first}-{last - 1}/{len(plain.content)}"
        beyond = await client.get("/v1/calls/c-1/sound", headers={"Range": "bytes=99999999-"})
        assert beyond.status_code == 416
        one = await client.get("/v1/calls/c-1/sound", params={"leg": "operator"})
        with wave.open(io.BytesIO(one.content)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        assert (samples == np.frombuffer(data, "<i2")[1::2]).all()
        none = await client.get("/v1/calls/c-1/sound", params={"leg": "mixed"})
        assert (none.status_code, none.json()["detail"]["code"]) == (404, "call.no_leg")
        stretch = await client.get("/v1/calls/c-1/audio", params={"from_s": 3, "to_s": 4})
        assert stretch.content[44:] == data[3 * 64_000 : 4 * 64_000]
    async with (
        running(tmp_path / "var") as house,
        httpx.AsyncClient(base_url=house.url, timeout=60) as client,
    ):
        locked = await client.get("/v1/calls/c-1/sound")
        assert (locked.status_code, locked.json()["detail"]["code"]) == (503, "audio.key_missing")
        assert "2026" in locked.json()["detail"]["message"]
