"""The real OBS under a virtual display, with software rendering, an empty profile and its websocket server on."""

import asyncio
import base64
import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from realtime.errors import DeviceError
from realtime.obs.protocol import ObsAbsentError, connect
from realtime.types import U8
from tests.live.waiting import eventually

MISSING = [name for name in ("obs", "Xvfb") if shutil.which(name) is None]
PASSWORD = "for tests only"
WIDTH, HEIGHT = 1280, 720


@dataclass(frozen=True, slots=True)
class RealObs:
    """OBS while it runs.

    Attributes:
        url: of its websocket server.
        display: the X display that it and others draw on.
        version: as it says.
        process: may be killed.
    """

    url: str
    display: str
    version: str
    process: "subprocess.Popen[bytes]"

    def ask(self, kind: str, data: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """One request on a connection of its own."""
        return asyncio.run(_ask(self.url, kind, data or {}))

    def picture(self, source: str) -> U8:
        """(720, 1280, 3) BGR of a scene or source, as OBS renders it."""
        wish = {"sourceName": source, "imageFormat": "png", "imageWidth": WIDTH, "imageHeight": HEIGHT}
        text = str(self.ask("GetSourceScreenshot", wish)["imageData"])
        found = cv2.imdecode(np.frombuffer(base64.b64decode(text.partition(",")[2]), np.uint8), cv2.IMREAD_COLOR)
        assert found is not None
        return np.asarray(found, np.uint8)


async def _ask(url: str, kind: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    connection = await connect(url, PASSWORD, 30.0)
    try:
        return await connection.request(kind, data)
    finally:
        await connection.close()


@contextlib.contextmanager
def x_display() -> Iterator[str]:
    """A virtual display of 1600 x 900."""
    reader, writer = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1600x900x24", "-nolisten", "tcp"],
        pass_fds=(writer,),
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    try:
        with os.fdopen(reader, encoding="ascii") as numbers:
            yield f":{numbers.readline().strip()}"
    finally:
        server.terminate()
        server.wait(10)


@contextlib.contextmanager
def real_obs(home: Path, display: str, port: int | None = None) -> Iterator[RealObs]:
    """Start OBS with an empty profile in `home`; killed at the end of the block.

    Args:
        home: of its settings.
        display: that it draws on.
        port: of its websocket server; None: a free one.
    """
    port = free_port() if port is None else port
    _write_profile(home, port)
    runtime = home / "runtime"
    runtime.mkdir(mode=0o700, exist_ok=True)
    # OpenCV's wheel points Qt at its own plug-ins, which are not those of OBS's Qt.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QT_")} | {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "XDG_RUNTIME_DIR": str(runtime),
        "DISPLAY": display,
        "LIBGL_ALWAYS_SOFTWARE": "1",
        "QT_QPA_PLATFORM": "xcb",
    }
    url = f"ws://127.0.0.1:{port}"
    log = (home / "obs.log").open("wb")
    command = ["obs", "--multi", "--minimize-to-tray", "--disable-shutdown-check"]
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:

        def answers() -> str:
            assert process.poll() is None, (home / "obs.log").read_text("utf-8", "replace")[-2000:]
            with contextlib.suppress(ObsAbsentError):
                return str(asyncio.run(_ask(url, "GetVersion", {}))["obsVersion"])
            return ""

        version = eventually(answers, 120, "OBS answers")
        # It answers before its scenes are there.
        eventually(lambda: _has_scenes(url), 60, "OBS has scenes")
        yield RealObs(url, display, version, process)
    finally:
        process.kill()
        process.wait(20)
        log.close()


def free_port() -> int:
    """A port of this machine that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _has_scenes(url: str) -> bool:
    try:
        return bool(asyncio.run(_ask(url, "GetSceneList", {})).get("scenes"))
    except DeviceError:
        return False


def _write_profile(home: Path, port: int) -> None:
    profile = home / "obs-studio" / "basic" / "profiles" / "Untitled"
    profile.mkdir(parents=True, exist_ok=True)
    (home / "obs-studio" / "global.ini").write_text(
        "[General]\nFirstRun=true\nPre19Defaults=false\nPre21Defaults=false\nPre23Defaults=false\nPre24.1Defaults=false\n"
        "[Basic]\nProfile=Untitled\nProfileDir=Untitled\nSceneCollection=Untitled\nSceneCollectionFile=Untitled\n"
        f"[OBSWebSocket]\nFirstLoad=false\nServerEnabled=true\nServerPort={port}\nAlertsEnabled=false\n"
        f"AuthRequired=true\nServerPassword={PASSWORD}\n",
        encoding="utf-8",
    )
    (profile / "basic.ini").write_text(
        f"[General]\nName=Untitled\n[Video]\nBaseCX={WIDTH}\nBaseCY={HEIGHT}\nOutputCX={WIDTH}\nOutputCY={HEIGHT}\n"
        "FPSCommon=30\n",
        encoding="utf-8",
    )
