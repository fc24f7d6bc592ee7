"""The second engine against a real llama.cpp server with a small real model, where both are installed.

`pip install 'llama-cpp-python[server]'` here, or into another environment whose interpreter is named by
ZHITING_TEST_LLAMA_PYTHON; the model's packages as docs/models.md says.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from calls.wrapup.draft import drafted
from calls.wrapup.llm.endpoint import open_endpoint
from calls.wrapup.llm.engine import ModelEngine
from calls.wrapup.llm.options import EndpointOptions
from calls.wrapup.llm.prompt import prompt_of
from calls.wrapup.llm.types import Answer, Choices, ModelFailed, schema_of
from models.cache import resolve
from models.errors import MissingWeights
from tests.real_server import ROOT, free_port
from tests.test_wrapup_model import CALL
from tests.wrapup_parts import embed, sample_lore

pytestmark = [pytest.mark.weights, pytest.mark.process, pytest.mark.timeout(900)]
MODEL = "qwen-coder-0.5b"
STARTS_WITHIN_S = 120.0


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    python = os.environ.get("ZHITING_TEST_LLAMA_PYTHON", sys.executable)
    if subprocess.run([python, "-c", "import llama_cpp.server"], capture_output=True, check=False).returncode:
        pytest.skip(f"llama-cpp-python[server] is not installed for {python}")
    try:
        data_dir = Path(os.environ.get("ZHITING_DATA_DIR", ROOT / "var"))
        weights = resolve(MODEL, cache_dir=data_dir / "models", allow_hub=False)
    except MissingWeights as problem:
        pytest.skip(problem.message)
    port = free_port()
    log = tmp_path_factory.mktemp("llama") / "log"
    command = [python, "-m", "llama_cpp.server", "--model", str(weights / "model.gguf"), "--port", str(port)]
    # One thread: two that wait for each other at every step are a hundred times slower on a busy machine.
    command += ["--host", "127.0.0.1", "--n_ctx", "4096", "--n_threads", "1", "--n_threads_batch", "1"]
    with log.open("wb") as out:
        server = subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | {"OMP_NUM_THREADS": "1"})
    address = f"http://127.0.0.1:{port}/v1"
    try:
        until = time.monotonic() + STARTS_WITHIN_S
        while True:
            assert server.poll() is None, log.read_text(errors="replace")[-2_000:]
            assert time.monotonic() < until, "the server does not start"
            try:
                httpx.get(f"{address}/models", trust_env=False).raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.5)
        yield address
    finally:
        server.kill()
        server.wait()


async def test_a_real_model_keeps_to_the_schema_and_only_what_holds_gets_through(url: str) -> None:
    lore = sample_lore()
    choices = Choices.of(lore)
    embedded = drafted(CALL, lore=lore, embed=embed)
    prompt = prompt_of(CALL, choices, 6_000)
    async with open_endpoint(EndpointOptions(url=url, model=MODEL, timeout_s=400.0)) as endpoint:
        answer = Answer.model_validate_json(
            await endpoint.ask(prompt.system, prompt.user, schema_of(choices))
        )
        assert answer.model_fields_set == set(Answer.model_fields)
        assert answer.type.value in (*choices.kinds, "")
        assert answer.department.value in (*choices.departments, "")
        engine = ModelEngine(endpoint=endpoint, lore=lambda: lore)
        grounded, code = None, ""
        try:
            grounded = await engine.grounded(CALL, embedded=embedded)
        except ModelFailed as failed:  # so small a model may say nothing that holds
            code = failed.code
    if grounded is None:
        assert code == "llm.ungrounded"
        return
    texts = {segment.segment_id: segment.text for segment in CALL}
    draft = grounded.draft
    for field in (draft.kind, draft.department, draft.place, draft.caller_name, draft.summary):
        assert all(0 <= span.start < span.end <= len(texts[span.segment_id]) for span in field.spans)
    assert draft.caller_name.value in "".join(texts.values()) or draft.caller_name == embedded.caller_name


async def test_a_real_server_that_takes_too_long(url: str) -> None:
    lore = sample_lore()
    async with open_endpoint(EndpointOptions(url=url, model=MODEL, timeout_s=0.5)) as endpoint:
        engine = ModelEngine(endpoint=endpoint, lore=lambda: lore)
        with pytest.raises(ModelFailed) as failed:
            await engine.draft(CALL, embedded=drafted(CALL, lore=lore, embed=embed))
    assert failed.value.code == "llm.timeout"
