"""Which cameras there are, and which one a source word means."""

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import av
from av.error import FFmpegError

from realtime.errors import DeviceError, UserInputError
from realtime.media.camera_modes import CameraMode, ask, parse_modes
from realtime.media.source_spec import SourceSpec
from realtime.media.v4l2 import can_capture, highest_rate, opened

_SYSFS = Path("/sys/class/video4linux")


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera of this machine.

    Attributes:
        index: the number after `camera:`.
        name: as the system shows it.
        address: what libav opens.
    """

    index: int
    name: str
    address: str

    @property
    def label(self) -> str:
        """Name and number, for sentences."""
        return f"{self.index} ({self.name})" if self.name else str(self.index)


def device_format() -> str:
    """libav's input device on this system."""
    return {"darwin": "avfoundation", "win32": "dshow"}.get(sys.platform, "v4l2")


def list_cameras() -> list[Camera]:
    """Every camera of this machine, in the system's order; empty when there is none."""
    if sys.platform not in ("darwin", "win32"):
        return _linux_cameras(_SYSFS)
    try:
        devices = av.enumerate_input_devices(device_format())
    except (AttributeError, FFmpegError, ValueError, OSError):
        return []
    return _from_devices([(d.name, d.description, _is_video(d)) for d in devices])


def camera_modes(camera: Camera) -> list[CameraMode]:
    """The sizes, rates and formats this camera offers; empty when it does not say or is in use."""
    modes = parse_modes(ask(camera.address, device_format()), device_format())
    if device_format() == "v4l2":
        # libav's list has no rates.
        with suppress(OSError), opened(camera.address) as device:
            return [replace(one, fps=highest_rate(device, one.format, one.width, one.height)) for one in modes]
    return modes


def _is_video(device: object) -> bool:
    kinds = [str(kind).lower() for kind in getattr(device, "media_types", None) or ()]
    return not kinds or any("video" in kind for kind in kinds)


def _from_devices(devices: Sequence[tuple[str, str, bool]]) -> list[Camera]:
    cameras: list[Camera] = []
    for name, description, is_video in devices:
        if not is_video:
            continue
        index = len(cameras)
        shown = description or name
        address = f"video={name}" if sys.platform == "win32" else str(index)
        cameras.append(Camera(index, shown, address))
    return cameras


def _linux_cameras(sysfs: Path, captures: Callable[[str], bool | None] = can_capture) -> list[Camera]:
    """Video4Linux capture nodes. A camera's second node carries metadata, no pictures; sysfs numbers it 1 and up.

    An output is no camera, nor is a loopback device to which nobody sends. A node that cannot be asked is listed: whoever
    chooses it reads why it cannot be had.
    """
    cameras = []
    for node in sorted(sysfs.glob("video*"), key=lambda path: (len(path.name), path.name)):
        digits = node.name.removeprefix("video")
        if not digits.isdecimal() or _read(node / "index") not in ("", "0"):
            continue
        if captures(f"/dev/{node.name}") is not False:
            cameras.append(Camera(int(digits), _read(node / "name"), f"/dev/{node.name}"))
    return cameras


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def find_camera(spec: SourceSpec, cameras: Sequence[Camera] | None = None) -> Camera:
    """The camera a source word means: by number, by exact name, or by a part of the name that fits only one.

    Args:
        spec: the word.
        cameras: to choose from; None: those of this machine.

    Raises:
        DeviceError: there is no camera, or not that number.
        UserInputError: no name fits, or several do.
    """
    known = list_cameras() if cameras is None else list(cameras)
    if not known:
        raise DeviceError("No camera found on this machine; plug one in, or take a file, a URL or demo as the source.")
    listing = "; ".join(camera.label for camera in known)
    if not spec.target:
        return known[0]
    if spec.camera_index is not None:
        for camera in known:
            if camera.index == spec.camera_index:
                return camera
        raise DeviceError(f"There is no camera {spec.camera_index}; known cameras: {listing}.")
    wanted = spec.target.casefold()
    exact = [camera for camera in known if wanted in (camera.name.casefold(), camera.address.casefold())]
    fitting = exact or [camera for camera in known if wanted in camera.name.casefold()]
    if not fitting:
        raise UserInputError(f"No camera is called {spec.target!r}; known cameras: {listing}.")
    if len(fitting) > 1 and not exact:
        raise UserInputError(f"More than one camera is called {spec.target!r}; known cameras: {listing}.")
    return fitting[0]


class CameraFinder:
    """Finds the camera that a source word means, and the same one again after it was unplugged.

    Plugged in anew, a camera often gets another number, and the first camera of a machine may then be another one.
    """

    def __init__(self) -> None:
        self._spec: SourceSpec | None = None
        self._camera: Camera | None = None
        self._others: frozenset[str] = frozenset()

    def find(self, spec: SourceSpec) -> Camera:
        """The camera of a word.

        Args:
            spec: the word; the same one as before means the camera of before.

        Raises:
            DeviceError: there is no camera, not that number, or it is gone.
            UserInputError: no name fits, or several do.
        """
        known = list_cameras()
        before = self._camera if spec == self._spec else None
        camera = find_camera(spec, known) if before is None else self._again(before, known)
        self._spec, self._camera = spec, camera
        if before is None:
            self._others = frozenset(one.address for one in known) - {camera.address}
        return camera

    def _again(self, before: Camera, known: Sequence[Camera]) -> Camera:
        same = [one for one in known if one.name == before.name]
        for one in same:
            if one.address == before.address:
                return one
        # Not its twin, which was there all the time.
        new = [one for one in same if one.address not in self._others]
        if not new:
            raise DeviceError(f"camera {before.label} is not there (unplugged?).")
        return new[0]
