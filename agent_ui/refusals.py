"""What an operation may be refused with, in the OpenAPI document.

In: an application, and what its routes say of themselves. Out: the document, with the form of every refusal.
Not known here: when an operation is refused.

Every refusal has a code and a sentence. What the door, the guard of bodies, the limits and the database
refuse is the same for all, and is written down here; what is particular to a route stands with it.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ConfigDict

_CHANGES = ("post", "put", "patch", "delete")
_TELL_THEMSELVES = ("/healthz", "/readyz", "/v1/audio/transcriptions")
_MEANINGS = {
    400: "The request cannot be read",
    401: "Nobody is signed in, or name or password is wrong",
    403: "Not allowed",
    404: "There is no such thing",
    408: "The body did not come in whole",
    409: "Not possible as things stand",
    412: "Somebody else was faster",
    413: "Too large",
    415: "The body is of another type",
    416: "There is no such part",
    422: "The request does not fit",
    428: "`If-Match` is missing",
    429: "Too many requests; `Retry-After` says when to come back",
    499: "Whoever asked has gone",
    503: "Busy, or not to be had for the moment",
    507: "There is no room, or nothing could be written",
}


class RefusalDetail(BaseModel):
    """Why; some refusals tell more beside it."""

    model_config = ConfigDict(extra="allow")

    code: str
    """For programs."""
    message: str
    """For people: what is wrong, and what to do."""


class Refusal(BaseModel):
    """The body of a refusal."""

    detail: RefusalDetail


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a router says of refusals that only its routes know."""
    return {status: {"model": Refusal, "description": _MEANINGS[status]} for status in statuses}


def document_refusals(app: FastAPI) -> None:
    """Have the document of `app` tell what any operation may be refused with."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=app.version, routes=app.routes)
            schemas = made.setdefault("components", {}).setdefault("schemas", {})
            schemas.setdefault("Refusal", _schema_of(Refusal))
            schemas.setdefault("RefusalDetail", _schema_of(RefusalDetail))
            for path, operations in made["paths"].items():
                for method, operation in operations.items():
                    if path not in _TELL_THEMSELVES:
                        _complete(operation, method)
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # as FastAPI has it done


def _schema_of(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return schema


def _complete(operation: dict[str, Any], method: str) -> None:
    answers = operation["responses"]
    statuses = [401, 403, 429, 503]
    if "requestBody" in operation:
        statuses += [400, 408, 413, 422]
    if any(parameter["in"] == "path" for parameter in operation.get("parameters", ())):
        statuses.append(404)
    if method in _CHANGES:
        statuses.append(507)
    for status in statuses:
        if str(status) != "422":
            answers.setdefault(str(status), _refused(status))
    if 422 in statuses or "422" in answers:
        answers["422"] = _refused(422, "HTTPValidationError", "Refusal")
    operation["responses"] = dict(sorted(answers.items()))


def _refused(status: int, *forms: str) -> dict[str, Any]:
    refs = [{"$ref": f"#/components/schemas/{form}"} for form in forms or ("Refusal",)]
    schema = refs[0] if len(refs) == 1 else {"anyOf": refs}
    return {"description": _MEANINGS[status], "content": {"application/json": {"schema": schema}}}
