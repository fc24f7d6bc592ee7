"""The command line of the knowledge base, as a person and as the server use it, and the shipped vectors."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_ui.settings import Settings
from agent_ui.tuning import defaults_of
from agent_ui.tuning_file import FILE_NAME, TuningFile
from knowledge_base.importer import load_sample, sample_vectors
from knowledge_base.passages import cut
from knowledge_base.types import ArticleState
from knowledge_base.versions import VersionFolder
from models.cache import resolve
from retrieval.embedder import SentenceEmbedder
from retrieval.vector_files import read_pack
from scripts.kb_parts import state_of_new

CSV = "编号,标题,正文,相似问法\nB1,共享单车乱停,登记地点后转交运营企业。,单车堵门口了\nB2,,没有标题。,\n"


def zhiting(data_dir: Path, *arguments: str, code: int = 0) -> str:
    environment = os.environ | {"ZHITING_DATA_DIR": str(data_dir), "COLUMNS": "200", "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "scripts.cli", "kb", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent.parent,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.mark.process
def test_import_export_and_dry_run(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV, encoding="utf-8")
    told = zhiting(tmp_path, "import", str(tmp_path / "a.csv"), "--preview")
    assert "a.csv:3: 缺少标题" in told
    assert "未作任何改动" in told
    assert "新增 1 条" in zhiting(tmp_path, "import", str(tmp_path / "a.csv"), "--author", "小王")
    assert "新增 1 条：B1" in zhiting(tmp_path, "publish", "--dry-run")
    zhiting(tmp_path, "export", str(tmp_path / "b.jsonl"))
    row = json.loads((tmp_path / "b.jsonl").read_text(encoding="utf-8"))
    assert (row["article_id"], row["questions"]) == ("B1", ["单车堵门口了"])
    (tmp_path / "c.docx").write_bytes(b"PK\x03\x04")
    assert "不完整" in zhiting(tmp_path, "import", str(tmp_path / "c.docx"), code=1)


def test_the_command_line_goes_by_what_an_admin_has_set(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, _env_file=None)  # type: ignore[call-arg]
    assert state_of_new(settings) is ArticleState.APPROVED
    file = TuningFile(tmp_path / FILE_NAME, defaults_of(settings))
    file.change({"kb_review": True}, by="chief", at=settings.now())
    assert state_of_new(settings) is ArticleState.IN_REVIEW


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder with the embedding model."""
    folder = tmp_path_factory.mktemp("data")
    resolve("e5-small", cache_dir=folder / "models", allow_hub=False)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.weights
def test_the_shipped_vectors_are_those_of_the_sample(data_dir: Path) -> None:
    embedder = SentenceEmbedder(resolve("e5-small", cache_dir=data_dir / "models", allow_hub=False))
    pack = read_pack(sample_vectors(), model=embedder.name, dimension=embedder.dimension)
    passages = {p.content_hash: p for article in load_sample() for p in cut(article)}
    assert pack.keys() == passages.keys(), "run: zhiting kb sample-vectors"
    some = [passage for passage in passages.values() if passage.kind == "question"][::200]
    for passage, vector in zip(some, embedder.embed_passages([p.text for p in some]), strict=True):
        assert pack[passage.content_hash] @ vector > 0.999


@pytest.mark.weights
@pytest.mark.process
def test_publish_canary_and_rollback_with_the_real_model(data_dir: Path) -> None:
    zhiting(data_dir, "import", "--sample")
    zhiting(data_dir, "canary", "add", "马路上的路灯不亮了找谁修", "T005")
    assert "160 条知识" in zhiting(data_dir, "publish")
    first = VersionFolder(data_dir / "kb").current()
    assert first is not None
    (data_dir / "a.csv").write_text(CSV, encoding="utf-8")
    zhiting(data_dir, "import", str(data_dir / "a.csv"))
    assert "161 条知识" in zhiting(data_dir, "publish", "--background")
    assert "B1" in zhiting(data_dir, "search", "单车把门口堵了", "-k", "1")
    assert first in zhiting(data_dir, "versions")
    zhiting(data_dir, "rollback", first)
    assert VersionFolder(data_dir / "kb").current() == first
    told = json.loads(zhiting(data_dir, "rollback", "--background", "--", "2020", code=1).splitlines()[-1])
    assert told["code"] == "kb.bad_version"
