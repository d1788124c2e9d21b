"""Any picture of a recording, exactly, as a JPEG: for what browsers do not play, and where they do not play."""

import threading
from collections.abc import Iterator

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame

from realtime.errors import DeviceError, UserInputError
from realtime.files import reason
from realtime.viewer.film_index import FilmIndex

_QUALITY = 88
_KEPT_BYTES = 48 * 2**20
_FORWARD = 12


class ExactPictures:
    """Decodes one recording. Its pictures are asked for from any thread, and made one at a time.

    Going on by a few pictures decodes these only; a jump decodes from the picture before that stands alone, a second at most in what
    this program records. What was decoded on the way is kept, within bounds, so that stepping backwards is as quick.

    Args:
        index: of the recording.
    """

    def __init__(self, index: FilmIndex) -> None:
        self._index = index
        self._numbers = {int(stamp): number for number, stamp in enumerate(index.stamps)}
        self._lock = threading.Lock()
        self._container: InputContainer | None = None
        self._frames: Iterator[VideoFrame] | None = None
        self._next = -1
        self._kept: dict[int, VideoFrame] = {}
        self._most = max(2, _KEPT_BYTES // max(1, 3 * index.width * index.height))

    def jpeg(self, number: int, width: int = 0) -> bytes:
        """One picture.

        Args:
            number: of the picture, 0 the first.
            width: it is made smaller to this; 0: as it is.

        Raises:
            UserInputError: there is no such picture, or the recording is damaged there.
            DeviceError: it cannot be read.
        """
        if not 0 <= number < len(self._index.stamps):
            raise UserInputError(f"{self._index.path.name} has {len(self._index.stamps):,} pictures.")
        with self._lock:
            try:
                frame = self._kept.get(number) or self._decoded(number)
            except FFmpegError as error:
                self._close()
                raise DeviceError(f"{self._index.path.name} cannot be read there ({reason(error)}).") from None
            image = frame.to_ndarray(format="bgr24")
        if 0 < width < image.shape[1]:
            height = max(1, round(image.shape[0] * width / image.shape[1]))
            image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        made, content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        if not made:
            raise DeviceError("The picture cannot be encoded.")
        return bytes(np.asarray(content))

    def _decoded(self, number: int) -> VideoFrame:
        if self._frames is None or not self._next <= number < self._next + _FORWARD:
            self._seek(number)
        assert self._frames is not None
        stamp = int(self._index.stamps[number])
        for frame in self._frames:
            if frame.pts is None:
                continue
            place = self._numbers.get(frame.pts)
            if place is not None:
                self._keep(place, frame)
                self._next = place + 1
            if frame.pts == stamp:
                return frame
            if frame.pts > stamp:
                break
        self._close()
        raise UserInputError(f"{self._index.path.name} is damaged: picture {number + 1:,} cannot be decoded.")

    def _seek(self, number: int) -> None:
        if self._container is None:
            self._container = av.open(str(self._index.path), metadata_errors="replace")
            self._container.streams.video[0].thread_count = 1
        stream = self._container.streams.video[0]
        self._kept.clear()
        self._container.seek(int(self._index.stamps[number]), stream=stream, backward=True)
        self._frames = self._container.decode(stream)

    def _keep(self, number: int, frame: VideoFrame) -> None:
        self._kept[number] = frame
        if len(self._kept) > self._most:
            del self._kept[min(self._kept)]

    def close(self) -> None:
        """Let go of the file. Safe to call twice."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        container, self._container, self._frames = self._container, None, None
        self._kept.clear()
        if container is not None:
            container.close()
