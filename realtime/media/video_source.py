"""The one object a graph's source thread reads frames from, whatever they come from."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Literal, NamedTuple

import cv2
from av.error import FFmpegError

from realtime.errors import DeviceError, UserInputError
from realtime.graph import StopToken
from realtime.media.cameras import CameraFinder
from realtime.media.convert import Rotation, ToBgr, rotated
from realtime.media.decoder import Decoded, Decoder
from realtime.media.decoder_in_line import InLineDecoder
from realtime.media.decoder_thread import DecoderThread
from realtime.media.demux_options import OpenPlan, plan, unmet_wish
from realtime.media.pacing import PtsNormalizer, Schedule
from realtime.media.plugin_source import PluginDecoder, plugin_source
from realtime.media.source_spec import SourceKind, SourceSpec
from realtime.media.stream_info import StreamInfo
from realtime.types import U8, Frame

Speed = Literal["realtime", "max"]

# A stop is noticed within this time even while a paced source waits for a frame's due time.
_SLICE_SECONDS = 0.05
_RECORDING_PATIENCE = 3
_LETTING_GO_SECONDS = 2.0
_LETTING_GO_STEP = 0.05


class Changed(NamedTuple):
    """From a frame on the pictures came from another source.

    Attributes:
        source: how it is called.
        from_sequence: its first frame.
        from_capture_time: seconds on the clock.
    """

    source: str
    from_sequence: int
    from_capture_time: float


class VideoSource:
    """Frames from a camera, file, stream, generator, plug-in or the demo clip. Blocking: give it a thread of its own.

    Recordings and generators are paced by their time stamps in real time: a frame's capture time is when it was due, and a late
    reader gets late frames at once. With speed "max" nothing waits and the capture time is the time stamp.
    Live sources give what comes: the capture time is when the picture's data arrived (or, where the device stamps pictures,
    when it was taken); a picture overwritten by a newer one leaves a gap in the sequence.
    `open` may be called again after a failure: the sequence goes on, with a gap as long as the outage.

    Args:
        spec: what to open.
        clock: the graph's monotonic seconds.
        speed: "realtime" or "max".
        size: wished (width, height) of a camera's pictures, in pixels.
        fps: wished rate of a camera.
        decode_threads: 1 costs least and adds no delay; more helps large H.264 and HEVC files.
        open_timeout: seconds within which a live source should give its first picture.
        stall_timeout: seconds after which a live source without pictures has failed; recordings get three times as long.
        sleep: waits that many seconds.
        rotate: degrees by which every picture is turned clockwise, or what finds them when the source is opened first.
        in_line: decode on the thread that reads, for recordings only: one process then has one thread.
        until: seconds of its own time after which a recording is over; None: it is read to its end.

    Attributes:
        spec: what is read now.
        stream_info: what the source really gives; None before `open`.
        notices: sentences for the user that are no reason to stop (a file cut short, a changed picture size).
        lost: frames lost in the source.
        changes: which frame was the first of which source, once `choose` had another one opened.
        reached_until: the recording was over because of `until`, not at its end.
    """

    def __init__(
        self,
        spec: SourceSpec,
        clock: Callable[[], float],
        *,
        speed: Speed = "realtime",
        size: tuple[int, int] | None = None,
        fps: float | None = None,
        decode_threads: int = 1,
        open_timeout: float = 10.0,
        stall_timeout: float = 5.0,
        sleep: Callable[[float], object] = time.sleep,
        rotate: Rotation | Callable[[], Rotation] = 0,
        in_line: bool = False,
        until: float | None = None,
    ) -> None:
        self.spec = spec
        self.stream_info: StreamInfo | None = None
        self.notices: list[str] = []
        self.lost = 0
        self.changes: list[Changed] = []
        self._chosen: SourceSpec | None = None
        self._read_before = spec
        self._clock = clock
        self._sleep = sleep
        self._rotate = rotate
        self._rotation: Rotation = 0
        self._speed = speed
        self._requested = (size, fps)
        self._cameras = CameraFinder()
        self._decode_threads = decode_threads
        self._timeouts = (open_timeout, stall_timeout)
        self._in_line = in_line
        self._until = until
        self.reached_until = False
        self._sequence = -1
        self._started = False
        self._last_capture: float | None = None
        self._conversion = 0.0
        self._shape: tuple[int, ...] = ()
        self._decoder: Decoder | PluginDecoder | None = None
        self._thread: DecoderThread | InLineDecoder | None = None
        self._leaving: list[DecoderThread] = []

    def choose(self, spec: SourceSpec) -> None:
        """Read from another source: the next `read` fails, and the `open` that follows opens this one.

        Where it cannot be opened, the source before is opened again, and `notices` says why. May be called from any thread.

        Args:
            spec: the other source.
        """
        self._chosen = spec

    def open(self, stop: StopToken | None = None) -> StreamInfo | None:
        """Open the source and decode its first picture.

        Args:
            stop: ends the wait.

        Returns:
            What the source gives; None if `stop` was set meanwhile.

        Raises:
            UserInputError: it is no video, or the wish cannot be understood.
            DeviceError: it is missing, busy or unreachable.
        """
        chosen, self._chosen = self._chosen, None
        if chosen is None or chosen == self.spec:
            return self._open(stop)
        before, self.spec = self.spec, chosen
        try:
            return self._open(stop)
        except (DeviceError, UserInputError) as error:
            self.notices.append(f"{error} Going on with {before}.")
            self.spec = before
        return self._open(stop)

    def _open(self, stop: StopToken | None) -> StreamInfo | None:
        self.close()
        opening = plan(self.spec, *self._requested, self._cameras.find)
        if opening.device:
            self._wait_for_own_readers(stop)
        if callable(self._rotate):
            self._rotate = self._rotate()
        self._rotation = self._rotate
        open_timeout, stall_timeout = self._timeouts
        decoder: Decoder | PluginDecoder
        if self.spec.kind is SourceKind.PLUGIN:
            decoder = PluginDecoder(opening.name, plugin_source(self.spec.target), self._clock)
        else:
            decoder = Decoder(
                opening,
                self._clock,
                decode_threads=self._decode_threads,
                open_timeout=open_timeout,
                stall_timeout=stall_timeout,
            )
        # A recording that is read for the first time from a sleeping disk or a slow share is given longer than a stream.
        patience = _RECORDING_PATIENCE * stall_timeout if opening.recorded else stall_timeout
        thread: DecoderThread | InLineDecoder
        if self._in_line and opening.recorded:
            thread = InLineDecoder(decoder)
        else:
            thread = DecoderThread(
                decoder,
                opening.name,
                self._clock,
                open_timeout=open_timeout,
                stall_timeout=patience,
            )
        self._decoder, self._thread = decoder, thread
        try:
            info = thread.open(stop)
        except BaseException:
            self.close()
            raise
        if info is None:
            return None
        return self._start(opening, info)

    def read(self, stop: StopToken) -> Frame | None:
        """Wait for the next frame.

        Args:
            stop: ends the wait.

        Returns:
            The frame; None at the end or as soon as `stop` is set.

        Raises:
            DeviceError: the source failed or stalled.
        """
        if self._chosen is not None:
            raise DeviceError(f"Changing from {self.spec} to {self._chosen}.")
        decoder, thread, info = self._decoder, self._thread, self.stream_info
        if decoder is None or thread is None or info is None:
            raise RuntimeError("open() comes before read()")
        decoded = thread.take(stop)
        if decoded is None:
            if decoder is self._decoder and not stop.is_set() and decoder.cut_short:
                self.notices.append(decoder.cut_short)
                decoder.cut_short = None
            return None
        pts = self._pts.update(decoded.time)
        if self._until is not None and not info.live and pts >= self._until:
            self.reached_until = True
            return None
        due = None
        if self._speed == "realtime" and not info.live:
            due = self._schedule.due(pts, self._clock())
            self._give_way(due, stop)
            thread.refill()
        image = self._converted(decoded)
        if due is not None and not self._wait_until(due, stop):
            return None
        if stop.is_set() and not info.live:
            return None
        capture_time = decoded.arrival if info.live else pts if due is None else due
        # What was overwritten before anybody asked for the first frame is no loss.
        lost, self._started = decoded.lost if self._started or not info.live else 0, True
        self.lost += lost
        self._sequence += 1 + lost
        self._last_capture = capture_time
        if self.spec != self._read_before:
            self._read_before = self.spec
            self.changes.append(Changed(str(self.spec), self._sequence, capture_time))
        return Frame(image, self._sequence, capture_time, pts if decoded.time is not None else None)

    def close(self) -> None:
        """Let go of the source. The thread that reads it closes it, at the latest within its time-out. Safe to call twice."""
        thread = self._thread
        self._decoder = self._thread = None
        if thread is not None:
            thread.close()
        if isinstance(thread, DecoderThread):
            self._leaving = [*(one for one in self._leaving if not one.join(0)), thread]

    def _wait_for_own_readers(self, stop: StopToken | None) -> None:
        """A camera is opened by one at a time, also where the other one is our own reader, which lets go on its own thread."""
        for _ in range(round(_LETTING_GO_SECONDS / _LETTING_GO_STEP)):
            self._leaving = [one for one in self._leaving if not one.join(_LETTING_GO_STEP)]
            if not self._leaving or (stop is not None and stop.is_set()):
                return

    def _start(self, opening: OpenPlan, info: StreamInfo) -> StreamInfo:
        turn = info.rotation - self._rotation
        if self._rotation in (90, 270):
            info = replace(info, width=info.height, height=info.width)
        info = replace(info, rotation=turn % 360)
        period = 1 / info.fps if info.fps else 1 / 30
        self.stream_info = info
        self._to_bgr = ToBgr(broadcast=opening.broadcast, pixel_aspect=info.pixel_aspect)
        self._pts = PtsNormalizer(period)
        self._schedule = Schedule()
        self._started = False
        self._shape = (info.height, info.width, 3)
        if info.mirrored:
            self._note_once(
                f"{opening.name} has its picture mirrored, and it is shown and measured so, as players do: the person's left "
                "and right are exchanged."
            )
        if (unmet := unmet_wish(opening, info, *self._requested)) is not None:
            self._note_once(unmet)
        if self._last_capture is not None and info.live:
            missed = max(0, round((self._clock() - self._last_capture) / period) - 1)
            self._sequence += missed
            self.lost += missed
        return info

    def _converted(self, decoded: Decoded) -> U8:
        began = self._clock()
        try:
            image = rotated(self._to_bgr.convert(decoded.picture), self._rotation)
        except (FFmpegError, ValueError, cv2.error) as error:
            name = decoded.picture.format.name
            raise DeviceError(f"{self.spec}: a picture of the kind {name} cannot be converted ({error}).") from None
        if image.shape != self._shape:
            self._note_size(image.shape)
        self._conversion = self._clock() - began
        return image

    def _give_way(self, due: float, stop: StopToken) -> None:
        """Leave the first half of the time before the next frame of a recording to the frame before it.

        Decoding and converting the next one beside its tracking and drawing would take a processor, and the interpreter, from a
        picture that somebody waits for. A frame whose conversion takes long is not put off.

        Args:
            due: the next frame's time, seconds.
            stop: ends the wait.
        """
        if self._last_capture is None:
            return
        interval = due - self._last_capture
        if self._conversion < interval / 4:
            self._wait_until(self._last_capture + interval / 2, stop)

    def _wait_until(self, time: float, stop: StopToken) -> bool:
        """Whether that time came before `stop` was set."""
        while (left := time - self._clock()) > 0:
            if stop.is_set():
                return False
            self._sleep(min(left, _SLICE_SECONDS))
        return not stop.is_set()

    def _note_once(self, sentence: str) -> None:
        if sentence not in self.notices:
            self.notices.append(sentence)

    def _note_size(self, shape: tuple[int, ...]) -> None:
        old, self._shape = self._shape, shape
        self.notices.append(f"{self.spec} changed its picture size from {old[1]}x{old[0]} to {shape[1]}x{shape[0]}.")
