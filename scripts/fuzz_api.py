"""Asks every operation of the OpenAPI document with generated requests, and looks at what comes back.

In: the address of a running server, and who asks. Out: how many were asked, and what was wrong with answers.
Not known here: what the operations do.

    pip install -e .[dev]
    zhiting serve --open                         # with a data folder that nobody needs
    python -m scripts.fuzz_api http://127.0.0.1:8300 --examples 300

Half of the requests fit the document and half do not. Wrong is an answer that the document does not know: its
status, its type, its form; and any failure of the server. Requests change and delete: never ask a real house.
"""

import json
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import hypothesis
import requests
import schemathesis
import typer
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.openapi import checks  # noqa: F401 - registers them
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

_CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_BUSY = (503, 507)
"""Failures of a server that a document may know: too busy, no room."""
_WITHIN_S = 60.0
_NOWHERE = "http://127.0.0.1:9/"
"""Stands in for addresses to which a server would send something."""
_LAST = "delete"
_SIGNS_OUT = "/v1/session"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Somebody who asks: what they are called here, and what they bring."""

    name: str
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """The first answer of its kind that was wrong."""

    operation: str
    asker: str
    what: str
    request: str

    def __str__(self) -> str:
        return f"{self.operation} as {self.asker}: {self.what}\n    {self.request}"


@dataclass(slots=True)
class Findings:
    """What came of it."""

    operations: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    faults: dict[tuple[str, str], Fault] = field(default_factory=dict)

    @property
    def asked(self) -> int:
        """Requests that were answered."""
        return sum(self.statuses.values())


def document_of(url: str) -> dict[str, Any]:
    """The OpenAPI document of the server at that address."""
    document: dict[str, Any] = requests.get(f"{url}/openapi.json", timeout=_WITHIN_S).json()
    return document


def fuzz(
    url: str,
    askers: Sequence[Asker],
    *,
    examples: int,
    seed: int | None = None,
    known: Mapping[str, str] = {},
    only: Callable[[str], bool] = lambda operation: True,
) -> Findings:
    """Have each of `askers` ask for each operation `examples` times, with the same requests.

    `known` are identifiers that exist, by the name of the parameter: every second path has them. Without
    `seed` the same document gives the same requests every time. Whatever deletes comes last. Blocks.
    """
    schema = schemathesis.openapi.from_dict(document_of(url))
    found = [one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)]
    operations = sorted(
        (one for one in found if only(one.label)),
        key=lambda one: (one.path == _SIGNS_OUT, one.method.lower() == _LAST, -one.path.count("/")),
    )
    findings = Findings(operations=len(operations))
    lines = {asker.name: _line_of(asker) for asker in askers}
    try:
        for operation in operations:
            _ask(operation, url, lines, findings, examples=examples, seed=seed, known=known)
    finally:
        for line in lines.values():
            line.close()
    return findings


def _line_of(asker: Asker) -> requests.Session:
    line = requests.Session()
    line.trust_env = False
    line.headers.update(asker.headers)
    line.cookies.update(dict(asker.cookies))
    return line


def _ask(
    operation: APIOperation[Any, Any, Any, Any],
    url: str,
    lines: Mapping[str, requests.Session],
    findings: Findings,
    *,
    examples: int,
    seed: int | None,
    known: Mapping[str, str],
) -> None:
    fitting = operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE)
    strategies = [fitting]
    if operation.path_parameters or operation.query or operation.headers or operation.body:
        strategies.append(operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE))

    @hypothesis.settings(
        max_examples=examples,
        derandomize=seed is None,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=st.one_of(strategies), is_known=st.booleans())
    def ask(case: Case[Any], is_known: bool) -> None:
        _make_harmless(case)
        if is_known and case.path_parameters:
            case.path_parameters |= {name: known[name] for name in case.path_parameters if name in known}
        for name, line in lines.items():
            _look_at(case, url, name, line, findings)

    if seed is not None:
        ask = hypothesis.seed(seed)(ask)
    ask()


def _make_harmless(case: Case[Any]) -> None:
    """Have nothing sent to addresses that were made up."""
    if isinstance(case.body, dict) and str(case.body.get("url", "")).startswith("http"):
        case.body["url"] = _NOWHERE


def _look_at(case: Case[Any], url: str, asker: str, line: requests.Session, findings: Findings) -> None:
    try:
        answer = case.call(base_url=url, session=line, timeout=_WITHIN_S, allow_redirects=False)
    except requests.RequestException as error:
        _note(findings, case, asker, f"no answer: {type(error).__name__}")
        return
    findings.statuses[answer.status_code] += 1
    if answer.status_code >= 500 and answer.status_code not in _BUSY:
        _note(findings, case, asker, f"status {answer.status_code}: {answer.text[:300]}")
        return
    try:
        case.validate_response(answer, checks=list(_CHECKS))
    except FailureGroup as group:
        for one in group.exceptions:
            _note(findings, case, asker, f"status {answer.status_code}: {_told(one)}")
    except Failure as error:
        _note(findings, case, asker, f"status {answer.status_code}: {_told(error)}")


def _told(error: BaseException) -> str:
    title = getattr(error, "title", type(error).__name__)
    return f"{title}: {' '.join(str(getattr(error, 'message', error)).split())[:300]}"


def _note(findings: Findings, case: Case[Any], asker: str, what: str) -> None:
    label = case.operation.label
    kind = what[:60]
    if (label, kind) not in findings.faults:
        sent = {
            "path": dict(case.path_parameters or {}),
            "query": dict(case.query or {}),
            "body": case.body
            if isinstance(case.body, dict | list | str | int | float | bool)
            else repr(case.body),
        }
        request = json.dumps(sent, ensure_ascii=True, default=repr)[:500]
        findings.faults[label, kind] = Fault(label, asker, what, request)


def main(
    url: str,
    examples: Annotated[int, typer.Option(help="Requests for each operation.")] = 100,
    seed: Annotated[
        int | None, typer.Option(help="Begin of the random numbers; without it, a new one.")
    ] = None,
    token: Annotated[str | None, typer.Option(envvar="ZHITING_TOKEN", help="What to sign in with.")] = None,
    only: Annotated[str, typer.Option(help="Only operations with this in their name.")] = "",
) -> None:
    """Ask a running server at random."""
    seed = secrets.randbelow(2**32) if seed is None else seed
    print(f"seed {seed}")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    findings = fuzz(
        url.rstrip("/"),
        [Asker(name="token" if token else "anybody", headers=headers)],
        examples=examples,
        seed=seed,
        only=lambda operation: only in operation,
    )
    for fault in findings.faults.values():
        print(fault)
    print(f"{findings.asked} requests for {findings.operations} operations")
    print(f"{len(findings.faults)} kinds of faults")
    print(", ".join(f"{status}: {times}" for status, times in sorted(findings.statuses.items())))
    raise typer.Exit(bool(findings.faults))


if __name__ == "__main__":
    typer.run(main)
