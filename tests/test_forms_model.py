"""The language model's draft in the real house: it comes after the first one, and its failure is told."""

from pathlib import Path

from calls.wrapup.llm.engine import open_model
from calls.wrapup.llm.options import EndpointOptions
from tests.form_parts import TALK, lore, script
from tests.house import receive_until, running, sound
from tests.model_server import Script as ModelScript
from tests.model_server import playing
from tests.test_forms_live import begin, end, form_of, told


async def test_it_betters_the_draft_or_says_why_not(tmp_path: Path) -> None:
    quote = {"line": 2, "quote": TALK[1].removeprefix("市民:")}
    with playing(ModelScript()) as model:
        model.says({"type": quote | {"value": "举报"}})
        options = EndpointOptions(url=model.url, model="small", timeout_s=10.0)
        async with open_model(options, lore) as late:
            async with running(tmp_path / "a", script(late=late)) as house:
                await told(house)
                async with house.socket("/v1/screens/calls/c-1") as screen:
                    events = await receive_until(screen, lambda event: event["work_order"]["engine"] == "llm")
                assert events[-1]["work_order"]["kind"]["value"] == "举报"
            model.status = 503
            async with running(tmp_path / "b", script(late=late)) as house:
                line = await begin(house)
                async with house.socket("/v1/screens/calls/c-1") as screen:
                    await line.send(sound(7.0, channels=2))
                    await end(line)
                    events = await receive_until(screen, lambda event: event["type"] == "call.degraded")
                assert events[-1]["code"] == "llm.broken"
                assert (await form_of(house))["engine"] == "embedded"
