"""The admin's list of names and words over REST: what the ears shall recognise by its sound.

In: HTTP requests that passed the door. Out: JSON or CSV; errors as `{"code", "message"}` under `detail`.
Not known here: how words are recognised; a change is taken up within seconds, for calls that begin then.

The list has an ETag. A change that brings `If-Match` is refused with 412 where somebody else was faster.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Body, Header, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from asr.term_file import TermConflict, TermFile
from asr.terms import BadTerms, Term

MAX_FILE_BYTES = 5_000_000
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


def lexicon_router(file: TermFile) -> APIRouter:
    """The routes below `/v1/lexicon`."""
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
        response: Response,
        body: Annotated[list[TermBody], Body(min_length=1, max_length=10_000)],
        if_match: IfMatch = None,
    ) -> TermsOut:
        """Add terms, or change those that are there."""
        with _answering():
            file.put([each.to_term() for each in body], expected=_expected(if_match))
            return told(response)

    @router.delete("/terms/{term}")
    def delete_term(term: str, response: Response, if_match: IfMatch = None) -> TermsOut:
        """Take one term out."""
        with _answering():
            if not file.remove(term, expected=_expected(if_match)):
                raise HTTPException(404, {"code": "asr.unknown_term", "message": f"词表里没有「{term}」。"})
            return told(response)

    @router.get("/file")
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
            file.replace(text, name="上传的文件", expected=_expected(if_match))
            return told(response)

    return router


def _expected(if_match: str | None) -> str | None:
    return None if if_match in (None, "*") else if_match.strip().strip('"')
