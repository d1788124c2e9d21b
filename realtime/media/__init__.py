"""What comes in and goes out: cameras, files, streams and the demo; recording, virtual camera, preview window.

OpenCV is loaded here, before any module of this package loads PyAV. Both wheels for Linux bring their own libxcb, and
when PyAV's is the first, OpenCV's first window hangs for ever (PyAV issue 1050, OpenCV issue 29195).
"""

from typing import TYPE_CHECKING

import cv2  # noqa: F401 - for the order in which libraries are loaded

from realtime.lazy import lazy_names

if TYPE_CHECKING:
    from realtime.media.lossless import RawRecorder, read_raw
    from realtime.media.recorder import VideoRecorder
    from realtime.media.source_spec import SourceSpec, parse_source
    from realtime.media.stream_info import StreamInfo
    from realtime.media.video_source import VideoSource

__all__ = [
    "RawRecorder",
    "SourceSpec",
    "StreamInfo",
    "VideoRecorder",
    "VideoSource",
    "parse_source",
    "read_raw",
]

_HOMES = {
    "RawRecorder": "realtime.media.lossless",
    "SourceSpec": "realtime.media.source_spec",
    "StreamInfo": "realtime.media.stream_info",
    "VideoRecorder": "realtime.media.recorder",
    "VideoSource": "realtime.media.video_source",
    "parse_source": "realtime.media.source_spec",
    "read_raw": "realtime.media.lossless",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
