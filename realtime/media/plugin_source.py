"""Video sources of other distributions, found by entry points of the group `realtime.sources`.

`--source plugin:NAME` or `plugin:NAME:WORDS` reads from the entry point NAME. It names a class, or a function, that is called
with WORDS ("" where there are none) and gives a `PictureSource`. All its methods run on one thread of its own.
"""

import math
from collections.abc import Callable
from typing import Any, Protocol

from av.video.frame import VideoFrame

from realtime.entry_points import plugin, plugin_error
from realtime.errors import DeviceError, FacemirrorError, PictureError, UserInputError
from realtime.media.decoder import Decoded
from realtime.media.stream_info import StreamInfo
from realtime.types import U8, check_picture

SOURCES = "realtime.sources"


class PictureSource(Protocol):
    """What an entry point gives. Only `read` is needed.

    Beside it there may be:

    - `open()`: called before the first `read`;
    - `close()`: called once, whatever happened before;
    - `live` (bool, default True): pictures come when they come and old ones are dropped; False: they are a recording's, none
      is lost, and they are paced by their times;
    - `fps` (float or None, default None): the nominal rate in frames per second.
    """

    def read(self) -> "U8 | tuple[U8, float | None] | None":
        """Wait for the next picture.

        Returns:
            The (H, W, 3) uint8 BGR picture, which is copied, alone or with its time in seconds on any clock of the source's
            own; None at the end.

        Raises:
            Exception: the source failed. It is opened again where `--set reconnect_attempts` allows it.
        """
        ...


class PluginDecoder:
    """Opens and reads a plug-in's source in the place of a `Decoder`. One thread opens, reads and closes it.

    Args:
        name: how messages call the source.
        make: gives the source; called on the reading thread.
        clock: the graph's clock, in seconds.

    Attributes:
        cut_short: None; a plug-in keeps no index to compare its end with.
    """

    cut_short: str | None = None

    def __init__(self, name: str, make: Callable[[], Any], clock: Callable[[], float]) -> None:
        self._name = name
        self._make = make
        self._clock = clock
        self._source: Any = None
        self._first: Decoded | None = None
        self._abandoned = False

    def open(self) -> StreamInfo:
        """Make and open the source, and wait for its first picture.

        Raises:
            UserInputError: it gives no pictures, or is no source.
            DeviceError: it cannot be opened.
        """
        try:
            self._source = self._make()
            if not callable(getattr(self._source, "read", None)):
                kind = type(self._source).__name__
                raise UserInputError(f"{self._name} gave an object without a method read() ({kind}).")
            if hasattr(self._source, "open"):
                self._source.open()
        except FacemirrorError:
            raise
        except Exception as error:
            raise DeviceError(f"{self._name} cannot be opened ({plugin_error(error)}).") from error
        self._first = self._read()
        if self._first is None:
            raise UserInputError(f"{self._name} gives no picture.")
        picture = self._first.picture
        return StreamInfo(
            source=self._name,
            input_format="plug-in",
            codec="rawvideo",
            pixel_format="bgr24",
            width=picture.width,
            height=picture.height,
            fps=self._rate(),
            rotation=0,
            live=bool(getattr(self._source, "live", True)),
            duration=None,
        )

    def next(self) -> Decoded | None:
        """Wait for the next picture.

        Returns:
            The picture, or None at the end.

        Raises:
            DeviceError: the source failed.
            PictureError: it gave something that is no picture.
        """
        decoded, self._first = self._first, None
        return decoded if decoded is not None else self._read()

    def abandon(self) -> None:
        """Make `next` return None at the next chance. May be called from any thread."""
        self._abandoned = True

    def close(self) -> None:
        """Close the source. Only from the thread that reads.

        Raises:
            DeviceError: the source raised; its thread ends with that.
        """
        source, self._source, self._first = self._source, None, None
        if hasattr(source, "close"):
            try:
                source.close()
            except Exception as error:
                raise DeviceError(f"{self._name} cannot be closed ({plugin_error(error)}).") from error

    def _read(self) -> Decoded | None:
        if self._abandoned or self._source is None:
            return None
        try:
            given = self._source.read()
        except FacemirrorError:
            raise
        except Exception as error:
            raise DeviceError(f"{self._name} fails ({plugin_error(error)}).") from error
        if given is None:
            return None
        arrival = self._clock()
        image, seconds = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
        try:
            check_picture(image)
        except PictureError as error:
            raise PictureError(f"{self._name} gave no picture that can be used. {error}") from None
        return Decoded(VideoFrame.from_ndarray(image, format="bgr24"), self._seconds(seconds), arrival)

    def _seconds(self, seconds: object) -> float | None:
        if seconds is None:
            return None
        if isinstance(seconds, (int, float)) and math.isfinite(seconds):
            return float(seconds)
        raise DeviceError(f"{self._name} gave {seconds!r} as a picture's time; it should be seconds, or None.")

    def _rate(self) -> float | None:
        fps = getattr(self._source, "fps", None)
        if fps is None or (isinstance(fps, (int, float)) and math.isfinite(fps) and fps > 0):
            return None if fps is None else round(float(fps), 4)
        raise UserInputError(f"{self._name} says {fps!r} frames per second; fps should be a number above 0, or None.")


def plugin_source(target: str) -> Callable[[], Any]:
    """What makes the source of `plugin:TARGET`; nothing is loaded yet.

    Args:
        target: NAME or NAME:WORDS.

    Raises:
        UserInputError: no such plug-in is installed.
    """
    name, _, words = target.partition(":")
    point = plugin(SOURCES, name, f"plugin:{target}")
    return lambda: point.load()(words)
