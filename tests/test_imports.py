"""The house's order: which package may import which, and where each third party is let in."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

MAY_IMPORT: dict[str, set[str]] = {
    "models": set(),
    "access": {
        "knowledge_base.database",  # one way of writing to the one database
        "knowledge_base.dialects",
    },
    "asr": set(),
    "knowledge_base": set(),
    "retrieval": {"asr.types", "knowledge_base"},
    "calls": {
        "asr.types",
        "asr.decode",  # bytes become frames at the line
        "asr.batch",  # jobs
        "asr.refusals",
        "asr.file_decode",
        "asr.sounds",  # calls are found by how their words sound
        "asr.vocabulary",  # a misheard name is no word of the language
        "asr.numbers",  # a house number in an address is written in digits
        "knowledge_base.types",
        "knowledge_base.database",  # one way of writing to the one database
        "knowledge_base.dialects",
        "knowledge_base.postgres",
        "knowledge_base.objects",  # files that all servers share
        "knowledge_base.json_text",
        "knowledge_base.plain_text",  # one idea of what can be shown
        "retrieval.types",
    },
    "insight": {
        "calls.arrivals",  # what is counted, where it stands
        "calls.forms.tables",
        "calls.keeping.tables",
        "calls.orders.tables",
        "calls.orders.types",
        "calls.tables",
        "calls.types",
        "calls.wrapup.types",
        "calls.moments",
        "calls.masking",  # what citizens said stands in reports without what leads to them
        "calls.alarms",  # what was said of danger is a warning at once
        "calls.safety.tables",
        "calls.forms.types",
        "calls.orders.workdays",  # what is usual on a holiday is something else
        "calls.webhooks.outbox",
        "calls.webhooks.types",
        "knowledge_base.database",  # one way of writing to the one database
        "knowledge_base.dialects",
        "knowledge_base.postgres",
        "knowledge_base.json_text",
    },
    "agent_ui": {
        "access",  # who is at the door
        "asr.types",
        "asr.terms",  # an admin's own words for the ears
        "asr.term_file",
        "asr.pool_options",  # how many calls the machine takes
        "asr.pool_stats",  # how the ears fare
        "asr.timing",  # when finals were decoded, for traces
        "asr.remote.types",  # how those on other machines fare
        "asr.batch",  # recordings that programs and people bring
        "asr.prompt",
        "knowledge_base",  # the knowledge desk shows and changes all of it
        "retrieval.types",
        "retrieval.vectors",
        "retrieval.gaps",  # missed questions are grouped
        "retrieval.publishing",  # what a publish would change
        "retrieval.excerpt",  # a search result reads like a card
        "retrieval.advisor",  # what a card takes, which may be set
        "retrieval.explaining",  # why a question finds what it finds
        "calls",
        "insight.hall",
        "insight.raised",
        "insight.reports",
        "insight",
    },
}
"""Modules, or whole packages, of the project that a package may import beside its own."""

FENCES: dict[str, set[str]] = {
    "faster_whisper": {"asr/transcriber.py", "asr/decode.py", "scripts/bench_batch.py"},
    "ctranslate2": {"asr/transcriber.py", "asr/decode.py", "scripts/doctor.py"},
    "atheris": {"scripts/"},
    "chinese_calendar": {"calls/orders/workdays.py"},
    "onnxruntime": {"asr/vad.py"},
    "scipy": {"insight/warning/tails.py", "scripts/"},
    "matplotlib": {"scripts/plot_soak.py", "scripts/plot_warnings.py"},
    "schemathesis": {"scripts/fuzz_api.py"},
    "sherpa_onnx": {"asr/sherpa.py"},
    "faiss": {"insight/clusters/neighbours.py", "retrieval/index.py"},
    "sentence_transformers": {"retrieval/embedder.py", "retrieval/reranker.py"},
    "torch": {"asr/batch/voices.py", "retrieval/embedder.py", "retrieval/reranker.py"},
    "cryptography": {"calls/audio/keys.py"},
    "boto3": {"knowledge_base/objects/s3.py"},
    "botocore": {"knowledge_base/objects/"},
    "alembic": {"knowledge_base/database.py", "knowledge_base/migrations/"},
    "argon2": {"access/passwords.py"},
    "authlib": {"agent_ui/oidc_rest.py"},
    "joserfc": {"agent_ui/oidc_rest.py"},
    "prometheus_client": {
        "agent_ui/meter.py",
        "agent_ui/metrics.py",
        "agent_ui/metrics_rest.py",
        "scripts/soak.py",  # reads what they tell
    },
    "sqlalchemy": {
        "access/",
        "asr/batch/manifest.py",  # a book of its own, beside the results
        "knowledge_base/database.py",
        "knowledge_base/copying.py",
        "knowledge_base/dialects.py",
        "knowledge_base/postgres.py",
        "knowledge_base/store.py",
        "knowledge_base/tables.py",
        "knowledge_base/rows.py",
        "knowledge_base/canaries.py",
        "knowledge_base/overview.py",
        "knowledge_base/feedback.py",
        "knowledge_base/turns.py",
        "knowledge_base/migrations/",
        "agent_ui/knowledge_desk.py",  # the type of the opened database
        "agent_ui/cluster.py",  # the same
        "agent_ui/keeping_desk.py",  # the same
        "agent_ui/papers.py",  # the same
        "agent_ui/house.py",  # the same
        "agent_ui/warning_parts.py",  # the same
        "scripts/",
        "calls/usage.py",
        "calls/holding/",
        "calls/journal.py",
        "calls/records.py",
        "calls/quality/desk.py",  # the type of the opened database
        "calls/quality/store.py",
        "calls/quality/tables.py",
        "calls/supervision/desk.py",  # the type of the opened database
        "calls/supervision/store.py",
        "calls/safety/desk.py",  # the type of the opened database
        "calls/safety/rows.py",
        "calls/safety/store.py",
        "calls/safety/tables.py",
        "calls/search/finding.py",
        "calls/search/full_text.py",
        "calls/search/index.py",
        "calls/search/tables.py",
        "calls/search/taking_in.py",
        "calls/tables.py",
        "calls/forms/keeping.py",
        "calls/forms/tables.py",
        "calls/jobs/",
        "calls/orders/attachments.py",
        "calls/listing.py",
        "calls/keeping/",
        "calls/papers/",
        "calls/orders/desk.py",  # the type of the opened database
        "calls/orders/erasure.py",
        "calls/orders/store.py",
        "calls/orders/tables.py",
        "calls/orders/vectors.py",
        "calls/webhooks/outbox.py",
        "calls/webhooks/tables.py",
        "calls/arrivals/store.py",
        "calls/arrivals/tables.py",
        "agent_ui/hall_desk.py",  # the type of the opened database
        "insight/hall/reading.py",
        "insight/raised/alarms.py",
        "insight/raised/desk.py",  # the type of the opened database
        "insight/raised/lookout.py",  # the same
        "insight/raised/mails.py",
        "insight/raised/reports.py",
        "insight/raised/saying.py",
        "insight/raised/state.py",
        "insight/raised/store.py",
        "insight/reports/asking.py",  # the type of the opened database
        "insight/reports/building.py",  # the same
        "insight/reports/desk.py",  # the same
        "insight/reports/store.py",
        "insight/reports/tables.py",
        "insight/raised/tables.py",
    },
    "fastapi": {
        "agent_ui/alarms_rest.py",
        "agent_ui/arrivals_rest.py",
        "agent_ui/hall_rest.py",
        "agent_ui/metrics_rest.py",
        "agent_ui/bodies.py",
        "agent_ui/complaints.py",
        "agent_ui/departments_rest.py",
        "agent_ui/door.py",
        "agent_ui/routes.py",
        "agent_ui/session_rest.py",
        "agent_ui/people_rest.py",
        "agent_ui/audit_rest.py",
        "agent_ui/oidc_rest.py",
        "agent_ui/pages.py",
        "agent_ui/paging.py",
        "agent_ui/rest.py",
        "agent_ui/call_search_rest.py",
        "agent_ui/call_sound_rest.py",
        "agent_ui/calls_rest.py",
        "agent_ui/health.py",
        "agent_ui/job_access.py",
        "agent_ui/job_files_rest.py",
        "agent_ui/jobs_rest.py",
        "agent_ui/kb_rest.py",
        "agent_ui/kb_publish_rest.py",
        "agent_ui/kb_editing_rest.py",
        "agent_ui/kb_learning_rest.py",
        "agent_ui/kb_try_rest.py",
        "agent_ui/lexicon_rest.py",
        "agent_ui/lines.py",
        "agent_ui/order_access.py",
        "agent_ui/order_advice_rest.py",
        "agent_ui/order_attachments_rest.py",
        "agent_ui/order_erasure_rest.py",
        "agent_ui/orders_rest.py",
        "agent_ui/quality_rest.py",
        "agent_ui/recorded_rest.py",
        "agent_ui/recordings_rest.py",
        "agent_ui/refusals.py",
        "agent_ui/record_rest.py",
        "agent_ui/reports_rest.py",
        "agent_ui/retention_rest.py",
        "agent_ui/screens.py",
        "agent_ui/sheets.py",
        "agent_ui/sockets.py",
        "agent_ui/supervision_rest.py",
        "agent_ui/system_rest.py",
        "agent_ui/telephony_rest.py",
        "agent_ui/transcriptions_rest.py",
        "agent_ui/uploads.py",
        "agent_ui/warning_access.py",
        "agent_ui/warnings_rest.py",
        "agent_ui/warning_mails_rest.py",
        "agent_ui/webhooks_rest.py",
        "agent_ui/wrapup_rest.py",
        "calls/ingest/carrying.py",
        "calls/ingest/leg_socket.py",
        "calls/ingest/websocket.py",
        "server.py",
    },
    "opentelemetry": {"agent_ui/tracing.py", "agent_ui/traced_finals.py"},
    "requests": {
        "agent_ui/tracing.py",
        "scripts/fuzz_api.py",
    },  # what OpenTelemetry and schemathesis send with
    "openpyxl": {"knowledge_base/sheets.py", "knowledge_base/exporter.py", "insight/reports/excel_file.py"},
    "defusedxml": {"calls/ingest/siprec_metadata.py"},
    "pylibsrtp": {"calls/ingest/srtp.py"},
    "docx": {
        "knowledge_base/documents.py",
        "asr/batch/papers/document.py",
        "insight/reports/word_file.py",
    },
    "reportlab": {"insight/reports/pdf_file.py", "insight/reports/pdf_parts.py"},
    "fontTools": {"insight/reports/fonts.py"},
    "PIL": {"insight/reports/picture.py", "scripts/"},
    "pypdf": {"knowledge_base/documents.py"},
    "bs4": {"knowledge_base/documents.py"},
    "markdown_it": {"knowledge_base/documents.py"},
    "psutil": {"agent_ui/gauges.py", "asr/batch/owner.py", "asr/batch/reading_process.py", "scripts/"},
    "python_multipart": {"agent_ui/uploads.py"},
    "uvicorn": {"agent_ui/listening.py"},
    "redis": {"calls/bus/redis_streams.py"},
    "ray": {"asr/batch/cluster/", "asr/ray_door.py", "asr/remote/"},
    "fsspec": {"asr/batch/cluster/"},
    "httpx": {
        "agent_ui/oidc_rest.py",
        "calls/webhooks/posting.py",
        "calls/wrapup/llm/endpoint.py",
        "scripts/",
    },
    "typer": {"scripts/"},
    "rich": {"scripts/"},
}
"""Where a third party may be imported: files, or folders with a slash at the end."""

PACKAGES = (*MAY_IMPORT, "scripts", "server")


def sources() -> list[Path]:
    found = [path for package in (*MAY_IMPORT, "scripts") for path in (ROOT / package).rglob("*.py")]
    return sorted([*found, ROOT / "server.py"])


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def is_within(module: str, allowed: str) -> bool:
    return module == allowed or module.startswith(f"{allowed}.")


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_follow_the_table(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    package = name.split("/")[0].removesuffix(".py")
    modules = set(imports_of(path))
    for module in modules:
        top = module.split(".")[0]
        if top in FENCES:
            assert any(
                name == fence or (fence.endswith("/") and name.startswith(fence)) for fence in FENCES[top]
            ), f"{top} is not let in here"
        if top in PACKAGES and top != package and package in MAY_IMPORT:
            allowed = MAY_IMPORT[package]
            is_prefix = any(is_within(rule, module) for rule in allowed)  # `from asr import types`
            assert is_prefix or any(is_within(module, rule) for rule in allowed), (
                f"{package} may not import {module}"
            )
    if package != "scripts":
        assert not any(is_within(module, "scripts") for module in modules), "nobody imports scripts"
    if package not in ("scripts", "server"):
        assert "server" not in modules, "nobody imports server"


def test_every_package_is_installed() -> None:
    """An editable installation finds what a wheel would lack."""
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    there = {
        ".".join(file.parent.relative_to(ROOT).parts)
        for top in (*MAY_IMPORT, "scripts")
        for file in (ROOT / top).rglob("*.py")
    }
    assert set(named) == there
