"""libav's exceptions as one clear sentence each."""

import errno
import sys

from av.error import ExitError, InvalidDataError

from realtime.errors import DeviceError, FacemirrorError, UserInputError
from realtime.files import reason

_GONE = (errno.ENODEV, errno.ENXIO, errno.ENOENT, errno.ESTALE)
_QUEUE_STOPPED = errno.EINVAL
"""Linux stops a camera's queue when it is unplugged; who reads at that moment gets this, who reads later "no such device"."""


def opening_error(name: str, error: Exception, *, device: bool, url: bool, seconds: float) -> FacemirrorError:
    """Make the error that says why a source could not be opened.

    Args:
        name: how the source is called.
        error: what libav raised.
        device: the source is a camera.
        url: the source is a stream.
        seconds: the open time-out in force.
    """
    number = getattr(error, "errno", None)
    if device:
        return DeviceError(_camera_sentence(name, number, error))
    if url:
        if isinstance(error, ExitError) or number == errno.ETIMEDOUT:
            return DeviceError(
                f"{name}: nothing came within {seconds:g} s; check the address and that the sender runs."
            )
        if isinstance(error, InvalidDataError):
            return DeviceError(f"{name}: what came is not a video stream this program can read.")
        return DeviceError(f"{name}: could not be opened ({reason(error)}).")
    if isinstance(error, PermissionError):
        return DeviceError(f"{name}: this program may not read the file; check its permissions.")
    if isinstance(error, InvalidDataError):
        return UserInputError(f"{name} is not a video this program can read (or its index was cut off).")
    return UserInputError(f"{name} could not be opened ({reason(error)}).")


def reading_error(name: str, error: Exception, *, device: bool, seconds: float) -> DeviceError:
    """Make the error that says why a live source stopped giving frames.

    Args:
        name: how the source is called.
        error: what libav raised.
        device: the source is a camera.
        seconds: the stall time-out in force.
    """
    if isinstance(error, ExitError):
        return stall_error(name, seconds)
    number = getattr(error, "errno", None)
    if number in _GONE or (device and number == _QUEUE_STOPPED):
        return DeviceError(f"{name} is gone (unplugged?).")
    return DeviceError(f"{name} stopped giving frames ({reason(error)}).")


def stall_error(name: str, seconds: float) -> DeviceError:
    """Make the error of a source that gave no frame for `seconds`.

    Args:
        name: how the sentence calls the source.
        seconds: without a frame.
    """
    return DeviceError(f"{name} stalled: no frame for {seconds:g} s.")


def _camera_sentence(name: str, number: int | None, error: Exception) -> str:
    if number == errno.EBUSY:
        return f"{name} is in use by another program; close that one first."
    if number in (errno.EACCES, errno.EPERM):
        how = "add yourself to the group 'video' and log in again" if sys.platform == "linux" else "allow it"
        return f"{name}: this program may not use the camera; {how}."
    if number in _GONE:
        return f"{name} is not there (unplugged?)."
    hint = {
        "darwin": "; allow the camera for your terminal under System Settings > Privacy & Security > Camera",
        "win32": "; close other programs that use it and allow desktop apps to use the camera in Settings > Privacy",
    }.get(sys.platform, "")
    return f"{name} could not be opened ({reason(error)}){hint}."
