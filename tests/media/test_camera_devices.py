"""Cameras as libav's own Video4Linux reader finds them; the kernel's side is played by `pretend_v4l2.c`."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

COMPILER = shutil.which("cc") or shutil.which("gcc")
HEADER = Path("/usr/include/linux/videodev2.h")
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or COMPILER is None or not HEADER.exists(),
    reason="needs Linux, a C compiler and its headers",
)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `camera_scenes` tells."""
    folder = tmp_path_factory.mktemp("devices")
    library = folder / "pretend.so"
    source = Path(__file__).with_name("pretend_v4l2.c")
    subprocess.run([str(COMPILER), "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"], check=True)
    environment = os.environ | {"LD_PRELOAD": str(library), "PRETEND_V4L2": str(folder), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.media.camera_scenes", str(folder)]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_without_a_camera_both_say_so(found: dict[str, Any]) -> None:
    assert found["nothing"].startswith("DeviceError: No camera found on this machine")
    assert found["doctor without"][:2] == [False, "No camera was found."]
    assert found["only an output"] == [], "nobody sends to the loopback device"


def test_cameras_are_listed_with_formats_sizes_and_rates(found: dict[str, Any]) -> None:
    assert found["known"] == ["2 (Webcam: Webcam)", "4 (Old Camera)"]
    assert found["doctor"][:2] == [True, "Cameras: 2 (Webcam: Webcam); 4 (Old Camera)."]
    assert found["modes"] == [
        [
            "640x360 at up to 60 fps (mjpeg)",
            "640x360 at up to 5 fps (yuyv422)",
            "320x240 at up to 60 fps (mjpeg)",
            "320x240 at up to 60 fps (yuyv422)",
        ],
        ["320x240 at up to 60 fps (yuyv422)", "160x120 at up to 60 fps (yuyv422)"],
    ]


@pytest.mark.parametrize(
    ("scene", "shape", "stream"),
    [
        ("first", [360, 640, 3], "640x360 at 30 fps, mjpeg"),
        ("by number", [240, 320, 3], "320x240 at 30 fps, rawvideo yuyv422"),
        ("by name", [120, 160, 3], "160x120 at 60 fps, rawvideo yuyv422"),
    ],
)
def test_a_camera_is_read_in_the_mode_that_was_wished(
    found: dict[str, Any], scene: str, shape: list[int], stream: str
) -> None:
    told = found[scene]
    assert told["shape"] == shape
    assert told["stream"].startswith(stream)
    assert told["colour_error"] <= 4
    assert told["sequence"] == sorted(set(told["sequence"]))
    assert told["age_ms"] < 1000, "the device's own time stamps are used"
    assert told["notices"] == []


def test_a_mode_it_does_not_have_is_told_with_what_it_gives(found: dict[str, Any]) -> None:
    (notice,) = found["another mode"]["notices"]
    assert notice == (
        "camera 2 (Webcam: Webcam) gives 640x360 instead of 500x300 and 60 pictures a second instead of 120; "
        "`facemirror-live cameras` lists what it has."
    )


def test_a_picture_outlives_its_device(found: dict[str, Any]) -> None:
    errors = found["pictures of a closed device"]
    assert len(errors) == 3
    assert max(errors) <= 4


def test_what_cannot_be_had_is_one_sentence(found: dict[str, Any]) -> None:
    assert found["busy"] == (
        "DeviceError: camera 2 (Webcam: Webcam) is in use by another program; close that one first."
    )
    assert found["the output"].startswith("DeviceError: There is no camera 0; known cameras: 2 (Webcam: Webcam)")
    assert found["unknown"].startswith("UserInputError: No camera is called 'Nobody'")


def test_an_unplugged_camera_is_waited_for_and_found_under_its_new_number(found: dict[str, Any]) -> None:
    told = found["unplugged"]
    assert told["gone"] == "DeviceError: camera 2 (Webcam: Webcam) is gone (unplugged?)."
    assert told["waiting"] == "DeviceError: camera 2 (Webcam: Webcam) is not there (unplugged?)."
    assert told["after"]["source"] == "camera 5 (Webcam: Webcam)"
    assert told["after"]["sequence"][0] > told["before"]["sequence"][-1]
    assert told["after"]["colour_error"] <= 4
