"""Which camera a word means, and the modes that the three systems print."""

import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from av.error import FFmpegError

from realtime.errors import DeviceError, UserInputError
from realtime.media import cameras, demux_options
from realtime.media.camera_modes import ask, parse_modes
from realtime.media.cameras import Camera, CameraFinder, _from_devices, _linux_cameras, find_camera
from realtime.media.demux_options import OpenPlan, unmet_wish
from realtime.media.libav_errors import opening_error, reading_error
from realtime.media.source_spec import parse_source
from realtime.media.stream_info import StreamInfo
from realtime.media.v4l2 import highest_rate

KNOWN = [
    Camera(0, "Integrated Camera", "/dev/video0"),
    Camera(2, "HD Pro Webcam C920", "/dev/video2"),
    Camera(4, "HD Pro Webcam C930", "/dev/video4"),
]


@pytest.mark.parametrize(
    ("word", "index"),
    [
        ("camera", 0),
        ("camera:2", 2),
        ("camera:integrated camera", 0),
        ("camera:C930", 4),
        ("camera:/dev/video2", 2),
    ],
)
def test_a_word_finds_its_camera(word: str, index: int) -> None:
    assert find_camera(parse_source(word), KNOWN).index == index


@pytest.mark.parametrize(
    ("word", "error", "says"),
    [
        ("camera:1", DeviceError, "no camera 1"),
        ("camera:Logi", UserInputError, "No camera is called 'Logi'"),
        ("camera:HD Pro", UserInputError, "More than one"),
    ],
)
def test_an_unknown_camera_is_told_with_the_known_ones(word: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says) as caught:
        find_camera(parse_source(word), KNOWN)
    assert all(camera.name in str(caught.value) for camera in KNOWN)


def test_a_machine_without_cameras() -> None:
    with pytest.raises(DeviceError, match="No camera found"):
        find_camera(parse_source("camera:Any"), [])


def test_linux_lists_capture_nodes_in_order_and_leaves_metadata_nodes_out(tmp_path: Path) -> None:
    nodes = {"video10": ("0", "Grabber"), "video0": ("0", "Webcam"), "video1": ("1", "Webcam"), "video2": ("0", "")}
    for node, (index, name) in nodes.items():
        (tmp_path / node).mkdir()
        (tmp_path / node / "index").write_text(index + "\n")
        (tmp_path / node / "name").write_text(name + "\n")
    (tmp_path / "videofoo").mkdir()
    assert _linux_cameras(tmp_path, lambda _: None) == [
        Camera(0, "Webcam", "/dev/video0"),
        Camera(2, "", "/dev/video2"),
        Camera(10, "Grabber", "/dev/video10"),
    ]
    assert _linux_cameras(tmp_path / "nowhere") == []


def test_an_output_is_no_camera(tmp_path: Path) -> None:
    for node in ("video0", "video2"):
        (tmp_path / node).mkdir()
        (tmp_path / node / "index").write_text("0\n")
    assert _linux_cameras(tmp_path, lambda device: device == "/dev/video2") == [Camera(2, "", "/dev/video2")]


@pytest.mark.parametrize(
    ("known", "found"),
    [
        ([Camera(0, "Webcam", "/dev/video0"), Camera(2, "Other", "/dev/video2")], "/dev/video0"),
        ([Camera(2, "Other", "/dev/video2"), Camera(3, "Webcam", "/dev/video3")], "/dev/video3"),
        ([Camera(2, "Other", "/dev/video2")], None),
        ([Camera(0, "Other", "/dev/video0")], None),
        ([Camera(2, "Other", "/dev/video2"), Camera(4, "Webcam", "/dev/video4")], None),
    ],
    ids=["same", "another number", "gone", "another camera has its number", "its twin"],
)
def test_a_camera_that_was_unplugged_is_waited_for_and_no_other_taken(
    monkeypatch: pytest.MonkeyPatch, known: list[Camera], found: str | None
) -> None:
    first = [Camera(0, "Webcam", "/dev/video0"), Camera(2, "Other", "/dev/video2"), Camera(4, "Webcam", "/dev/video4")]
    monkeypatch.setattr(cameras, "list_cameras", lambda: first)
    finder = CameraFinder()
    assert finder.find(parse_source("camera")).address == "/dev/video0"
    monkeypatch.setattr(cameras, "list_cameras", lambda: known)
    if found is None:
        with pytest.raises(DeviceError, match=r"camera 0 \(Webcam\) is not there \(unplugged\?\)"):
            finder.find(parse_source("camera"))
    else:
        assert finder.find(parse_source("camera")).address == found
    assert finder.find(parse_source(f"camera:{known[0].index}")) == known[0]


def test_a_mode_that_the_camera_lacks_is_told_with_what_it_gives() -> None:
    info = StreamInfo("camera 0", "v4l2", "mjpeg", "yuvj422p", 1280, 720, 15.0, 0, True, None)
    camera = OpenPlan("camera 0 (Webcam)", (), device=True)
    assert unmet_wish(camera, info, (1234, 567), 60.0) == (
        "camera 0 (Webcam) gives 1280x720 instead of 1234x567 and 15 pictures a second instead of 60; "
        "`facemirror-live cameras` lists what it has."
    )
    assert unmet_wish(camera, info, (720, 1280), 15.0) is None
    assert unmet_wish(camera, info, None, None) is None
    assert unmet_wish(OpenPlan("clip.mp4", ()), info, (1234, 567), None) is None


def test_linux_tells_the_highest_rate_of_a_mode() -> None:
    intervals = {0: (1, 15), 1: (1, 30), 2: (2, 15)}

    def discrete(_fd: int, request: int, arg: bytes) -> bytes:
        index, code, width, height = struct.unpack_from("4I", arg)
        assert (request, len(arg), width, height) == (0xC034564B, 52, 640, 480)
        assert struct.pack("I", code) == b"MJPG"
        if index not in intervals:
            raise OSError(22, "past the last one")
        return arg[:16] + struct.pack("3I", 1, *intervals[index]) + bytes(24)

    def stepwise(_fd: int, _request: int, arg: bytes) -> bytes:
        return arg[:16] + struct.pack("3I", 3, 1, 60) + bytes(24)

    assert highest_rate(0, "mjpeg", 640, 480, discrete) == 30
    assert highest_rate(0, "mjpeg", 640, 480, stepwise) == 60
    assert highest_rate(0, "an unknown format", 640, 480, discrete) is None


def test_macos_and_windows_number_their_video_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    devices = [("mic", "Microphone", False), ("A1", "FaceTime HD", True), ("B2", "", True)]
    monkeypatch.setattr("sys.platform", "darwin")
    assert [(c.index, c.name, c.address) for c in _from_devices(devices)] == [(0, "FaceTime HD", "0"), (1, "B2", "1")]
    monkeypatch.setattr("sys.platform", "win32")
    assert [c.address for c in _from_devices(devices)] == ["video=A1", "video=B2"]


def test_listing_never_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> Any:
        raise FFmpegError(78, "not implemented")

    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setattr("av.enumerate_input_devices", refuse)
    assert cameras.list_cameras() == []


@pytest.mark.parametrize(
    ("platform", "format_name", "first", "last"),
    [
        (
            "linux",
            "v4l2",
            {"input_format": "mjpeg", "video_size": "640x360", "framerate": "25"},
            {},
        ),
        (
            "darwin",
            "avfoundation",
            {"pixel_format": "nv12", "video_size": "640x360", "framerate": "25"},
            {"video_size": "640x480", "framerate": "30"},
        ),
        (
            "win32",
            "dshow",
            {"video_size": "640x360", "framerate": "25", "rtbufsize": "64M"},
            {"rtbufsize": "64M"},
        ),
    ],
)
def test_wishes_are_tried_first_and_given_up_in_the_end(
    monkeypatch: pytest.MonkeyPatch, platform: str, format_name: str, first: dict[str, str], last: dict[str, str]
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr(demux_options, "find_camera", lambda _: KNOWN[1])
    planned = demux_options.plan(parse_source("camera:2"), (640, 360), 25)
    assert planned.attempts[0].options == first
    assert planned.attempts[-1].options == last
    assert {attempt.format for attempt in planned.attempts} == {format_name}
    assert planned.device
    assert planned.always_live
    assert planned.device
    assert not planned.broadcast


def test_a_loopback_device_is_taken_as_its_sender_made_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(demux_options, "find_camera", lambda _: KNOWN[1])
    monkeypatch.setattr(demux_options, "driver", lambda _: "v4l2 loopback")
    planned = demux_options.plan(parse_source("camera:2"), (640, 360), 25)
    assert [attempt.options for attempt in planned.attempts] == [{}]
    info = StreamInfo("camera 2", "v4l2", "rawvideo", "yuyv422", 1280, 720, 30.0, 0, True, None)
    assert "1280x720 instead of 640x360" in str(unmet_wish(planned, info, (640, 360), None))


@pytest.mark.parametrize(("device", "says"), [(True, "is gone (unplugged?)"), (False, "stopped giving frames")])
def test_a_camera_whose_queue_was_stopped_is_gone(device: bool, says: str) -> None:
    error = FFmpegError(22, "Invalid argument")
    assert says in str(reading_error("camera 0 (Webcam)", error, device=device, seconds=5))


@pytest.mark.parametrize(
    ("number", "says"),
    [(16, "in use by another program"), (13, "may not use"), (19, "not there"), (5, "could not be opened")],
)
def test_why_a_camera_cannot_be_opened(number: int, says: str) -> None:
    error = FFmpegError(number, "Some reason")
    fault = opening_error("camera 0 (Webcam)", error, device=True, url=True, seconds=5)
    assert isinstance(fault, DeviceError)
    assert says in str(fault)
    assert "camera 0 (Webcam)" in str(fault)


def test_video4linux_modes() -> None:
    text = (
        "Raw       :     yuyv422 :           YUYV 4:2:2 : 640x480 1280x720\n"
        "Compressed:       mjpeg :          Motion-JPEG : 1920x1080 640x480\n"
        "Raw       :     yuv420p :     Planar YUV 4:2:0 : {32-1920, 2}x{32-1080, 2}\n"
    )
    assert [str(mode) for mode in parse_modes(text, "v4l2")] == [
        "1920x1080 (mjpeg)",
        "1920x1080 (yuv420p)",
        "1280x720 (yuyv422)",
        "640x480 (mjpeg)",
        "640x480 (yuyv422)",
    ]


def test_avfoundation_modes() -> None:
    text = (
        "Selected framerate (1000.000000) is not supported by the device.\nSupported modes:\n"
        "  640x480@[1.000000 30.000030]fps\n  1280x720@[1.000000 30.000030]fps\n  1280x720@[60.000000 60.000000]fps\n"
    )
    assert [str(mode) for mode in parse_modes(text, "avfoundation")] == [
        "1280x720 at up to 60 fps",
        "640x480 at up to 30 fps",
    ]


def test_directshow_modes() -> None:
    text = (
        'DirectShow video device options (from video devices)\n Pin "Capture" (alternative pin name "0")\n'
        "  pixel_format=yuyv422  min s=640x480 fps=5 max s=640x480 fps=30 (tv, bt470bg)\n"
        "  vcodec=mjpeg  min s=1280x720 fps=5 max s=1280x720 fps=60.0002\n"
        "  vcodec=mjpeg  min s=1280x720 fps=5 max s=1280x720 fps=30\n"
    )
    assert [str(mode) for mode in parse_modes(text, "dshow")] == [
        "1280x720 at up to 60 fps (mjpeg)",
        "640x480 at up to 30 fps (yuyv422)",
    ]


def test_a_device_that_is_not_there_has_no_modes() -> None:
    camera = SimpleNamespace(address="/dev/video99")
    assert parse_modes(ask(camera.address, "v4l2"), "v4l2") == []
