"""OpenCV's window, and whether this machine can show one at all."""

import contextlib
import os
import socket
import subprocess
import sys
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.errors import DeviceError
from realtime.files import reason
from realtime.media import x11

_PROBE = "import cv2, av; cv2.namedWindow('probe', cv2.WINDOW_NORMAL); cv2.destroyAllWindows()"
_PROBE_SECONDS = 20.0
# Kept open, see x11: a server with no client left would reset itself under our window.
_connections: dict[str, socket.socket] = {}


class Window(Protocol):
    """A window on one thread."""

    def open(self, title: str, width: int, height: int) -> None: ...
    def show(self, image: NDArray[np.uint8]) -> None: ...
    def poll(self) -> int:
        """Handle waiting events; a key's code, or -1."""
        ...

    def is_open(self) -> bool: ...
    def close(self) -> None: ...


class CvWindow:
    """`cv2.imshow`. Every call from one and the same thread; on macOS that must be the main thread."""

    def __init__(self, *, full_screen: bool = False) -> None:
        self._title = ""
        self._full_screen = full_screen

    def open(self, title: str, width: int, height: int) -> None:
        """Open the window.

        Args:
            title: of the window.
            width: pixels.
            height: likewise.

        Raises:
            DeviceError: no window can be shown.
        """
        # The wheel's Qt complains about fonts that it does not ship; a user can do nothing about it.
        os.environ.setdefault("QT_LOGGING_RULES", "*.warning=false")
        try:
            cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
            cv2.resizeWindow(title, width, height)
            if self._full_screen:
                cv2.setWindowProperty(title, cv2.WND_PROP_FULLSCREEN, cv2.WINDOW_FULLSCREEN)
        except cv2.error as error:
            raise DeviceError(f"The preview window cannot be opened ({error.err or error}).") from None
        self._title = title

    def show(self, image: NDArray[np.uint8]) -> None:
        """Show a (H, W, 3) uint8 BGR `image`."""
        cv2.imshow(self._title, image)

    def poll(self) -> int:
        """The key that was pressed; -1: none."""
        return int(cv2.pollKey())

    def is_open(self) -> bool:
        """False once the user has closed it."""
        try:
            return bool(cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1)
        except cv2.error:
            return False

    def close(self) -> None:
        """Close it. Safe to call twice."""
        with contextlib.suppress(cv2.error):
            cv2.destroyWindow(self._title)


def no_window_reason() -> str | None:
    """Why no window can be shown here, as one sentence; None when one can.

    On Linux a display that is named but does not answer, or a library that Qt misses, makes Qt abort the whole process;
    therefore a bare connection is tried first, then a window in a child. The child loads PyAV as this process does: in
    some pairs of versions its libxcb makes OpenCV's hang, whatever the order (see this package's docstring).
    """
    framework = getattr(cv2, "currentUIFramework", str)()
    if not framework:
        return "OpenCV was built without windows (opencv-python-headless); install opencv-python for the preview."
    if sys.platform in ("darwin", "win32"):
        return None
    display = os.environ.get("DISPLAY")
    if not display:
        if os.environ.get("WAYLAND_DISPLAY"):
            return "This desktop runs Wayland without XWayland, which OpenCV's window needs; install xwayland."
        return "There is no display (DISPLAY is not set), so there is no preview window."
    try:
        if display not in _connections:
            _connections[display] = x11.connect(display)
    except PermissionError:
        return f"The display {display} does not let this user in, so there is no preview window."
    except (OSError, ValueError):
        return f"The display {display} does not answer, so there is no preview window."
    try:
        child = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, timeout=_PROBE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return "This OpenCV's windows hang beside this PyAV, so there is no preview window; update opencv-python."
    except OSError as error:
        return f"The display cannot be tried ({reason(error)}), so there is no preview window."
    if child.returncode != 0:
        return f"OpenCV cannot open a window on the display {display}; install the libraries of Qt's xcb plugin."
    return None
