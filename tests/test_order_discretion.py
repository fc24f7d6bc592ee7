"""Lists and files of orders hide who the citizen is; who opens one order sees whom to call."""

from pathlib import Path

from tests.test_door import peopled, signed_in
from tests.test_orders_rest import begin, step

CITIZEN = {
    "caller_name": "王小明",
    "caller_phone": "13812342316",
    "detail": "王小明说门口路灯不亮，回电13812342316。",
}


async def test_who_the_citizen_is_stands_in_the_order_alone(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house, signed_in(house, "zhao") as zhao:
        first = await begin(zhao, **CITIZEN)
        await step(zhao, first, "accept")
        second = await begin(zhao, **CITIZEN, urgency="紧急")
        listed = (await zhao.get("/v1/orders")).json()["orders"]
        assert [one["content"]["caller_phone"] for one in listed] == ["138****2316"] * 2
        assert {one["content"]["caller_name"] for one in listed} == {"王**"}
        assert {one["content"]["detail"] for one in listed} == {"王**说门口路灯不亮，回电138****2316。"}
        file = (await zhao.get("/v1/orders/file")).text
        assert "王**" in file
        assert "13812342316" not in file
        assert "王小明" not in file
        opened = (await zhao.get(f"/v1/orders/{second['order_id']}")).json()["content"]
        assert {name: opened[name] for name in CITIZEN} == CITIZEN
