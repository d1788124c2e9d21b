"""A recording read on the caller's own thread: where every frame counts and no one waits, a second thread gains nothing."""

from realtime.graph import StopToken
from realtime.media.decoder import Decoded
from realtime.media.decoder_thread import PictureDecoder
from realtime.media.stream_info import StreamInfo


class InLineDecoder:
    """The same calls as `DecoderThread`, without a thread: a picture is decoded when it is asked for.

    A source that blocks then blocks its caller, so this is for recordings that a process of its own works through.
    """

    def __init__(self, decoder: PictureDecoder) -> None:
        self._decoder = decoder

    def open(self, stop: StopToken | None = None) -> StreamInfo | None:  # noqa: ARG002  the thread's signature
        """Open the recording and decode its first picture.

        Raises:
            DeviceError: it cannot be opened.
            UserInputError: it holds no video.
        """
        try:
            return self._decoder.open()
        except BaseException:
            self._decoder.close()
            raise

    def take(self, stop: StopToken) -> Decoded | None:
        """Decode the next picture; None at the end or when stopped."""
        return None if stop.is_set() else self._decoder.next()

    def refill(self) -> None:
        """Nothing is read ahead."""

    def close(self) -> None:
        """Let go of the recording."""
        self._decoder.close()
