"""Names and words that the ears shall recognise by their sound, over REST: the admin's, and the shipped ones.

In: HTTP requests that passed the door. Out: JSON or CSV; errors as `{"code", "message"}` under `detail`.
Not known here: how words are recognised; a change is taken up within seconds, for calls that begin then.

The list has an ETag. A change that brings `If-Match` is refused with 412 where somebody else was faster.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Header, HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from agent_ui.door import author_of, change_nothing, note_target
from agent_ui.paging import Offset
from asr.term_file import TermConflict, TermFile
from asr.terms import BadTerms, Term
from asr.types import Correction

MAX_FILE_BYTES = 5_000_000
_NOTED = 8
"""Terms that the audit log names of one change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What the ears would make of a text."""

    text: str
    corrections: tuple[Correction, ...]
    is_current: bool
    """Whether the admin's list as it stands is in use; a change takes some seconds."""


Try = Callable[[str], Tried]
IfMatch = Annotated[str | None, Header(description="The ETag of the list that was edited.")]


class TermBody(BaseModel):
    """A term as it goes over the wire."""

    model_config = ConfigDict(extra="forbid")

    term: str = Field(min_length=1, max_length=100)
    kind: str = Field(default="词库", max_length=20)
    weight: float = 1.0
    heard: list[str] = Field(default_factory=list, max_length=20)

    @classmethod
    def of(cls, term: Term) -> "TermBody":
        """Show a term."""
        return cls(term=term.text, kind=term.kind, weight=term.weight, heard=list(term.heard))

    def to_term(self) -> Term:
        """Check it; raises `BadTerms`."""
        try:
            return Term(
                text=self.term.strip(),
                kind=self.kind.strip() or "词库",
                weight=self.weight,
                heard=tuple(self.heard),
            )
        except ValueError as error:
            raise BadTerms(str(error)) from error


class TermsOut(BaseModel):
    """The whole list."""

    total: int
    terms: list[TermBody]


class KindOut(BaseModel):
    """What terms are, and how many are of that kind."""

    kind: str
    count: int


class ShippedOut(BaseModel):
    """One page of the terms that come with the product."""

    total: int
    kinds: list[KindOut] = Field(description="Of all that fit `q`, commonest first.")
    terms: list[TermBody]


class TryWordsIn(BaseModel):
    """A text as it might be heard."""

    text: str = Field(min_length=1, max_length=500)


class CorrectionOut(BaseModel):
    """One replacement."""

    start: int = Field(description="Place of its first character in `after`.")
    heard: str
    term: str
    reason: str


class TryWordsOut(BaseModel):
    """What the ears would put right."""

    before: str
    after: str
    corrections: list[CorrectionOut]
    is_current: bool = Field(description="False while a changed list is still being taken up.")


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except (BadTerms, TermConflict) as error:
        status = 412 if isinstance(error, TermConflict) else 422
        raise HTTPException(status, {"code": error.code, "message": error.message}) from error
    except OSError as error:
        raise HTTPException(
            507, {"code": "asr.terms_not_saved", "message": "词表未能保存，请检查磁盘空间和权限。"}
        ) from error


def lexicon_router(file: TermFile, *, shipped: Sequence[Term], try_words: Try) -> APIRouter:
    """The routes below `/v1/lexicon`; `try_words` blocks."""
    router = APIRouter(prefix="/v1/lexicon", tags=["lexicon"])

    def told(response: Response) -> TermsOut:
        terms = file.terms()
        response.headers["ETag"] = f'"{file.mark()}"'
        return TermsOut(total=len(terms), terms=[TermBody.of(term) for term in terms])

    @router.get("")
    def list_terms(response: Response) -> TermsOut:
        """List the admin's own terms; those that come with the product are not in it."""
        with _answering():
            return told(response)

    @router.post("/terms")
    def put_terms(
        request: Request,
        response: Response,
        body: Annotated[list[TermBody], Body(min_length=1, max_length=10_000)],
        if_match: IfMatch = None,
    ) -> TermsOut:
        """Add terms, or change those that are there."""
        with _answering():
            terms = [each.to_term() for each in body]
            file.put(terms, by=author_of(request), expected=_expected(if_match))
            note_target(request, _named(terms))
            return told(response)

    @router.delete("/terms/{term}")
    def delete_term(term: str, request: Request, response: Response, if_match: IfMatch = None) -> TermsOut:
        """Take one term out."""
        with _answering():
            if not file.remove(term, by=author_of(request), expected=_expected(if_match)):
                raise HTTPException(404, {"code": "asr.unknown_term", "message": f"词表里没有「{term}」。"})
            return told(response)

    @router.get("/file", response_class=Response)
    def get_file() -> Response:
        """Download the list as CSV; with a byte order mark, so that Excel reads it as UTF-8."""
        with _answering():
            return Response(
                "\ufeff" + file.text(),
                media_type="text/csv; charset=utf-8",
                headers={
                    "Content-Disposition": 'attachment; filename="lexicon.csv"',
                    "ETag": f'"{file.mark()}"',
                },
            )

    @router.put("/file")
    async def put_file(request: Request, response: Response, if_match: IfMatch = None) -> TermsOut:
        """Take a CSV file, the body of the request, for the list; a bad one changes nothing."""
        content = bytearray()
        async for part in request.stream():
            content += part
            if len(content) > MAX_FILE_BYTES:
                raise HTTPException(
                    413, {"code": "asr.terms_too_large", "message": "词表文件超过 5 MB，请拆分后再导入。"}
                )
        with _answering():
            try:
                text = content.decode("utf-8-sig")
            except UnicodeDecodeError as error:
                raise BadTerms("词表须是 UTF-8 编码的 CSV 文件，请另存为“CSV UTF-8”后再导入。") from error
            terms = await run_in_threadpool(
                lambda: file.replace(
                    text, name="上传的文件", by=author_of(request), expected=_expected(if_match)
                )
            )
            note_target(request, f"共 {len(terms)} 条")
            return told(response)

    @router.get("/shipped")
    def list_shipped(
        q: Annotated[
            str, Query(max_length=100, description="Looked for in the term and its mishearings.")
        ] = "",
        kind: Annotated[str, Query(max_length=20)] = "",
        offset: Offset = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> ShippedOut:
        """List the names and words that come with the product; they cannot be changed here."""
        fitting = [term for term in shipped if any(q.strip() in text for text in (term.text, *term.heard))]
        kinds = Counter(term.kind for term in fitting)
        found = [term for term in fitting if not kind or term.kind == kind]
        return ShippedOut(
            total=len(found),
            kinds=[KindOut(kind=name, count=count) for name, count in kinds.most_common()],
            terms=[TermBody.of(term) for term in found[offset : offset + limit]],
        )

    @router.post("/try", dependencies=[Depends(change_nothing)])
    def try_text(body: TryWordsIn) -> TryWordsOut:
        """Say what the ears would put right in a text, with the list in use now."""
        tried = try_words(body.text)
        return TryWordsOut(
            before=body.text,
            after=tried.text,
            corrections=[
                CorrectionOut(start=one.start, heard=one.heard, term=one.written, reason=one.reason)
                for one in tried.corrections
            ],
            is_current=tried.is_current,
        )

    return router


def _named(terms: Sequence[Term]) -> str:
    """The first of them, for the audit log."""
    more = f" 等 {len(terms)} 条" if len(terms) > _NOTED else ""
    return "、".join(term.text for term in terms[:_NOTED]) + more


def _expected(if_match: str | None) -> str | None:
    return None if if_match in (None, "*") else if_match.strip().strip('"')
