"""The server over a real socket: what it serves, whom it refuses, and with which words."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientSession, WSServerHandshakeError

from realtime.dashboard.choices import Fixed, SceneChoice
from realtime.dashboard.commands import CalibrateCommand, Commands, Unavailable
from realtime.dashboard.service import Dashboard
from realtime.errors import DeviceError
from realtime.types import View
from tests.dashboard.conftest import TOKEN, Calibrating, Recorded, commands_of

Browse = Callable[[Callable[[ClientSession], Awaitable[Any]]], Any]
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def get(browse: Browse, path: str, **words: Any) -> tuple[int, str, Any]:
    async def scene(session: ClientSession) -> tuple[int, str, Any]:
        async with session.get(path, **words) as answer:
            return answer.status, await answer.text(), answer

    return browse(scene)


def post(browse: Browse, path: str, **words: Any) -> tuple[int, Any]:
    async def scene(session: ClientSession) -> tuple[int, Any]:
        async with session.post(path, **{"headers": BEARER, **words}) as answer:
            return answer.status, await answer.json()

    return browse(scene)


@pytest.mark.parametrize("page", ["/", "/overlay"])
def test_the_link_opens_a_page_and_leaves_a_cookie(browse: Browse, dashboard: Dashboard, page: str) -> None:
    status, text, answer = get(browse, f"{page}?token={TOKEN}&au=12")
    assert status == 200
    assert "<script" in text
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"facemirror_{dashboard.port}={TOKEN};")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    for header in ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"):
        assert header in answer.headers
    assert "aiohttp" not in str(answer.headers)


def test_the_cookie_alone_opens_pages_and_their_files(browse: Browse, dashboard: Dashboard) -> None:
    cookie = {"Cookie": f"facemirror_{dashboard.port}={TOKEN}"}
    for path in ("/", "/overlay", "/assets/dashboard.js", "/assets/palette.css", "/assets/uPlot.iife.min.js"):
        assert get(browse, path, headers=cookie)[0] == 200


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {}),
        ("/?token=", {}),
        ("/?token=wrong", {}),
        (f"/?token={TOKEN[:-1]}", {}),
        (f"/?token={TOKEN}x", {}),
        ("/assets/dashboard.js", {}),
        ("/live", {}),
        ("/nowhere", {}),
        ("/", {"Authorization": "Bearer wrong"}),
        ("/", {"Cookie": f"facemirror_1={TOKEN}"}),
    ],
)
def test_without_the_token_there_is_one_sentence_and_nothing_else(
    browse: Browse, path: str, headers: dict[str, str]
) -> None:
    status, text, _ = get(browse, path, headers=headers)
    assert status == 401
    assert json.loads(text).keys() == {"error"}
    assert "token" in text


def test_guessing_is_slowed_down(browse: Browse) -> None:
    async def scene(session: ClientSession) -> list[int]:
        found = []
        for n in range(40):
            async with session.get(f"/?token=guess{n}") as answer:
                found.append(answer.status)
        async with session.get(f"/?token={TOKEN}") as answer:
            found.append(answer.status)
        return found

    *guesses, right = browse(scene)
    assert set(guesses) == {401, 429}
    assert right == 200, "guessing locks nobody out"


@pytest.mark.parametrize("host", ["evil.example:{port}", "127.0.0.1", "127.0.0.1.evil.example:{port}"])
def test_dns_rebinding_is_refused(browse: Browse, dashboard: Dashboard, host: str) -> None:
    """A name of another site that resolves to this machine: even the right token does not help."""
    headers = {"Host": host.format(port=dashboard.port)}
    status, text, answer = get(browse, f"/?token={TOKEN}", headers=headers)
    assert status == 403
    assert "address" in text
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:1", "null", "https://127.0.0.1:{port}"])
def test_cross_site_requests_are_refused(browse: Browse, dashboard: Dashboard, recorded: Recorded, origin: str) -> None:
    """What a page of another site can do: the browser adds our cookie and names the page in Origin."""
    headers = {"Cookie": f"facemirror_{dashboard.port}={TOKEN}", "Origin": origin.format(port=dashboard.port)}

    async def hijack(session: ClientSession) -> int:
        with pytest.raises(WSServerHandshakeError) as refused:
            await session.ws_connect("/live", headers=headers)
        return refused.value.status

    assert browse(hijack) == 403
    assert post(browse, "/api/marker", headers=headers, json={"text": "forged"})[0] == 403
    assert recorded.marks == []


def test_a_cookie_without_an_origin_does_not_open_a_websocket(browse: Browse, dashboard: Dashboard) -> None:
    async def scene(session: ClientSession) -> int:
        with pytest.raises(WSServerHandshakeError) as refused:
            await session.ws_connect("/live", headers={"Cookie": f"facemirror_{dashboard.port}={TOKEN}"})
        return refused.value.status

    assert browse(scene) == 403


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../server.py",
        "/assets/..%2fserver.py",
        "/assets/%2e%2e/%2e%2e/scene.py",
        "/assets//etc/passwd",
        "/assets/..%5cserver.py",
        "/assets/",
        "/assets/server.py",
        "/../../../etc/passwd",
        "/server.py",
        "/assets/%00",
    ],
)
def test_nothing_but_the_assets_is_served(dashboard: Dashboard, path: str) -> None:
    """Sent as it is over a socket, because clients tidy such paths up."""

    async def scene() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", dashboard.port)
        host = f"127.0.0.1:{dashboard.port}"
        words = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n"
        writer.write(words.encode())
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer

    answer = asyncio.run(scene())
    assert answer.split()[1] in (b"404", b"400")
    assert b"import" not in answer
    assert b"root:" not in answer


def test_a_marker_over_http(browse: Browse, recorded: Recorded) -> None:
    assert post(browse, "/api/marker", json={"text": " smile\nnow "}) == (200, {"reason": None})
    assert recorded.marks == [{"text": "smile now", "capture_time": 99.0, "sequence": 42, "origin": "http"}]


def test_a_marker_from_the_page_goes_to_the_frame_it_showed(
    browse: Browse, dashboard: Dashboard, recorded: Recorded
) -> None:
    headers = {"Cookie": f"facemirror_{dashboard.port}={TOKEN}", "Origin": dashboard.url.rstrip("/")}
    words = {"text": "now", "capture_time": 98.5, "sequence": 30}
    assert post(browse, "/api/marker", headers=headers, json=words)[0] == 200
    post(browse, "/api/marker", headers=headers, json={**words, "capture_time": 5.0})
    post(browse, "/api/marker", headers=headers, json={**words, "capture_time": "x"})
    assert [(m["capture_time"], m["sequence"]) for m in recorded.marks] == [(98.5, 30), (99.0, 42), (99.0, 42)]
    assert recorded.marks[0]["origin"] == "dashboard"


@pytest.mark.parametrize("size", [501, 20_000, 1_000_000])
def test_a_marker_of_a_megabyte_is_too_long(browse: Browse, recorded: Recorded, size: int) -> None:
    status, words = post(browse, "/api/marker", json={"text": "x" * size})
    assert status == 413
    assert "500 characters" in words["error"]
    assert recorded.marks == []


def test_a_marker_before_the_first_picture(browse: Browse, dashboard: Dashboard) -> None:
    dashboard.hub.newest = None
    status, words = post(browse, "/api/marker", json={"text": "early"})
    assert (status, "No picture" in words["error"]) == (409, True)


@pytest.mark.parametrize(
    ("command", "words", "status", "sentence"),
    [
        ("marker", {"json": {"text": 5}}, 400, "words"),
        ("marker", {"json": [1]}, 400, "JSON object"),
        ("marker", {"data": b"{", "headers": {**BEARER, "Content-Type": "application/json"}}, 400, "JSON object"),
        ("marker", {"data": {"text": "form"}}, 415, "JSON"),
        ("record", {"json": {"value": "yes"}}, 400, "true or false"),
        ("camera", {"json": {"value": "three"}}, 400, "one, two"),
        ("camera", {"json": {"value": ["one"]}}, 400, "one, two"),
        ("calibrate", {"json": {}}, 409, "Nothing can be calibrated"),
        ("describe", {"json": {}}, 404, "no command"),
        ("__class__", {"json": {}}, 404, "no command"),
    ],
)
def test_commands_that_cannot_be_carried_out(
    browse: Browse, recorded: Recorded, command: str, words: dict[str, Any], status: int, sentence: str
) -> None:
    found, answer = post(browse, f"/api/{command}", **words)
    assert found == status
    assert sentence in answer["error"]


class TestWithACalibration:
    @pytest.fixture
    def commands(self, recorded: Recorded) -> Commands:
        return commands_of(recorded, calibrate=CalibrateCommand(Calibrating()))

    def test_commands_are_carried_out_and_answered_with_the_new_state(self, browse: Browse) -> None:
        check_answers(browse)


def check_answers(browse: Browse) -> None:
    assert post(browse, "/api/record", json={"value": True}) == (200, {"reason": None, "active": True})
    assert post(browse, "/api/camera", json={"value": "two"})[1]["value"] == "two"
    assert post(browse, "/api/side", json={"value": "left"})[1]["value"] == "left"
    assert post(browse, "/api/calibrate", json={})[1]["phase"] == "running"


def test_what_goes_wrong_in_a_command_is_said(browse: Browse, recorded: Recorded) -> None:
    def full(_on: bool) -> None:
        raise DeviceError("The disk is full.")

    recorded.switch = full  # type: ignore[method-assign, assignment]
    assert post(browse, "/api/record", json={"value": True}) == (409, {"error": "The disk is full."})


def test_commands_have_a_rate(browse: Browse, recorded: Recorded) -> None:
    async def scene(session: ClientSession) -> list[int]:
        found = []
        for _ in range(60):
            async with session.post("/api/marker", headers=BEARER, json={"text": "x"}) as answer:
                found.append(answer.status)
        return found

    found = browse(scene)
    assert set(found) == {200, 429}
    assert found.count(200) == len(recorded.marks)


def test_every_button_says_why_it_cannot_be_used() -> None:
    commands = Commands({"record": Unavailable("Not now."), "camera": Fixed("Camera", "demo", "It is a file.")})
    assert commands.describe() == {
        "record": {"reason": "Not now."},
        "camera": {"reason": "It is a file.", "label": "Camera", "key": None, "value": "demo", "options": ["demo"]},
    }


def test_the_view_is_the_scene_s() -> None:
    class Scene:
        mode: View = "overlay"

    scene = Scene()
    choice = SceneChoice(scene)
    choice.choose("split")
    assert (scene.mode, choice.value) == ("split", "split")
