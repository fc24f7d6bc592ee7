"""The knowledge as a whole over REST: import, export, publishing, versions, canary questions.

In: HTTP requests that passed the door. Out: JSON and files; errors as `{"code", "message"}` under `detail`.
Not known here: how files are read and versions made.

An import is one request with `apply=false`, which changes nothing, and the same again with `apply=true`.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from agent_ui.door import author_of, change_nothing, note_target
from agent_ui.kb_bodies import (
    CanaryBody,
    ChangesOut,
    ImportedRowOut,
    ImportOut,
    PublishStateOut,
    RollbackIn,
    RowErrorOut,
    VersionOut,
    columns_out,
    duplicates_out,
)
from agent_ui.kb_rest import answering
from agent_ui.knowledge_desk import KnowledgeDesk
from knowledge_base.duplicates import find_duplicates
from knowledge_base.exporter import MEDIA_TYPES, ExportKind, export
from knowledge_base.importer import MAX_BYTES, Import
from knowledge_base.json_text import loads
from knowledge_base.sandbox import read_bounded
from knowledge_base.types import Canary, UnreadableFile

_TOLD = 200
"""Rows, errors and duplicates that an answer lists; all of them count."""
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


def publish_router(desk: KnowledgeDesk) -> APIRouter:
    """The routes below `/v1/kb` that bring knowledge in and out."""
    router = APIRouter(prefix="/v1/kb", tags=["knowledge base"])

    @router.post("/import", openapi_extra=_FILE)
    async def import_file(
        request: Request,
        *,
        name: Annotated[str, Query(min_length=1, max_length=255, description="Name of the file.")],
        apply: bool = False,
        mapping: Annotated[str, Query(description="JSON object: column → field, empty to leave out.")] = "",
        skip_existing: bool = False,
        draft: bool = False,
        author: Annotated[str, Query(max_length=100)] = "",
    ) -> ImportOut:
        """Say what a file (the body of the request) holds; with `apply=true` keep its articles."""
        with answering():
            content = await _body(request)
            columns = _mapping(mapping)
            found = await run_in_threadpool(read_bounded, content, name=name, mapping=columns)
            if apply:
                note_target(request, name)
            else:
                change_nothing(request)
            return await run_in_threadpool(
                _import,
                found,
                apply=apply,
                skips=skip_existing,
                is_draft=draft,
                author=author_of(request, author),
                name=name,
            )

    def _import(  # runs in a thread
        found: Import, *, apply: bool, skips: bool, is_draft: bool, author: str, name: str
    ) -> ImportOut:
        present = {article.article_id: article for article in desk.articles.every()}
        effects = [
            "new"
            if (old := present.get(article.article_id)) is None
            # The moment of the last change is not part of a file.
            else "unchanged"
            if _content(old) == _content(article)
            else "changed"
            for article in found.articles
        ]
        pairs = find_duplicates(
            found.articles, {**present, **{a.article_id: a for a in found.articles}}.values()
        )
        if apply:
            wanted = [a for a in found.articles if not (skips and a.article_id in present)]
            desk.articles.upsert(
                wanted, now=desk.clock(), author=author, state=desk.state_for(is_draft=is_draft), note=name
            )
        rows = [
            ImportedRowOut(row=row, article_id=article.article_id, title=article.title, effect=effect)
            for row, article, effect in zip(found.rows, found.articles, effects, strict=True)
        ]
        return ImportOut(
            applied=apply,
            new=effects.count("new"),
            changed=effects.count("changed"),
            unchanged=effects.count("unchanged"),
            rows=rows[:_TOLD],
            errors=[RowErrorOut.model_validate(error) for error in found.errors[:_TOLD]],
            error_count=len(found.errors),
            columns=columns_out(found),
            duplicates=duplicates_out(pairs[:_TOLD]),
        )

    @router.get("/export", response_class=Response)
    def export_file(kind: ExportKind = ExportKind.XLSX) -> Response:
        """Download every article that is not deleted, as a file that the import reads back unchanged."""
        content = export(desk.articles.every(), kind)
        name = f"zhiting-{desk.clock():%Y%m%d-%H%M%S}.{kind}"
        return Response(
            content,
            media_type=MEDIA_TYPES[kind],
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    @router.get("/changes")
    def list_changes() -> ChangesOut:
        """List what publishing now would change."""
        with answering():
            return ChangesOut.model_validate(desk.changes())

    @router.post("/publish", status_code=202)
    async def publish() -> PublishStateOut:
        """Begin to publish in a process of its own; 409 where a publish is under way."""
        with answering():
            return PublishStateOut.of(desk.press.publish())

    @router.get("/publish")
    async def get_publish() -> PublishStateOut:
        """Tell how far the newest publish is, or how it ended."""
        return PublishStateOut.of(await run_in_threadpool(desk.press.state))

    @router.get("/versions")
    def list_versions() -> list[VersionOut]:
        """List the kept versions, newest first."""
        with answering():
            current = desk.versions.current()
            described = [desk.versions.describe(name) for name in reversed(desk.versions.names())]
            return [VersionOut.of(version, current=current) for version in described]

    @router.post("/rollback")
    async def roll_back(body: RollbackIn, request: Request) -> VersionOut:
        """Serve a kept version again; 409 where it is not there, damaged or of another model."""
        note_target(request, body.version)
        with answering():
            await desk.press.roll_back(body.version)
            version = await run_in_threadpool(desk.versions.describe, body.version)
            return VersionOut.of(version, current=body.version)

    return router


def canaries_router(desk: KnowledgeDesk) -> APIRouter:
    """The routes below `/v1/kb` for the questions that a version must answer."""
    router = APIRouter(prefix="/v1/kb", tags=["knowledge base"])

    @router.get("/canaries")
    def list_canaries() -> list[CanaryBody]:
        """List the questions that must find their article before a version is served."""
        return [CanaryBody.model_validate(canary) for canary in desk.canaries.all()]

    @router.put("/canaries")
    def put_canary(body: CanaryBody, request: Request) -> CanaryBody:
        """Add a canary question, or change what it must find."""
        note_target(request, body.article_id)
        with answering():
            desk.articles.get(body.article_id)
            desk.canaries.put(Canary(question=body.question, article_id=body.article_id, within=body.within))
        return body

    @router.delete("/canaries", status_code=204)
    def remove_canary(question: str) -> None:
        """Take a canary question away."""
        if not desk.canaries.remove(question):
            raise HTTPException(404, {"code": "kb.unknown_canary", "message": "没有这条试问。"})

    return router


def _content(article: Any) -> tuple[Any, ...]:
    return tuple(getattr(article, name) for name in article.__dataclass_fields__ if name != "updated_at")


async def _body(request: Request) -> bytes:
    """The file, refused as soon as it is too large."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BYTES:
            raise UnreadableFile(
                f"文件超过 {MAX_BYTES // 1024 // 1024} MB，请拆分后再导入。", code="kb.file_too_large"
            )
        parts.append(part)
    return b"".join(parts)


def _mapping(text: str) -> Mapping[str, str] | None:
    if not text:
        return None
    try:
        found = loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise UnreadableFile("mapping 应为 JSON 对象：列名 → 字段名。", code="kb.bad_mapping")
    return found
