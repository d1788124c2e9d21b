"""The word that names a source (`--source`, `FaceTracker(source)`), parsed into a typed value. Nothing is opened here.

Sentences quote the word itself: whoever reads them may have written a command line, a configuration file or Python.
"""

import re
import stat
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from realtime.errors import UserInputError

URL_SCHEMES = ("rtsp", "rtsps", "http", "https", "udp", "rtp", "rtmp", "rtmps", "tcp", "srt")

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")


class SourceKind(Enum):
    """What a source word means."""

    CAMERA = "camera"
    FILE = "file"
    STREAM = "stream"
    LAVFI = "lavfi"
    DEMO = "demo"
    PLUGIN = "plugin"


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """What to open.

    Attributes:
        kind: what it is.
        target: a camera's number or name ("" for the first), a path, a URL, a filter graph, a plug-in's NAME or NAME:WORDS, or "".
    """

    kind: SourceKind
    target: str = ""

    def __str__(self) -> str:
        if self.kind is SourceKind.CAMERA:
            return f"camera:{self.target}" if self.target else "camera"
        if self.kind is SourceKind.LAVFI:
            return f"lavfi:{self.target}"
        if self.kind is SourceKind.PLUGIN:
            return f"plugin:{self.target}"
        return "demo" if self.kind is SourceKind.DEMO else self.target

    @property
    def camera_index(self) -> int | None:
        """The camera's number if it was named by number, 0 for plain `camera`, None if it was named by name."""
        if self.kind is not SourceKind.CAMERA:
            return None
        if not self.target:
            return 0
        return int(self.target) if self.target.isdecimal() else None


def parse_source(text: str) -> SourceSpec:
    """Understand one word that names a source.

    Args:
        text: the word.

    Raises:
        UserInputError: it is empty, an empty lavfi graph, an unknown URL scheme, or a path that is no file.
    """
    text = text.strip()
    if not text:
        raise UserInputError(
            "The source is empty; say camera, camera:0, camera:NAME, a file, a URL, lavfi:GRAPH, plugin:NAME or demo."
        )
    if text == "camera":
        return SourceSpec(SourceKind.CAMERA)
    if text.startswith("camera:"):
        return SourceSpec(SourceKind.CAMERA, text.removeprefix("camera:").strip())
    if text == "demo":
        return SourceSpec(SourceKind.DEMO)
    if text.startswith("lavfi:"):
        graph = text.removeprefix("lavfi:").strip()
        if not graph:
            raise UserInputError(
                "The source lavfi: needs a filter graph after the colon, for example lavfi:testsrc2=rate=30."
            )
        return SourceSpec(SourceKind.LAVFI, graph)
    if text.startswith("plugin:"):
        target = text.removeprefix("plugin:").strip()
        if not target.partition(":")[0]:
            raise UserInputError("The source plugin: needs the name of an installed plug-in after the colon.")
        return SourceSpec(SourceKind.PLUGIN, target)
    scheme = _SCHEME.match(text)
    if scheme and scheme[1].lower() == "file":
        return _file(text[len(scheme[0]) :])
    if scheme:
        if scheme[1].lower() not in URL_SCHEMES:
            raise UserInputError(f"{text}: unknown kind of URL; known are {', '.join(URL_SCHEMES)}.")
        return SourceSpec(SourceKind.STREAM, text)
    return _file(text)


def _file(text: str) -> SourceSpec:
    if not text.isprintable():
        raise UserInputError(f"{text[:200]!a}: a name with such characters cannot be opened; rename the file.")
    try:
        path = Path(text).expanduser()
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        mode = 0
    except (OSError, RuntimeError) as error:  # a name too long, a folder that may not be entered, an unknown ~user
        why = getattr(error, "strerror", None) or error
        raise UserInputError(f"{text[:200]}: this cannot be opened ({why}).") from None
    if stat.S_ISDIR(mode):
        raise UserInputError(
            f"{text}: this is a folder, not a video file; numbered pictures in it are lavfi:movie=FOLDER/%04d.png (25 a second)."
        )
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        raise UserInputError(f"{text}: this is a device, not a video file; a camera is camera:0 or camera:NAME.")
    if mode and not stat.S_ISREG(mode):
        raise UserInputError(f"{text}: this is a pipe or socket, not a video file; send a stream to a URL instead.")
    if not mode:
        raise UserInputError(
            f"{text}: no such file (other words: camera, camera:0, camera:NAME, a URL, lavfi:GRAPH, plugin:NAME, demo)."
        )
    return SourceSpec(SourceKind.FILE, str(path))
