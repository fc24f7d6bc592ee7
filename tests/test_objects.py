"""Shared files: a folder and a store of S3 behave alike; one that is away, or torn from us, loses nothing."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent_ui.settings import Settings
from agent_ui.shared_files import open_files
from knowledge_base.objects.folder import FolderObjects
from knowledge_base.objects.opening import BadAddress, check_address, open_objects
from knowledge_base.objects.types import NoSuchObject, Objects, ObjectsAway
from tests.object_store import ObjectStore

pytestmark = pytest.mark.filterwarnings("error")


def file_of(folder: Path, content: bytes) -> Path:
    path = folder / f"file of {len(content)}"
    path.write_bytes(content)
    return path


def test_what_is_put_comes_back_whole_and_in_pieces(objects: Objects, tmp_path: Path) -> None:
    content = bytes(range(256)) * 9000  # more than one piece
    objects.put("audio/c-1.zta", file_of(tmp_path, content))
    objects.put("audio/空.zta", file_of(tmp_path, b""))
    objects.fetch("audio/c-1.zta", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == content
    objects.fetch("audio/空.zta", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b""
    assert (objects.size("audio/c-1.zta"), objects.size("audio/空.zta")) == (len(content), 0)
    assert objects.read("audio/c-1.zta", 250, 260) == content[250:260]
    assert objects.read("audio/c-1.zta", len(content) - 3, len(content) + 50) == content[-3:]
    assert objects.read("audio/c-1.zta", len(content) + 5, len(content) + 50) == b""
    assert objects.read("audio/c-1.zta", 7, 7) == b""


def test_texts_are_put_and_put_again(objects: Objects) -> None:
    assert objects.text("kb/current") is None
    for text in ("v1\n", "版本二\n", ""):
        objects.set_text("kb/current", text)
        assert objects.text("kb/current") == text


def test_what_is_not_there(objects: Objects, tmp_path: Path) -> None:
    assert objects.size("audio/c-9.zta") is None
    for ask in (
        lambda: objects.fetch("audio/c-9.zta", tmp_path / "none"),
        lambda: objects.read("audio/c-9.zta", 0, 9),
    ):
        with pytest.raises(NoSuchObject):
            ask()
    objects.delete("audio/c-9.zta")
    assert list(objects.under("audio/")) == []
    assert objects.stats().is_up
    assert objects.stats().failures == 0


def test_listing_and_deleting(objects: Objects, tmp_path: Path) -> None:
    for name in ("audio/c-1.zta", "audio/c-10.zta", "audio2/c-1.zta", "kb/v1/version.json"):
        objects.put(name, file_of(tmp_path, name.encode()))
    assert [(one.name, one.n_bytes) for one in objects.under("audio/")] == [
        ("audio/c-1.zta", 13),
        ("audio/c-10.zta", 14),
    ]
    assert all(one.changed > 1_700_000_000 for one in objects.under("kb/"))
    objects.delete("audio/c-1.zta")
    assert [one.name for one in objects.under("audio/")] == ["audio/c-10.zta"]
    assert objects.size("audio2/c-1.zta") == 14


def test_no_name_leads_elsewhere(objects: Objects, tmp_path: Path) -> None:
    for name in ("", "/etc/passwd", "../up", "a/../b", "a//b", "a/.hidden", "a\\b", "a/\n"):
        with pytest.raises(ValueError, match="not a name"):
            objects.put(name, file_of(tmp_path, b"x"))


def test_a_folder_that_is_not_mounted_is_away_and_not_empty(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path / "not mounted")
    with pytest.raises(ObjectsAway):
        objects.text("kb/current")
    with pytest.raises(ObjectsAway):
        list(objects.under("audio/"))
    with pytest.raises(ObjectsAway):
        objects.put("kb/current", file_of(tmp_path, b"x"))
    assert not (tmp_path / "not mounted").exists()
    assert (objects.stats().is_up, objects.stats().failures) == (False, 3)
    (tmp_path / "not mounted").mkdir()
    assert objects.text("kb/current") is None
    assert objects.stats().is_up


def test_a_store_that_is_away_says_so_and_comes_back(object_store: ObjectStore, tmp_path: Path) -> None:
    objects = open_objects(object_store.bucket(), endpoint=object_store.endpoint)
    assert objects is not None
    objects.set_text("kb/current", "v1")
    object_store.cable.cut()
    for _ in range(2):
        with pytest.raises(ObjectsAway) as away:
            objects.put("audio/c-1.zta", file_of(tmp_path, b"x"))
    assert (away.value.code, away.value.recoverable) == ("kb.objects_away", True)
    assert "test-secret" not in str(away.value)
    assert (objects.stats().is_up, objects.stats().failures) == (False, 2)
    object_store.cable.mend()
    assert objects.text("kb/current") == "v1"
    assert objects.size("audio/c-1.zta") is None
    assert objects.stats().is_up
    objects.close()


def test_an_upload_that_is_torn_off_leaves_what_was_there(object_store: ObjectStore, tmp_path: Path) -> None:
    objects = open_objects(object_store.bucket(), endpoint=object_store.endpoint)
    assert objects is not None
    objects.put("audio/c-1.zta", file_of(tmp_path, b"as it was"))
    object_store.cable.cut()  # so that connections are new ones
    object_store.cable.mend()
    object_store.cable.limit = 300_000
    with pytest.raises(ObjectsAway):
        objects.put("audio/c-1.zta", file_of(tmp_path, b"\x01" * 2_000_000))
    with pytest.raises(ObjectsAway):
        objects.put("audio/c-2.zta", file_of(tmp_path, b"\x01" * 2_000_000))
    object_store.cable.mend()
    assert objects.read("audio/c-1.zta", 0, 100) == b"as it was"
    assert objects.size("audio/c-2.zta") is None
    objects.close()


def test_a_bucket_that_is_not_there_or_keys_that_are_missing(
    object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = open_objects("s3://b-nobody", endpoint=object_store.endpoint)
    assert objects is not None
    with pytest.raises(ObjectsAway, match="NoSuchBucket"):
        list(objects.under("kb/"))
    objects.close()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    objects = open_objects("s3://b-nobody", endpoint=object_store.endpoint)
    assert objects is not None
    with pytest.raises(ObjectsAway, match="NoCredentialsError"):
        objects.text("kb/current")
    objects.close()


def test_what_is_deleted_is_gone_from_a_bucket_that_keeps_versions(
    object_store: ObjectStore, tmp_path: Path
) -> None:
    address = object_store.bucket(keeps_versions=True)
    objects = open_objects(address, endpoint=object_store.endpoint)
    assert objects is not None
    for name in ("audio/c-1.zta", "audio/c-10.zta"):
        objects.put(name, file_of(tmp_path, b"first"))
        objects.put(name, file_of(tmp_path, b"second"))
    objects.delete("audio/c-1.zta")
    objects.close()
    client = object_store.client()
    page = client.list_object_versions(Bucket=address.split("/")[2])
    client.close()
    assert [one["Key"] for one in page["Versions"]] == ["house/audio/c-10.zta"] * 2
    assert "DeleteMarkers" not in page


@pytest.mark.parametrize(
    "address",
    [
        "bucket",
        "s3://",
        "s3:///x",
        "http://host/b",
        "file://host/x",
        "file:///",
        "s3://key:secret@b/x",
        "s3://b?x=1",
    ],
)
def test_an_address_that_is_none_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(BadAddress):
        check_address(address)
    with pytest.raises(ValueError, match="objects "):
        Settings(objects=address, data_dir=tmp_path, _env_file=None)  # type: ignore[call-arg]


async def test_the_data_folder_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "shared" / "audio").mkdir(parents=True)
    (tmp_path / "by another way").symlink_to(tmp_path / "var")
    for address, more in (
        ("var", {}),
        ("var/shared", {}),
        ("by another way", {}),
        ("shared", {"audio_dir": tmp_path / "shared" / "audio"}),
    ):
        values = {"data_dir": tmp_path / "var", "objects": f"file://{tmp_path / address}"} | more
        with pytest.raises(ValueError, match="outside of the data folder"):
            Settings(**values, _env_file=None)  # type: ignore[arg-type]
    settings = Settings(data_dir=tmp_path / "var", objects=f"file://{tmp_path / 'moved'}", _env_file=None)  # type: ignore[call-arg]
    (tmp_path / "var").mkdir()
    (tmp_path / "moved").symlink_to(tmp_path / "var")  # as a disk that is mounted twice
    with pytest.raises(SystemExit, match="同一个地方"):
        async with open_files(settings):
            pass


def test_a_store_that_hangs_holds_few(object_store: ObjectStore) -> None:
    objects = open_objects(object_store.bucket(), endpoint=object_store.endpoint)
    assert objects is not None
    objects.set_text("kb/current", "v1")
    object_store.pause()
    with ThreadPoolExecutor(30) as threads:
        asked = [threads.submit(objects.text, "kb/current") for _ in range(30)]
        refused = [one.exception(timeout=120) for one in asked]
        object_store.go_on()
    assert all(isinstance(one, ObjectsAway) for one in refused)
    assert sum("请求太多" in str(one) for one in refused) == 18
    assert objects.text("kb/current") == "v1"
    objects.close()


def test_without_an_address_files_stay_in_the_data_folder(tmp_path: Path) -> None:
    assert open_objects("") is None
    assert Settings(data_dir=tmp_path, _env_file=None).open_objects() is None  # type: ignore[call-arg]
    assert isinstance(open_objects(f"file://{tmp_path}"), FolderObjects)
