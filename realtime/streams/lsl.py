"""Lab Streaming Layer outlets: Action Units as float32, markers as strings, both stamped with capture times."""

import hashlib
import json
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from realtime.clinic.measures import MIDLINE, SIDED, every_length
from realtime.errors import DeviceError, UserInputError
from realtime.file_locks import one_at_a_time
from realtime.files import cache_folder
from realtime.session.markers import Mark
from realtime.types import Analysis, Expression

_MOST_RUNS = 20
_LONGEST_NAME = 60
_SIDES = ("left", "right")
_POSE = ("yaw", "pitch", "roll")


MEANINGS = {
    "FaceMirror AU": "float32, one sample per analysed frame, stamped with its capture time on LSL's clock",
    "FaceMirror AU: AUxx_left, AUxx_right": "intensity 0 to 5 on the patient's side; NaN: not measured",
    "FaceMirror AU: yaw, pitch, roll": "degrees, as in frames.csv; NaN: not measured",
    "FaceMirror AU: confidence": "the landmark model's presence score, 0 to 1; NaN: no face",
    "FaceMirror lengths": "float32, one sample per analysed frame of a run with --millimetres: the mm_ columns of frames.csv that are "
    "numbers; NaN: not measured",
    "FaceMirror AU person 2, 3, …": "with several people: the same of everybody but the patient, one outlet each, and their face_id",
    "FaceMirror markers": "string, the marker's text as typed, stamped with its capture time on LSL's clock",
    "FaceMirror OpenFace 3.0": "float32, the columns of openface3.csv without the likeliest emotion; NaN: not measured",
    "source id": "facemirror-live:HOST:IDENTITY:KIND; the same again for one person, camera and machine",
}
"""What the outlets carry, for the session's data dictionary."""


def channel_labels(units: Sequence[int]) -> list[str]:
    """Give the channels' labels: AUxx_left, AUxx_right by unit, then yaw, pitch, roll (degrees) and confidence.

    Args:
        units: their numbers.
    """
    return [*(f"AU{unit:02d}_{side}" for unit in units for side in _SIDES), *_POSE, "confidence"]


def length_labels() -> list[tuple[str, str, str]]:
    """Give (label, unit, kind) of each channel of the lengths' outlet; labels as the columns of frames.csv."""
    kinds = [(f"mm_{measure.name}_{side}", measure.unit, "Length") for measure in SIDED for side in _SIDES]
    kinds += [(f"mm_{measure.name}", measure.unit, "Length") for measure in MIDLINE]
    return [("mm_scale", "millimetres of a pixel", "Scale"), *kinds]


def expression_labels(units: Sequence[int], emotions: Sequence[str]) -> list[str]:
    """Give the labels of OpenFace 3.0's outlet, named as the columns of openface3.csv.

    Args:
        units: their numbers.
        emotions: their names.
    """
    return [
        *(f"of3_AU{unit:02d}" for unit in units),
        *(f"of3_emotion_{name}" for name in emotions),
        "of3_gaze_yaw",
        "of3_gaze_pitch",
    ]


def source_identity(source: str, person: str | None = None, name: str | None = None) -> str:
    """Make the part of a source id that tells runs apart.

    It is the same again for the same person, camera and machine, so that a receiver finds its stream after a restart, and
    it tells nobody on the network who the person is.

    Args:
        source: what the pictures come from.
        person: whose face it is, where a name was given.
        name: the user's own name for this run's streams; it replaces the other two.

    Returns:
        `name`, or 12 hexadecimal digits.

    Raises:
        UserInputError: `name` is empty, longer than 60 characters or not printable.
    """
    if name is not None:
        if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
            raise UserInputError(f"--name takes 1 to {_LONGEST_NAME} printable characters, not {name[:100]!r}.")
        return name.strip()
    parts = json.dumps([_machine(), source, person])
    return hashlib.sha256(parts.encode("utf-8", "backslashreplace")).hexdigest()[:12]


def _machine() -> str:
    """The system's own id of this machine, where it has a file of it: host names are not unique."""
    try:
        return Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


class LslStreams:
    """Two outlets: "FaceMirror AU" and "FaceMirror markers". NaN in a channel: not measured on that frame.

    A run that measures lengths has "FaceMirror lengths", and `open_expression` adds "FaceMirror OpenFace 3.0". A named run
    has its name behind each of them. Source ids
    are `facemirror-live:HOST:IDENTITY:KIND`; while another run with the same identity is there, this one has `-2`, `-3` ...
    behind it, so that a receiver never goes on with another run's stream when its own ends. Of runs that start in the same
    moment one keeps the id. A slow or dead receiver costs nothing here: liblsl keeps at most the last seconds for it.

    Args:
        units: the Action Units to send.
        clock: the capture times' seconds.
        identity: see `source_identity`.
        name: the run's name, shown behind the streams' names; None: none.
        millimetres: open an outlet for lengths as well.
        others: people besides the patient; each gets an outlet more.
        buffer_seconds: what liblsl keeps for a slow receiver.
        look_seconds: how long other runs have to answer, before and after this one's outlet is opened.

    Attributes:
        units: the Action Units, in the channels' order.
        identity: the part of the source ids that tells runs apart.

    Raises:
        DeviceError: pylsl or its library is not there.
    """

    def __init__(
        self,
        units: Sequence[int],
        clock: Callable[[], float],
        *,
        identity: str,
        name: str | None = None,
        millimetres: bool = False,
        others: int = 0,
        buffer_seconds: int = 60,
        look_seconds: float = 1.0,
    ) -> None:
        try:
            import pylsl
        except (ImportError, RuntimeError, OSError) as error:
            raise DeviceError(f'--lsl needs pylsl and liblsl ({error}): pip install "facemirror-live[lsl]".') from None
        self.units = tuple(units)
        self._module, self._buffer, self._suffix = pylsl, buffer_seconds, f" {name}" if name else ""
        self._look_seconds = look_seconds
        self._expressions: Any = None
        self._expressed: tuple[tuple[int, ...], tuple[str, ...]] = ((), ())
        # Of this machine's runs one looks and opens at a time; runs elsewhere are told apart by `_claim` alone.
        with one_at_a_time(cache_folder() / "lsl.lock"):
            self.identity, self._values = self._claim(identity)
        self._places = OutletPlaces(others)
        self._others = [self._open_other(number) for number in range(2, others + 2)]
        marks = self._info("FaceMirror markers", "Markers", 1, pylsl.cf_string, "markers")
        self._marks = pylsl.StreamOutlet(marks, max_buffered=buffer_seconds)
        self._lengths = self._open_lengths() if millimetres else None
        # Both clocks are monotonic and of this machine: they differ by a constant, taken where the two readings are closest.
        self._offset = min(_readings(clock, pylsl.local_clock))[1]

    def _claim(self, identity: str) -> tuple[str, Any]:
        """Open the outlet of values under the identity, numbered where another run has it. Gives both.

        Two runs that start together see nobody before they open, but both see two outlets afterwards, because each looks as
        long before as after: the one with the smaller id of liblsl's stays, the others go on to the next number.
        """
        for number in range(1, _MOST_RUNS):
            self.identity = identity if number == 1 else f"{identity}-{number}"
            if self._answering(1):
                continue
            labels = channel_labels(self.units)
            info = self._info("FaceMirror AU", "AU", len(labels), self._module.cf_float32, "au")
            _describe(info.desc(), self.units)
            outlet = self._module.StreamOutlet(info, max_buffered=self._buffer)
            own = outlet.get_info().uid()
            if all(own <= other.uid() for other in self._answering(_MOST_RUNS)):
                return self.identity, outlet
            del outlet
        raise DeviceError(f"--lsl: {_MOST_RUNS} runs of this person and camera are there; tell them apart with --name.")

    def _answering(self, minimum: int) -> list[Any]:
        """The outlets with this identity that answer; looks no longer than until so many have."""
        wanted = self._source_id(self.identity, "au")
        return list(self._module.resolve_byprop("source_id", wanted, minimum=minimum, timeout=self._look_seconds))

    @staticmethod
    def _source_id(identity: str, kind: str) -> str:
        return f"facemirror-live:{socket.gethostname()}:{identity}:{kind}"

    def _info(self, name: str, kind: str, channels: int, values: int, of: str) -> Any:
        rate, source = self._module.IRREGULAR_RATE, self._source_id(self.identity, of)
        return self._module.StreamInfo(name + self._suffix, kind, channels, rate, values, source)

    def frame(self, analysis: Analysis) -> None:
        """Send one analysed frame.

        Args:
            analysis: of the frame.
        """
        stamp = analysis.capture_time + self._offset
        self._values.push_sample(self._channels(analysis), stamp)
        for other in analysis.others:
            if other.face is not None and self._others:
                place = self._places.of(other.face.face_id)
                self._others[place].push_sample([*self._channels(other), float(other.face.face_id)], stamp)
        if self._lengths is not None:
            found = analysis.millimetres
            measured = [_NAN] * (len(length_labels()) - 1) if found is None else every_length(found)
            scale = _NAN if found is None else found.mm_per_pixel
            self._lengths.push_sample([scale, *measured], analysis.capture_time + self._offset)

    def _channels(self, analysis: Analysis) -> list[float]:
        values: list[float] = []
        for unit in self.units:
            values += [analysis.au_left.get(unit, _NAN), analysis.au_right.get(unit, _NAN)]
        face = analysis.face
        values += list(face.pose) if face is not None and face.pose is not None else [_NAN] * 3
        values.append(face.confidence if face is not None else _NAN)
        return values

    def _open_lengths(self) -> Any:
        channels = length_labels()
        info = self._info("FaceMirror lengths", "Lengths", len(channels), self._module.cf_float32, "lengths")
        _describe_channels(info.desc(), channels)
        return self._module.StreamOutlet(info, max_buffered=self._buffer)

    def _open_other(self, number: int) -> Any:
        """The outlet of one person who is not the patient."""
        channels = len(channel_labels(self.units)) + 1
        info = self._info(f"FaceMirror AU person {number}", "AU", channels, self._module.cf_float32, f"au-{number}")
        _describe(info.desc(), self.units, identity=True)
        return self._module.StreamOutlet(info, max_buffered=self._buffer)

    def open_expression(self, units: Sequence[int], emotions: Sequence[str]) -> None:
        """Open one more outlet, for values of 0..1 that are no intensities.

        Args:
            units: their numbers.
            emotions: their names.
        """
        pylsl, labels = self._module, expression_labels(units, emotions)
        info = self._info("FaceMirror OpenFace 3.0", "Expression", len(labels), pylsl.cf_float32, "openface3")
        kinds = [("0 to 1, present above 0.5", "ActionUnit")] * len(units)
        kinds += [("probability 0 to 1", "Emotion")] * len(emotions) + [("radians", "Gaze")] * 2
        _describe_channels(info.desc(), [(label, *kind) for label, kind in zip(labels, kinds, strict=True)])
        self._expressed = (tuple(units), tuple(emotions))
        self._expressions = pylsl.StreamOutlet(info, max_buffered=self._buffer)

    def expression(self, found: Expression | None, _sequence: int, capture_time: float) -> None:
        """Send OpenFace 3.0's values of one frame; all NaN where nothing was measured.

        Args:
            found: the values, or None.
            capture_time: of the frame, seconds.
        """
        units, emotions = self._expressed
        if self._expressions is None:
            return
        values = [_NAN] * (len(units) + len(emotions) + 2)
        if found is not None:
            values = [found.units.get(unit, _NAN) for unit in units]
            values += [found.emotions.get(name, _NAN) for name in emotions] + list(found.gaze)
        self._expressions.push_sample(values, capture_time + self._offset)

    def marker(self, mark: Mark) -> None:
        """Send one marker.

        Args:
            mark: the marker.
        """
        self._marks.push_sample([mark.text], mark.capture_time + self._offset)

    def close(self) -> None:
        """End the streams."""
        self._expressions = self._lengths = None
        self._others.clear()
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


def _describe(desc: Any, units: Sequence[int], *, identity: bool = False) -> None:
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
    if identity:
        channel("face_id", "number", "Identity")


class OutletPlaces:
    """Which outlet each person has: its own for as long as there is one; then that of who was not seen for longest.

    Args:
        count: outlets.
    """

    def __init__(self, count: int) -> None:
        self._free = list(range(count))
        self._places: dict[int, int] = {}

    def of(self, face_id: int) -> int:
        """The outlet of this person, counted from 0."""
        place = self._places.pop(face_id, None)
        if place is None:
            place = self._free.pop(0) if self._free else self._places.pop(next(iter(self._places)))
        self._places[face_id] = place  # the last one seen stands at the end
        return place
