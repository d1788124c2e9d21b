"""What to hand to libav to open each kind of source: name, format, options, in the order worth trying."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from realtime.errors import DeviceError
from realtime.media.cameras import Camera, device_format, find_camera
from realtime.media.source_spec import SourceKind, SourceSpec
from realtime.media.stream_info import StreamInfo
from realtime.media.v4l2 import LOOPBACK, driver

# Short probing. Not `nobuffer`: it throws the probed packets away, the first keyframe among them; and not `low_delay`,
# which changes nothing for streams without reordering and cannot help those with it.
_STREAM = {"analyzeduration": "500000", "probesize": "1000000"}
_UDP = {"overrun_nonfatal": "1", "fifo_size": "50000", "buffer_size": "2097152"}
_DEFAULT_SIZE = (1280, 720)
_DEFAULT_FPS = 30.0
_NEARLY = 0.95


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call of `av.open`.

    Attributes:
        file: what libav opens.
        format: its name of the device or container; None: it finds out.
        options: of the demuxer.
    """

    file: str
    format: str | None = None
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OpenPlan:
    """How a source is opened, and what is known of it beforehand.

    Attributes:
        name: how errors call the source.
        attempts: tried in order until one opens.
        always_live: never paced by time stamps.
        may_end: a live source's end is an end, not a failure to be followed by another try.
        device: a camera, whose time stamps may be the system's monotonic clock.
        network: a URL, which libav reads with time-outs.
        broadcast: the pictures come from a video codec (see `ToBgr`).
    """

    name: str
    attempts: tuple[Attempt, ...]
    always_live: bool = False
    may_end: bool = False
    device: bool = False
    network: bool = False
    broadcast: bool = True

    @property
    def recorded(self) -> bool:
        """A file, generator or the demo: read from this machine, and paced by its time stamps."""
        return not (self.device or self.network)


def plan(
    spec: SourceSpec,
    size: tuple[int, int] | None = None,
    fps: float | None = None,
    find: Callable[[SourceSpec], Camera] | None = None,
) -> OpenPlan:
    """Find out how to open a source.

    Args:
        spec: the source.
        size: wished (width, height) in pixels; matters to cameras only.
        fps: wished rate; likewise.
        find: finds the camera of a word; None: `find_camera`.

    Raises:
        UserInputError: no such camera is known.
        DeviceError: there is no camera, or the demo clip is missing.
    """
    if spec.kind is SourceKind.CAMERA:
        return _camera((find or find_camera)(spec), size, fps)
    if spec.kind is SourceKind.LAVFI:
        return OpenPlan(str(spec), (Attempt(spec.target, "lavfi"),), broadcast=False)
    if spec.kind is SourceKind.DEMO:
        return OpenPlan("the demo clip", (Attempt(str(demo_clip())),))
    if spec.kind is SourceKind.PLUGIN:
        return OpenPlan(f"the plug-in source {spec.target}", (), broadcast=False)
    if spec.kind is SourceKind.FILE:
        return OpenPlan(spec.target, (Attempt(_local(spec.target)),))
    scheme = spec.target.split(":", 1)[0].lower()
    options = dict(_STREAM)
    if scheme == "udp":
        options |= _UDP
    if scheme == "rtsp":
        options |= {"rtsp_flags": "prefer_tcp"}
    always = scheme in ("udp", "rtp", "rtsp", "rtsps", "rtmp", "rtmps", "srt")
    return OpenPlan(
        spec.target,
        (Attempt(spec.target, None, options),),
        always_live=always,
        may_end=scheme in ("tcp", "udp", "srt"),
        network=True,
    )


def unmet_wish(opening: OpenPlan, info: StreamInfo, size: tuple[int, int] | None, fps: float | None) -> str | None:
    """A sentence when a camera gives another size than was wished, or fewer pictures.

    Args:
        opening: how it was opened.
        info: what it gives; turned pictures have their sides exchanged.
        size: wished (width, height) in pixels.
        fps: wished rate.
    """
    if not opening.device:
        return None
    given = []
    if size is not None and (info.width, info.height) not in (size, size[::-1]):
        given.append(f"{info.width}x{info.height} instead of {size[0]}x{size[1]}")
    if fps is not None and info.fps is not None and info.fps < _NEARLY * fps:
        given.append(f"{info.fps:.4g} pictures a second instead of {fps:.4g}")
    if not given:
        return None
    return f"{opening.name} gives {' and '.join(given)}; `facemirror-live cameras` lists what it has."


def demo_clip() -> Path:
    """The embedded demo clip.

    Raises:
        DeviceError: the installation lacks it.
    """
    folder = Path(str(resources.files("realtime.media"))) / "assets"
    clips = sorted(folder.glob("demo.*"))
    for clip in clips:
        if clip.suffix in (".mp4", ".mkv", ".webm"):
            return clip
    raise DeviceError("The demo clip is missing from this installation; install facemirror-live again.")


def _local(path: str) -> str:
    """A path libav takes for a path: a colon in a file's name must not look like a protocol."""
    return f"file:{path}" if os.name != "nt" else path


def _camera(camera: Camera, size: tuple[int, int] | None, fps: float | None) -> OpenPlan:
    width, height = size or _DEFAULT_SIZE
    mode = {"video_size": f"{width}x{height}", "framerate": f"{fps or _DEFAULT_FPS:g}"}
    wishes: list[dict[str, str]]
    if sys.platform == "darwin":
        nv12 = {"pixel_format": "nv12"}
        vga = {"video_size": "640x480", "framerate": "30"}
        wishes = [mode | nv12, {"video_size": "1280x720", "framerate": "30"} | nv12, vga | nv12, mode, vga]
    elif sys.platform == "win32":
        buffer = {"rtbufsize": "64M"}
        wishes = [mode | buffer, {"video_size": mode["video_size"]} | buffer, buffer]
    elif driver(camera.address) == LOOPBACK:
        # Whoever writes to the device chose size and format. With a wish for another size (seen with version 0.12.7) libav goes
        # on expecting the wished one: raw pictures are thrown away as cut off, and two of motion JPEG are taken for one.
        wishes = [{}]
    else:
        # USB cameras reach 30 fps at 720p as motion JPEG only; others do not know it.
        wishes = [{"input_format": "mjpeg"} | mode, mode, {"video_size": mode["video_size"]}, {}]
    attempts = tuple(Attempt(camera.address, device_format(), wish) for wish in wishes)
    return OpenPlan(f"camera {camera.label}", attempts, always_live=True, device=True, broadcast=False)
