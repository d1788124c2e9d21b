"""Lab Streaming Layer outlets: Action Units as float32, markers as strings, both stamped with capture times."""

import socket
from collections.abc import Callable, Sequence
from typing import Any

from realtime.errors import DeviceError
from realtime.session.markers import Mark
from realtime.types import Analysis, Expression

_SIDES = ("left", "right")
_POSE = ("yaw", "pitch", "roll")


def channel_labels(units: Sequence[int]) -> list[str]:
    """Per channel: AUxx_left, AUxx_right by unit, then yaw, pitch, roll (degrees) and confidence."""
    return [*(f"AU{unit:02d}_{side}" for unit in units for side in _SIDES), *_POSE, "confidence"]


def expression_labels(units: Sequence[int], emotions: Sequence[str]) -> list[str]:
    """Per channel of OpenFace 3.0's outlet, named as the columns of openface3.csv."""
    return [
        *(f"of3_AU{unit:02d}" for unit in units),
        *(f"of3_emotion_{name}" for name in emotions),
        "of3_gaze_yaw",
        "of3_gaze_pitch",
    ]


class LslStreams:
    """Two outlets: "FaceMirror AU" and "FaceMirror markers". NaN in a channel: not measured on that frame.

    `open_expression` adds a third one, "FaceMirror OpenFace 3.0".

    clock: the capture times' seconds. Source ids name this machine and the kind of stream, so that a recorder finds them
    again after a restart. A slow or dead receiver costs nothing here: liblsl keeps at most the last seconds for it.
    """

    def __init__(self, units: Sequence[int], clock: Callable[[], float], *, buffer_seconds: int = 60) -> None:
        """Open both. Raises DeviceError when pylsl or its library is not there."""
        try:
            import pylsl
        except (ImportError, RuntimeError, OSError) as error:
            raise DeviceError(f'--lsl needs pylsl and liblsl ({error}): pip install "facemirror-live[lsl]".') from None
        self.units = tuple(units)
        self._module, self._buffer = pylsl, buffer_seconds
        self._expressions: Any = None
        self._expressed: tuple[tuple[int, ...], tuple[str, ...]] = ((), ())
        host = socket.gethostname()
        info = pylsl.StreamInfo(
            "FaceMirror AU",
            "AU",
            len(channel_labels(units)),
            pylsl.IRREGULAR_RATE,
            pylsl.cf_float32,
            f"facemirror-live:{host}:au",
        )
        _describe(info.desc(), units)
        marks = pylsl.StreamInfo(
            "FaceMirror markers",
            "Markers",
            1,
            pylsl.IRREGULAR_RATE,
            pylsl.cf_string,
            f"facemirror-live:{host}:markers",
        )
        self._values = pylsl.StreamOutlet(info, max_buffered=buffer_seconds)
        self._marks = pylsl.StreamOutlet(marks, max_buffered=buffer_seconds)
        # Both clocks are monotonic and of this machine: they differ by a constant, taken where the two readings are closest.
        self._offset = min(_readings(clock, pylsl.local_clock))[1]

    def frame(self, analysis: Analysis) -> None:
        """One analysed frame."""
        values: list[float] = []
        for unit in self.units:
            values += [analysis.au_left.get(unit, _NAN), analysis.au_right.get(unit, _NAN)]
        face = analysis.face
        values += list(face.pose) if face is not None and face.pose is not None else [_NAN] * 3
        values.append(face.confidence if face is not None else _NAN)
        self._values.push_sample(values, analysis.capture_time + self._offset)

    def open_expression(self, units: Sequence[int], emotions: Sequence[str]) -> None:
        """One more outlet, for values of 0..1 that are no intensities."""
        pylsl, labels = self._module, expression_labels(units, emotions)
        info = pylsl.StreamInfo(
            "FaceMirror OpenFace 3.0",
            "Expression",
            len(labels),
            pylsl.IRREGULAR_RATE,
            pylsl.cf_float32,
            f"facemirror-live:{socket.gethostname()}:openface3",
        )
        kinds = [("0 to 1, present above 0.5", "ActionUnit")] * len(units)
        kinds += [("probability 0 to 1", "Emotion")] * len(emotions) + [("radians", "Gaze")] * 2
        _describe_channels(info.desc(), [(label, *kind) for label, kind in zip(labels, kinds, strict=True)])
        self._expressed = (tuple(units), tuple(emotions))
        self._expressions = pylsl.StreamOutlet(info, max_buffered=self._buffer)

    def expression(self, found: Expression | None, _sequence: int, capture_time: float) -> None:
        """OpenFace 3.0's values of one frame; all NaN where nothing was measured."""
        units, emotions = self._expressed
        if self._expressions is None:
            return
        values = [_NAN] * (len(units) + len(emotions) + 2)
        if found is not None:
            values = [found.units.get(unit, _NAN) for unit in units]
            values += [found.emotions.get(name, _NAN) for name in emotions] + list(found.gaze)
        self._expressions.push_sample(values, capture_time + self._offset)

    def marker(self, mark: Mark) -> None:
        """One marker."""
        self._marks.push_sample([mark.text], mark.capture_time + self._offset)

    def close(self) -> None:
        """End the streams."""
        self._expressions = None
        del self._values, self._marks


_NAN = float("nan")


def _readings(clock: Callable[[], float], other: Callable[[], float]) -> list[tuple[float, float]]:
    """(how long the reading took, other clock minus ours) of several tries."""
    found = []
    for _ in range(9):
        before = clock()
        there = other()
        after = clock()
        found.append((after - before, there - (before + after) / 2))
    return found


def _describe_channels(desc: Any, channels: Sequence[tuple[str, str, str]]) -> None:
    """(label, unit, kind) per channel by the conventions of LSL's metadata."""
    desc.append_child_value("manufacturer", "facemirror-live")
    parent = desc.append_child("channels")
    for label, unit, kind in channels:
        node = parent.append_child("channel")
        node.append_child_value("label", label)
        node.append_child_value("unit", unit)
        node.append_child_value("type", kind)


def _describe(desc: Any, units: Sequence[int]) -> None:
    """Channel names, units and sides by the conventions of LSL's metadata."""
    desc.append_child_value("manufacturer", "facemirror-live")
    channels = desc.append_child("channels")

    def channel(label: str, unit: str, kind: str, side: str = "") -> None:
        node = channels.append_child("channel")
        node.append_child_value("label", label)
        node.append_child_value("unit", unit)
        node.append_child_value("type", kind)
        if side:
            node.append_child_value("side", side)

    for unit in units:
        for side in _SIDES:
            channel(f"AU{unit:02d}_{side}", "intensity 0 to 5", "ActionUnit", f"patient's {side}")
    for axis in _POSE:
        channel(axis, "degrees", "HeadPose")
    channel("confidence", "0 to 1", "Confidence")
