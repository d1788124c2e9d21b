"""The calls for programs and button boxes: /api/v1 lists the commands, toggles and steps through choices."""

from typing import Any

from tests.dashboard.test_server import BEARER, Browse, get, post


def call(browse: Browse, command: str, **payload: Any) -> Any:
    status, answer = post(browse, f"/api/v1/{command}", json=payload)
    assert status == 200, answer
    return answer


def test_the_commands_are_listed_with_their_state(browse: Browse) -> None:
    async def scene(session: Any) -> Any:
        async with session.get("/api/v1", headers=BEARER) as answer:
            return await answer.json()

    found = browse(scene)
    assert found["version"] == 1
    assert found["commands"]["view"]["options"] == ["overlay", "mirrored", "split", "raw"]
    assert found["commands"]["calibrate"]["reason"] == "Nothing can be calibrated."
    assert get(browse, "/api/v1")[0] == 401, "without the token"


def test_a_switch_is_toggled(browse: Browse) -> None:
    assert call(browse, "record", toggle=True)["active"] is True
    assert call(browse, "record", toggle=True)["active"] is False
    assert post(browse, "/api/v1/record", json={"toggle": 1})[0] == 400


def test_a_choice_steps_to_its_next_option_and_round(browse: Browse) -> None:
    views = [call(browse, "view", next=True)["value"] for _ in range(5)]
    assert views == ["mirrored", "split", "raw", "overlay", "mirrored"]


def test_the_earlier_address_still_answers(browse: Browse) -> None:
    assert post(browse, "/api/record", json={"value": True})[1]["active"] is True
