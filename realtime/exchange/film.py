"""The film of a session, as other programs see it: its name, length and rate, and where its time 0 lies among the rows."""

from pathlib import Path
from typing import NamedTuple

import av
from av.error import FFmpegError

from realtime.media.recorder import origin_of
from realtime.session.folder import VIDEO


class Film(NamedTuple):
    """A film that is coded or handed on.

    Attributes:
        path: of the file.
        seconds: how long it lasts.
        rate: pictures a second, on average.
        frames: pictures.
        size: width and height in pixels.
        codec: of the pictures, as FFmpeg calls it.
        sound: codec of the sound; empty: none.
        comment: what the recorder wrote about it.
    """

    path: Path
    seconds: float
    rate: float
    frames: int
    size: tuple[int, int]
    codec: str
    sound: str = ""
    comment: str = ""

    @property
    def start(self) -> float | None:
        """Capture time of the film's time 0, seconds; None where the film does not say."""
        return origin_of(self.comment)

    @property
    def name(self) -> str:
        """Of the file."""
        return self.path.name


def film_of(session: Path) -> Film | None:
    """The session's recorded film.

    Args:
        session: the session's folder.

    Returns:
        None where there is none, or none that can be read.
    """
    path = session / VIDEO
    if not path.is_file():
        return None
    times = []
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            stream = container.streams.video[0]
            if stream.codec_context is None:  # coded in a way that nobody here can decode
                return None
            base = float(stream.time_base or 0)
            times = [packet.pts * base for packet in container.demux(stream) if packet.pts is not None]
            context = stream.codec_context
            sounds = container.streams.audio
            sound = sounds[0].codec_context.name if sounds and sounds[0].codec_context is not None else ""
            comment = str(container.metadata.get("comment", ""))
            size, codec = (context.width, context.height), context.name
    except (FFmpegError, OSError, IndexError):
        return None
    if len(times) < 2:
        return None
    length = max(times) - min(times)
    rate = (len(times) - 1) / length if length > 0 else 0.0
    codec = "h264" if "h264" in codec else codec
    return Film(path, max(times) + 1 / max(rate, 1), rate, len(times), size, codec, sound, comment)
