"""Everybody's rest over a recording, and the patient's from a window that the user named."""

from realtime.action_units.descriptor import Descriptor
from realtime.action_units.recording_rest import Rest, RestSearch
from realtime.action_units.rest_frame import Windows
from realtime.batch.follow import Networks
from realtime.types import FaceObservation

NAMED = 0
"""Under this number stands the rest of a window that the user named: the patient's, whatever face id. Face ids of several people
count from 1; where one face is followed, it is the only rest there is then."""


class RestSearches:
    """Takes in every face of a recording in order; who the patient is, is known only at the end.

    Args:
        networks: open.
        window: (start, end) in seconds that the user named as the patient's rest, or None.
        several: several people are followed.
    """

    def __init__(self, networks: Networks, window: tuple[float, float] | None, *, several: bool) -> None:
        self._networks = networks
        self._window = window
        self._several = several
        self._own: dict[int, RestSearch] = {}
        self._named: dict[int, RestSearch] = {}

    def add(self, face: FaceObservation, found: Descriptor, windows: Windows, time: float) -> None:
        """Take in one face.

        Args:
            face: as it was tracked.
            found: its descriptor.
            windows: cut from the frame.
            time: of the frame, seconds.
        """
        if self._window is None or self._several:
            self._search(self._own, face.face_id, None).add(found, windows, time, face.hidden)
        if self._window is not None:
            key = face.face_id if self._several else NAMED
            self._search(self._named, key, self._window).add(found, windows, time, face.hidden)

    def _search(self, among: dict[int, RestSearch], key: int, window: tuple[float, float] | None) -> RestSearch:
        if key not in among:
            units = self._networks.models.action_units
            assert units is not None
            among[key] = RestSearch(units, self._networks.landmarks, window)
        return among[key]

    def rests(self, patient: int | None) -> dict[int, Rest]:
        """By face id; under `NAMED` that of the window.

        Args:
            patient: face id of the patient, where several people are followed.
        """
        rests = {key: search.rest() for key, search in self._own.items()}
        named = self._named.get(NAMED if patient is None else patient)
        return rests if named is None else {NAMED: named.rest(), **rests}
