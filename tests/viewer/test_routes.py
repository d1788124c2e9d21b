"""The viewer's server without a browser."""

import asyncio
import io
import json
import struct
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from aiohttp import ClientSession, DummyCookieJar

from realtime.dashboard.commands import Commands
from realtime.dashboard.service import Dashboard
from realtime.dashboard.status_feed import RunStatus
from realtime.errors import DeviceError, UserInputError
from realtime.session.folder import SESSION
from realtime.session.verify import verify
from realtime.session.writer import SessionWriter
from realtime.viewer.routes import ViewerRoutes
from realtime.viewer.service import Viewer
from realtime.viewer.shelf import Shelf, sessions_beside
from realtime.viewer.viewed_session import ViewedSession
from tests.dashboard.conftest import no_report
from tests.viewer.sessions import START, make_session, number_of

TOKEN = "A-token_for-tests_only_0123456789"
KINDS = {"float32": "<f4", "float64": "<f8", "int32": "<i4", "uint8": "|u1"}
Scene = Callable[[ClientSession], Awaitable[None]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session with a recording."""
    return make_session(tmp_path_factory.mktemp("routes") / "one", dropped=[5])


def browse(folders: list[Path], scene: Scene) -> None:
    """Run a scene with a client that shows the token."""

    async def whole() -> None:
        viewer = Viewer(folders, 0, TOKEN)
        ready = asyncio.Event()
        serving = asyncio.create_task(viewer.run(ready.set))
        await ready.wait()
        base = viewer.url.partition("viewer?")[0]
        headers = {"Authorization": f"Bearer {TOKEN}"}
        try:
            async with ClientSession(base, headers=headers, cookie_jar=DummyCookieJar()) as session:
                await scene(session)
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)

    asyncio.run(whole())


def unpacked(content: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """(header, arrays)."""
    (length,) = struct.unpack_from("<I", content)
    header = json.loads(content[4 : 4 + length])
    found = {
        name: np.frombuffer(content, KINDS[one["kind"]], one["length"], 4 + length + one["at"])
        for name, one in header["arrays"].items()
    }
    return header, found


def test_the_link_does_not_wait_for_a_session_that_is_still_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown, really = threading.Event(), ViewedSession.open

    def slowly(*given: Any) -> ViewedSession:
        assert shown.wait(20)
        return really(*given)

    monkeypatch.setattr(ViewedSession, "open", slowly)

    async def whole() -> None:
        viewer = Viewer([folder], 0, TOKEN)
        serving = asyncio.create_task(viewer.run(shown.set))
        async with ClientSession() as http, http.get(viewer.url.replace("viewer?", "viewer/api/0?")) as answer:
            assert (await answer.json())["frames"] == 90
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)

    asyncio.run(whole())


def test_a_session_is_described_in_words_columns_and_rows(folder: Path) -> None:
    async def scene(http: ClientSession) -> None:
        async with http.get("viewer/api/0") as answer:
            known = await answer.json()
        assert (known["frames"], known["notices"]) == (90, [])
        assert [track.get("unit") for track in known["curves"]] == [1, 12, 45, None]
        assert [(mark["text"], round(mark["at"], 2)) for mark in known["markers"]] == [("smile", 1.0)]
        assert known["films"][0] | {"plays": True, "overlay": "clean", "pictures": 89} == known["films"][0]
        async with http.get("viewer/api/0/index") as answer:
            _, index = unpacked(await answer.read())
        assert index["status"][4:7].tolist() == [1, 3, 1]
        assert index["shown_rows"].tolist() == [row for row in range(90) if row != 5]
        async with http.get("viewer/api/0/curves?names=AU12_left&first=0&last=3&steps=50") as answer:
            _, curves = unpacked(await answer.read())
        np.testing.assert_allclose(curves["AU12_left:high"][-1], 89 / 20)
        async with http.get("viewer/api/0/rows?first=88&count=64") as answer:
            header, rows = unpacked(await answer.read())
        table = rows["numbers"].reshape(2, -1)
        assert rows["frames"].tolist() == [88, 89]
        np.testing.assert_allclose(table[1, header["columns"].index("wflw_x_0")], 200 + 8.9, atol=0.01)
        assert header["texts"][0]["status"] == "measured"
        async with http.get("viewer/api/0/verify") as answer:
            assert (await answer.json())["notices"] == []

    browse([folder], scene)


def test_the_recording_comes_in_ranges_and_picture_by_picture(folder: Path) -> None:
    async def scene(http: ClientSession) -> None:
        async with http.get("viewer/api/0/film/shown") as answer:
            assert (answer.status, answer.content_type) == (200, "video/mp4")
            whole = await answer.read()
        with av.open(io.BytesIO(whole)) as served:
            assert sum(1 for _ in served.decode(video=0)) == 89
        for word, wanted in (("100-299", whole[100:300]), ("-50", whole[-50:]), (f"{len(whole) - 7}-", whole[-7:])):
            async with http.get("viewer/api/0/film/shown", headers={"Range": f"bytes={word}"}) as answer:
                assert answer.status == 206
                assert await answer.read() == wanted
                assert answer.headers["Content-Range"].endswith(f"/{len(whole)}")
        for word in (f"{len(whole)}-", "9-3", "x"):
            async with http.get("viewer/api/0/film/shown", headers={"Range": f"bytes={word}"}) as answer:
                assert answer.status == 416
        async with http.get("viewer/api/0/picture/shown/40?width=160") as answer:
            assert number_of(await answer.read()) == 41
        for path in (
            "picture/shown/89",
            "picture/captured/0",
            "curves?names=AU99&first=0&last=1&steps=9",
            "rows?first=x",
        ):
            async with http.get(f"viewer/api/0/{path}") as answer:
                assert answer.status == 400
                assert (await answer.json())["error"].endswith(".")
        async with http.get("viewer/api/7") as answer:
            assert answer.status == 400

    browse([folder], scene)


def test_strangers_and_pages_of_other_sites_get_nothing(folder: Path) -> None:
    async def scene(http: ClientSession) -> None:
        for path in ("viewer", "viewer/api/0", "viewer/api/0/film/shown", "viewer/assets/viewer.js"):
            async with http.get(path, headers={"Authorization": "Bearer wrong"}) as answer:
                assert answer.status == 401
            async with http.get(path, headers={"Host": "evil.example"}) as answer:
                assert answer.status == 403
        async with http.put("viewer/api/0/annotations", json={}, headers={"Origin": "http://evil.example"}) as answer:
            assert answer.status == 403
        async with http.get("viewer") as answer:
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert "HttpOnly" in answer.headers["Set-Cookie"] or not answer.headers["Set-Cookie"]
        for path in ("viewer/assets/../service.py", "viewer/assets/nothing.js", "viewer/api/0/film/%2e%2e"):
            async with http.get(path) as answer:
                assert answer.status in (400, 404)

    browse([folder], scene)


def test_annotations_are_written_beside_the_session_and_never_over_somebody_elses(tmp_path: Path) -> None:
    folder = make_session(tmp_path / "mine", 30)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert verify(folder).right

    async def scene(http: ClientSession) -> None:
        async with http.get("viewer/api/0/annotations?coder=Ada") as answer:
            found = await answer.json()
        assert found["state"] == ""
        mine = found["annotations"] | {
            "codes": [{"name": "smile"}],
            "labels": [{"start": 0, "end": 33, "code": "smile"}],
        }
        async with http.put("viewer/api/0/annotations", json={"state": "", "annotations": mine}) as answer:
            written = await answer.json()
            assert answer.status == 200
        async with http.put("viewer/api/0/annotations", json={"state": "", "annotations": mine}) as answer:
            assert answer.status == 409
            assert "another window" in (await answer.json())["error"]
        wrong = mine | {"labels": [{"start": 5, "end": 5, "code": "smile"}]}
        for body, status in (
            ({"state": written["state"], "annotations": wrong}, 400),
            ({"annotations": mine}, 400),
        ):
            async with http.put("viewer/api/0/annotations", json=body) as answer:
                assert answer.status == status
        async with http.put("viewer/api/0/annotations", data=b"{}") as answer:
            assert answer.status == 415
        large: dict[str, Any] = {"data": io.BytesIO(b" " * 9_000_000), "headers": {"Content-Type": "application/json"}}
        async with http.put("viewer/api/0/annotations", **large) as answer:
            assert answer.status == 413
        async with http.get("viewer/api/0/annotations?coder=Ada") as answer:
            assert (await answer.json())["annotations"]["labels"][0]["end"] == 33

    browse([folder], scene)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["mine", "mine-annotations-Ada.json"]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert verify(folder).right


def test_what_is_wrong_with_a_session_is_said_and_the_rest_is_shown(tmp_path: Path) -> None:
    killed = make_session(tmp_path / "killed", 40, finished=False)
    rows = killed / "frames.csv"
    rows.write_bytes(rows.read_bytes()[:-100])
    opened = ViewedSession.open(killed)
    assert len(opened.times) == 39
    assert any("not finished" in sentence for sentence in opened.notices)
    assert any("cut short" in sentence for sentence in opened.notices)
    assert any("1 of 40 pictures" in sentence for sentence in opened.notices)
    opened.close()

    changed = make_session(tmp_path / "changed", 40)
    (changed / "video.mp4").write_bytes(b"no video at all")
    (changed / "frames.csv").unlink()
    opened = ViewedSession.open(changed)
    assert not len(opened.times)
    said = " ".join(opened.notices)
    assert all(
        words in said for words in ("frames.csv is missing", "video.mp4 is cut short", "video.mp4 cannot be read")
    )
    with pytest.raises(UserInputError, match="no rows"):
        opened.curves(["AU12_left"], 0, 1, 10)

    pictures = make_session(tmp_path / "pictures", 40)
    (pictures / "frames.csv").unlink()
    opened = ViewedSession.open(pictures)
    assert len(opened.times) == 40
    assert opened.describe()["curves"] == []

    alone = ViewedSession.open(make_session(tmp_path / "alone", 20, shown=False))
    assert alone.films == []
    assert any("no recording" in sentence for sentence in alone.notices)


def test_what_cannot_be_opened_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match="holds no session"):
        Viewer([tmp_path], 0, TOKEN)
    folder = tmp_path / "running"
    folder.mkdir()
    (folder / SESSION).write_text('{"format": 1}')
    writer = SessionWriter(folder, lambda: START)
    with pytest.raises(UserInputError, match="being recorded right now"):
        Viewer([folder], 0, TOKEN)
    writer.close()
    first = Viewer([folder], 0, TOKEN)
    port = int(first.url.split(":")[2].split("/")[0])
    with pytest.raises(DeviceError, match=f"Port {port} is taken"):
        Viewer([folder], port, TOKEN)
    first.close()


def test_the_dashboard_shows_the_sessions_beside_its_own_and_only_on_this_machine(tmp_path: Path) -> None:
    for name in ("2026-01-01", "2026-02-02"):
        make_session(tmp_path / name, 20, shown=False)
    running = tmp_path / "running"
    make_session(running, 5, shown=False)
    (tmp_path / "no session").mkdir()
    routes = ViewerRoutes(Shelf([], lambda: sessions_beside(running), most=1))
    dashboard = Dashboard("127.0.0.1", 0, TOKEN, lambda: 0.0, more=routes.add_to)
    others = Dashboard("0.0.0.0", 0, TOKEN, lambda: 0.0, more=routes.add_to)
    assert dashboard.has_more
    assert not others.has_more  # whoever has the link would see every face that was ever recorded
    others.stop()
    dashboard.start(Commands({}), RunStatus((), "compose", no_report, sessions=dashboard.has_more))

    async def scene() -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with ClientSession(dashboard.url, headers=headers, cookie_jar=DummyCookieJar()) as http:
            async with http.get("viewer/api/sessions") as answer:
                assert await answer.json() == {"sessions": ["2026-01-01", "2026-02-02"], "begin": []}
            for number in (0, 1, 0):
                async with http.get(f"viewer/api/{number}") as answer:
                    assert (await answer.json())["frames"] == 20
            async with http.get("viewer", headers={"Authorization": ""}) as answer:
                assert answer.status == 401

    try:
        asyncio.run(scene())
    finally:
        dashboard.stop()
