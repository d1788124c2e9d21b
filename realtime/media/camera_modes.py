"""A camera's modes, from what libav's input devices print when asked. Parsing is pure; `ask` opens the device.

libav has no call that returns modes. Its three camera inputs print them: Video4Linux and DirectShow on request,
AVFoundation when refusing a rate that no camera has.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import av
import av.logging
from av.error import FFmpegError

_V4L2_LINE = re.compile(r"(?:Raw|Compressed)\s*:\s*(\S+)\s*:[^:\n]*:([^\n]*)")
_DISCRETE = re.compile(r"(?<!\S)(\d+)x(\d+)")
_STEPPED = re.compile(r"\{(\d+)-(\d+), (\d+)\}x\{(\d+)-(\d+), (\d+)\}")
_AVFOUNDATION_LINE = re.compile(r"(\d+)x(\d+)@\[\s*([\d.]+)\s+([\d.]+)\s*\]fps")
_DSHOW_LINE = re.compile(r"(?:vcodec|pixel_format)=(\S+)\s+min s=\d+x\d+ fps=[\d.e+]+ max s=(\d+)x(\d+) fps=([\d.e+]+)")


@dataclass(frozen=True, slots=True, order=True)
class CameraMode:
    """One size and rate that a camera offers.

    Attributes:
        width: pixels.
        height: likewise.
        fps: the highest rate, None where the system does not say.
        format: libav's name.
    """

    width: int
    height: int
    fps: float | None
    format: str

    def __str__(self) -> str:
        rate = f" at up to {self.fps:.4g} fps" if self.fps else ""
        coded = f" ({self.format})" if self.format else ""
        return f"{self.width}x{self.height}{rate}{coded}"


def parse_modes(text: str, device_format: str) -> list[CameraMode]:
    """Read the modes that libav printed: each once, largest first.

    Args:
        text: what it printed.
        device_format: v4l2, avfoundation or dshow.
    """
    parse = {"v4l2": _v4l2, "avfoundation": _avfoundation, "dshow": _dshow}[device_format]
    best: dict[tuple[int, int, str], float | None] = {}
    for mode in parse(text):
        key = (mode.width, mode.height, mode.format)
        best[key] = max(mode.fps or 0.0, best.get(key) or 0.0) or None
    modes = [CameraMode(width, height, fps, name) for (width, height, name), fps in best.items()]
    return sorted(modes, key=lambda mode: (-mode.width * mode.height, mode.format))


def ask(address: str, device_format: str) -> str:
    """What libav prints about the device's modes; empty when it cannot be asked (busy, gone, not allowed).

    Args:
        address: what libav opens.
        device_format: v4l2, avfoundation or dshow.
    """
    options = {
        "v4l2": {"list_formats": "all"},
        "avfoundation": {"framerate": "1000", "video_size": "1x1"},
        "dshow": {"list_options": "true"},
    }[device_format]
    level = av.logging.get_level()
    av.logging.set_level(av.logging.INFO)
    try:
        with av.logging.Capture() as messages:
            try:
                av.open(address, format=device_format, options=options).close()
            except (FFmpegError, ValueError, OSError):
                # Listing ends in a refusal by design; the list is in the log.
                return "".join(text for _, _, text in messages)
        return "".join(text for _, _, text in messages)
    finally:
        av.logging.set_level(level)


def _v4l2(text: str) -> Iterator[CameraMode]:
    for name, sizes in _V4L2_LINE.findall(text):
        for width, height in _DISCRETE.findall(sizes):
            yield CameraMode(int(width), int(height), None, name)
        for _, width, _, _, height, _ in _STEPPED.findall(sizes):
            yield CameraMode(int(width), int(height), None, name)


def _avfoundation(text: str) -> Iterator[CameraMode]:
    for width, height, _, fps in _AVFOUNDATION_LINE.findall(text):
        yield CameraMode(int(width), int(height), float(fps), "")


def _dshow(text: str) -> Iterator[CameraMode]:
    for name, width, height, fps in _DSHOW_LINE.findall(text):
        yield CameraMode(int(width), int(height), float(fps), name)
