"""`zhiting models`, in this process and through its own parser."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from models.manifest import shipped_manifest
from scripts.models_cli import app

runner = CliRunner()


def test_list_names_every_model(tmp_path: Path) -> None:
    shown = runner.invoke(app, ["list", "--cache-dir", str(tmp_path)])
    assert shown.exit_code == 0
    for model in shipped_manifest().models:
        assert model.name in shown.stdout
    assert "yes" not in shown.stdout
    (tmp_path / shipped_manifest().require("e5-small").folder_name).mkdir()
    assert "yes" in runner.invoke(app, ["list", "--cache-dir", str(tmp_path)]).stdout


def test_failures_are_a_sentence_and_code_1(tmp_path: Path) -> None:
    at = ["--cache-dir", str(tmp_path)]
    for command, complaint in (
        (["fetch", "nonsense"], "'nonsense' is no model of the manifest"),
        (["fetch", "some/model", "--no-hub"], "switched off"),
        (["verify"], "run `zhiting models fetch whisper-base` [models.missing]"),
        (["verify", "some/model"], "some/model is not in"),
    ):
        failed = runner.invoke(app, [*command, *at])
        assert failed.exit_code == 1
        assert failed.stdout == ""
        assert complaint in failed.stderr
        assert len(failed.stderr.splitlines()) == 1


def test_a_data_directory_is_taken_from_the_environment(tmp_path: Path) -> None:
    failed = runner.invoke(app, ["verify"], env={"ZHITING_DATA_DIR": str(tmp_path / "data")})
    assert f"is not in {tmp_path / 'data' / 'models'}" in failed.stderr


@pytest.mark.weights
def test_fetch_then_verify_then_damage(tmp_path: Path) -> None:
    at = ["whisper-base", "--cache-dir", str(tmp_path)]
    fetched = runner.invoke(app, ["fetch", *at])
    assert fetched.exit_code == 0
    name, folder = fetched.stdout.strip().split("\t")
    assert name == "whisper-base"
    assert "assembling whisper-base" in fetched.stderr
    assert runner.invoke(app, ["verify", *at]).exit_code == 0

    model = Path(folder) / "model.bin"
    with model.open("r+b") as file:
        file.seek(1000)
        byte = file.read(1)
        file.seek(1000)
        file.write(bytes([byte[0] ^ 1]))
    failed = runner.invoke(app, ["verify", *at])
    assert failed.exit_code == 1
    assert "model.bin in" in failed.stderr
    assert "[models.bad_hash]" in failed.stderr
    model.unlink()
