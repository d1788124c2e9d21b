"""The picture as a camera that other programs can choose: pyvirtualcam behind a small protocol.

pyvirtualcam is GPLv2 and therefore an optional extra; nothing here imports it before a virtual camera is asked for.
"""

import importlib
import sys
import time
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from realtime.errors import DeviceError
from realtime.media.loopback import free_stuck_devices
from realtime.media.recorder import fit

_RETRY_SECONDS = 1.0
INSTALL_PACKAGE = 'pip install "facemirror-live[virtual-camera]"'


class CameraBackend(Protocol):
    """An opened virtual camera of one size."""

    @property
    def device(self) -> str: ...
    def send(self, frame: NDArray[np.uint8]) -> None: ...
    def close(self) -> None: ...


OpenBackend = Callable[[int, int, float, str | None], CameraBackend]


class VirtualCamera:
    """Sends BGR frames to a virtual camera whose size is that of the first frame.

    Args:
        fps: what readers of the device are told; frames are sent as they come, never waited for.
        device: the device's name (Linux: /dev/videoN), or None for the first free one. `send` opens the device with the first frame
            and raises DeviceError if that fails or the device is lost; a lost one is looked for every second.
        open_backend: opens the device; given width, height, fps and device.
        say: told when a lost device is back.
        clock: seconds.
    """

    def __init__(
        self,
        fps: float = 30.0,
        device: str | None = None,
        open_backend: OpenBackend | None = None,
        *,
        say: Callable[[str], None] = lambda _sentence: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fps = fps
        self._wanted = device
        self._open_backend = open_backend or open_pyvirtualcam
        self._say = say
        self._clock = clock
        self._backend: CameraBackend | None = None
        self._size = (0, 0)
        self._lost = ""
        self._next_try = 0.0

    @property
    def device(self) -> str | None:
        """The opened device's name, None before the first frame."""
        return self._backend.device if self._backend is not None else None

    def open(self, width: int, height: int) -> str:
        """Open the device.

        Args:
            width: pixels.
            height: likewise.

        Returns:
            Its name.

        Raises:
            DeviceError: it cannot be opened; every reason is named.
        """
        # Camera readers expect 4:2:0 and refuse odd sizes.
        self._size = (width - width % 2, height - height % 2)
        self._backend = self._open_backend(*self._size, self._fps, self._wanted)
        return self._backend.device

    def send(self, image: NDArray[np.uint8]) -> None:
        """Send one (H, W, 3) uint8 BGR frame; one of another size is fitted into the camera's, with black borders.

        Args:
            image: the frame.

        Raises:
            DeviceError: the device is gone.
        """
        if self._backend is None:
            self._reopen(*(self._size if self._lost else image.shape[1::-1]))
        assert self._backend is not None
        width, height = self._size
        if image.shape[:2] != (height, width):
            image = fit(image, width, height)
        try:
            self._backend.send(image)
        except (RuntimeError, OSError, ValueError) as error:
            self.close()
            self._lost = (
                f"The virtual camera failed ({_one_line(error).removesuffix('.')}); it is looked for every second."
            )
            self._next_try = self._clock() + _RETRY_SECONDS
            raise DeviceError(self._lost) from None

    def _reopen(self, width: int, height: int) -> None:
        """Open for the first time, or, at most once a second, again; its size stays."""
        if not self._lost:
            self.open(width, height)
            return
        # Until it is back the same sentence is raised, which is told once.
        if self._clock() < self._next_try:
            raise DeviceError(self._lost)
        self._next_try = self._clock() + _RETRY_SECONDS
        try:
            device = self.open(width, height)
        except DeviceError:
            raise DeviceError(self._lost) from None
        self._lost = ""
        self._say(f"The virtual camera is back: {device}.")

    def close(self) -> None:
        """Let go of the device. Safe to call twice."""
        backend, self._backend = self._backend, None
        if backend is not None:
            backend.close()
            free_stuck_devices()


def open_pyvirtualcam(width: int, height: int, fps: float, device: str | None) -> CameraBackend:
    """Open a real device.

    Args:
        width: pixels.
        height: likewise.
        fps: what readers are told.
        device: its name, or None for the first free one.

    Raises:
        DeviceError: none can be opened; every backend's reason is named, and how to get one here.
    """
    try:
        module = importlib.import_module("pyvirtualcam")
    except ImportError:
        raise DeviceError(
            f"The virtual camera needs the package pyvirtualcam, which is not installed; {INSTALL_PACKAGE}."
        ) from None
    free_stuck_devices()
    try:
        result: CameraBackend = module.Camera(width, height, fps, fmt=module.PixelFormat.BGR, device=device)
        return result
    except (RuntimeError, OSError, ValueError) as error:
        wanted = f" {device}" if device else ""
        taken = "is not a video output device" in str(error)
        advice = "Another program sends to it already: end that one, or take another device." if taken else how_to_get()
        raise DeviceError(f"No virtual camera{wanted} could be opened: {_one_line(error)} {advice}") from None


def how_to_get(platform: str = sys.platform) -> str:
    """One sentence: what to install on this system.

    Args:
        platform: as `sys.platform` says it.
    """
    if platform == "darwin":
        return "On macOS 13 or later, install OBS Studio, start its virtual camera once, and allow its extension."
    if platform == "win32":
        return "On Windows, install OBS Studio and start its virtual camera once, or install Unity Capture."
    return (
        "On Linux, install v4l2loopback (Debian, Ubuntu: sudo apt install v4l2loopback-dkms) and run "
        "sudo modprobe v4l2loopback exclusive_caps=1 card_label=FaceMirror."
    )


def _one_line(error: Exception) -> str:
    text = "; ".join(line.strip().rstrip(".") for line in str(error).splitlines() if line.strip())
    return f"{text or type(error).__name__}."
