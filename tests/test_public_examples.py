"""The examples of the public face run as they stand."""

import itertools
import runpy
import sys
from pathlib import Path

import av
import cv2
import pytest

from realtime import FaceTracker
from realtime.types import U8
from tests.conftest import ROOT

EXAMPLES = ROOT / "docs" / "examples"
pytestmark = pytest.mark.timeout(180)


def run(name: str, argument: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [name, str(argument)])
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")


@pytest.fixture(scope="module")
def pictures() -> list[U8]:
    """Ten frames of the demo clip."""
    with FaceTracker("demo") as tracker:
        return [result.frame.image for result in itertools.islice(tracker, 10)]


def test_a_still(
    pictures: list[U8], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(tmp_path / "picture.png"), pictures[5])
    run("still.py", tmp_path / "picture.png", monkeypatch)
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_video_to_a_data_frame(
    pictures: list[U8], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.height, stream.width = pictures[0].shape[:2]
        for image in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    run("video_to_dataframe.py", path, monkeypatch)
    count = capsys.readouterr().out.splitlines()[1]
    assert count.split()[0] == "count"
    assert [float(n) for n in count.split()[1:]] == [10, 10, 10]
