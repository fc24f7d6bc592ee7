"""Versions on disk: whole or absent, one publisher at a time, nothing left of a killed one."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from knowledge_base.types import BadVersion, KnowledgeError, Version
from knowledge_base.versions import VersionFolder, version_name, write_description

NOW = datetime(2026, 3, 5, 10, 15, tzinfo=UTC)


def version(name: str) -> Version:
    return Version(
        version=name,
        published_at=NOW,
        articles=1,
        passages=2,
        model="m@1",
        dimension=3,
        content_hash="ab",
    )


def build(versions: VersionFolder, name: str) -> None:
    with versions.building(name) as aside:
        (aside / "data").write_text(name)
        write_description(aside, version(name))


def test_a_built_version_is_described_and_served_when_pointed_to(tmp_path: Path) -> None:
    versions = VersionFolder(tmp_path / "kb")
    assert (versions.current(), versions.names()) == (None, [])
    with versions.publishing():
        build(versions, "v1")
        assert versions.current() is None
        versions.point_to("v1")
    assert versions.current() == "v1"
    assert versions.describe("v1") == version("v1")
    assert (versions.path("v1") / "data").read_text() == "v1"


def test_a_failed_build_leaves_no_version(tmp_path: Path) -> None:
    versions = VersionFolder(tmp_path)
    with versions.publishing():
        with pytest.raises(KeyboardInterrupt), versions.building("v1"):
            raise KeyboardInterrupt
        with pytest.raises(BadVersion), versions.building("v2"):
            pass  # no description: not a version
    assert versions.names() == []
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_leftovers_of_a_killed_publish_are_removed_by_the_next(tmp_path: Path) -> None:
    versions = VersionFolder(tmp_path)
    (tmp_path / ".building-v1").mkdir()
    (tmp_path / ".building-v1" / "half").write_text("…")
    (tmp_path / ".removing-v0").mkdir()
    assert versions.names() == []
    with versions.publishing():
        build(versions, "v1")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "v1"]


def test_only_one_publishes_at_a_time(tmp_path: Path) -> None:
    with VersionFolder(tmp_path).publishing():
        with pytest.raises(KnowledgeError) as refused, VersionFolder(tmp_path).publishing():
            pass
        assert (refused.value.code, refused.value.recoverable) == ("kb.publishing", True)
    with VersionFolder(tmp_path).publishing():
        pass


def test_pruning_keeps_the_newest_and_the_served(tmp_path: Path) -> None:
    versions = VersionFolder(tmp_path)
    with versions.publishing():
        for name in ("v1", "v2", "v3", "v4"):
            build(versions, name)
        versions.point_to("v1")
        assert versions.prune(2) == ["v2"]
    assert versions.names() == ["v1", "v3", "v4"]


def test_an_unknown_or_damaged_version_is_refused(tmp_path: Path) -> None:
    versions = VersionFolder(tmp_path)
    with pytest.raises(BadVersion, match="不存在"):
        versions.path("../elsewhere")
    with versions.publishing():
        build(versions, "v1")
        with pytest.raises(BadVersion):
            versions.point_to("v2")
    (tmp_path / "v1" / "version.json").write_text("{")
    with pytest.raises(BadVersion, match="读不出来"):
        versions.describe("v1")


def test_names_sort_by_time() -> None:
    assert version_name(NOW, "1a2b3c4d5e") == "20260305T101500-1a2b3c4d"
