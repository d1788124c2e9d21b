"""Open Sound Control over UDP: one bundle per analysed frame, one message per marker; see `MEANINGS`."""

import math
import socket
from collections.abc import Sequence
from typing import Any

from realtime.clinic.measures import MIDLINE, SIDED, every_length
from realtime.errors import DeviceError, UserInputError
from realtime.session.markers import Mark
from realtime.types import Analysis, Expression, Millimetres

MEANINGS = {
    "/facemirror/frame": "int sequence, float seconds since the first frame sent",
    "/facemirror/face": "int 1 where a face is tracked, else 0",
    "/facemirror/au/N/left": "float intensity 0 to 5 of Action Unit N on the patient's left; only where it was measured",
    "/facemirror/au/N/right": "the same on the patient's right",
    "/facemirror/pose": "float yaw, pitch, roll in degrees, as in frames.csv; only where measured",
    "/facemirror/mm/NAME/left": "float length on the patient's left, named and in the unit of the column mm_NAME_left; only where measured",
    "/facemirror/mm/NAME/right": "the same on the patient's right",
    "/facemirror/mm/NAME": "float, of the lengths that have no side",
    "/facemirror/mm/scale": "float millimetres of a pixel, string source, string state, as in frames.csv; only where known",
    "/facemirror/other/FACE/…": "with several people: face, au/N/left, au/N/right, pose as above, of each but the patient, by face_id",
    "/facemirror/marker": "string text as typed, int sequence",
    "/facemirror/openface3/frame": "int sequence, float seconds since the first frame sent; only where something was measured",
    "/facemirror/openface3/au/N": "float 0 to 1 of the whole face, present above 0.5; no intensity",
    "/facemirror/openface3/emotion": "string the likeliest, float its probability 0 to 1",
    "/facemirror/openface3/gaze": "float yaw, pitch in radians",
}
"""What the addresses carry, for the session's data dictionary."""


def parse_address(text: str) -> tuple[str, int]:
    """Split HOST:PORT.

    Raises:
        UserInputError: `text` is none.
    """
    host, colon, port = text.rpartition(":")
    digits = port.isascii() and port.isdigit() and len(port) <= 5
    if not colon or not host or not digits or not 0 < int(port) < 65536:
        raise UserInputError(f"--osc reads HOST:PORT, such as 127.0.0.1:9000, not {text[:100]!r}.")
    return host.strip("[]"), int(port)


class OscStream:
    """Sends to one address and never waits.

    Args:
        host: name or address.
        port: UDP port.
        units: the Action Units to send.

    Attributes:
        units: the Action Units that are sent.
        lost: datagrams that the network did not take.

    Raises:
        DeviceError: python-osc is missing.
        UserInputError: there is no such host.
    """

    def __init__(self, host: str, port: int, units: Sequence[int]) -> None:
        try:
            from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
            from pythonosc.osc_message_builder import OscMessageBuilder
        except ImportError:
            raise DeviceError('--osc needs python-osc: pip install "facemirror-live[osc]".') from None
        self._bundle: Any = lambda: OscBundleBuilder(IMMEDIATELY)
        self._message: Any = OscMessageBuilder
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        except (OSError, UnicodeError):
            raise UserInputError(f"--osc: there is no host {host!r}.") from None
        self._address: Any = address
        self._socket = socket.socket(family, kind, protocol)
        self._socket.setblocking(False)
        self.units = tuple(units)
        self.lost = 0
        self._origin: float | None = None

    def frame(self, analysis: Analysis) -> None:
        """Send one analysed frame.

        Args:
            analysis: of the frame.
        """
        self._origin = analysis.capture_time if self._origin is None else self._origin
        bundle = self._bundle()
        self._add(bundle, "/facemirror/frame", analysis.sequence, analysis.capture_time - self._origin)
        self._add_person(bundle, "/facemirror", analysis)
        if analysis.millimetres is not None:
            self._add_lengths(bundle, analysis.millimetres)
        for other in analysis.others:
            if other.face is not None:
                self._add_person(bundle, f"/facemirror/other/{other.face.face_id}", other)
        self._send(bundle.build().dgram)

    def _add_person(self, bundle: Any, path: str, analysis: Analysis) -> None:
        """One face's values, below `path`."""
        face = analysis.face
        self._add(bundle, f"{path}/face", int(face is not None))
        for unit in self.units:
            for side, values in (("left", analysis.au_left), ("right", analysis.au_right)):
                value = values.get(unit, math.nan)
                if math.isfinite(value):
                    self._add(bundle, f"{path}/au/{unit}/{side}", float(value))
        if face is not None and face.pose is not None and all(math.isfinite(angle) for angle in face.pose):
            self._add(bundle, f"{path}/pose", *(float(angle) for angle in face.pose))

    def _add_lengths(self, bundle: Any, found: Millimetres) -> None:
        if math.isfinite(found.mm_per_pixel):
            self._add(bundle, "/facemirror/mm/scale", float(found.mm_per_pixel), found.source, found.scale_state)
        addresses = [f"{measure.name}/{side}" for measure in SIDED for side in ("left", "right")]
        addresses += [measure.name for measure in MIDLINE]
        for address, value in zip(addresses, every_length(found), strict=True):
            if math.isfinite(value):
                self._add(bundle, f"/facemirror/mm/{address}", float(value))

    def open_expression(self, units: Sequence[int], emotions: Sequence[str]) -> None:
        """Do nothing: OSC has no list of channels to announce.

        Args:
            units: their numbers.
            emotions: their names.
        """

    def expression(self, found: Expression | None, sequence: int, capture_time: float) -> None:
        """Send OpenFace 3.0's values of one frame; nothing where nothing was measured.

        Args:
            found: the values, or None.
            sequence: of the frame.
            capture_time: of the frame, seconds.
        """
        if found is None:
            return
        self._origin = capture_time if self._origin is None else self._origin
        bundle = self._bundle()
        self._add(bundle, "/facemirror/openface3/frame", sequence, capture_time - self._origin)
        for unit, value in found.units.items():
            if math.isfinite(value):
                self._add(bundle, f"/facemirror/openface3/au/{unit}", float(value))
        self._add(bundle, "/facemirror/openface3/emotion", found.emotion, float(found.emotions[found.emotion]))
        self._add(bundle, "/facemirror/openface3/gaze", *(float(angle) for angle in found.gaze))
        self._send(bundle.build().dgram)

    def marker(self, mark: Mark) -> None:
        """Send one marker.

        Args:
            mark: the marker.
        """
        self._send(self._build("/facemirror/marker", mark.text, mark.sequence).dgram)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _build(self, path: str, *values: str | float) -> Any:
        builder = self._message(address=path)
        for value in values:
            builder.add_arg(value)
        return builder.build()

    def _add(self, bundle: Any, path: str, *values: str | float) -> None:
        bundle.add_content(self._build(path, *values))

    def _send(self, datagram: bytes) -> None:
        try:
            self._socket.sendto(datagram, self._address)
        except OSError:
            # Nobody listens, or the network is full: the next frame comes in a moment.
            self.lost += 1
