"""The quality ladder: what is given up, and in which order, when results come too late.

The graph's controller decides from measured ages; this object carries its decision to the nodes that act on it.
"""

from realtime.graph import LatencyController, LatencyControllerSettings

SPARSE_DETECTION = "detection half as often"
COARSE_DETECTION = "smaller picture for the detector"
LIGHT_LANDMARKS = "lighter landmark network"
HALF_RATE = "analysis of every second frame"
FEWER_OTHERS = "other people half as often"


class Quality:
    """Which steps are taken now. Read from any thread; changed by `update` alone.

    Args:
        limit: Seconds; the 95th percentile of the results' latency is to stay below it.
        enabled: False: nothing is ever given up.
        light_landmarks: There is a lighter landmark network.
        several: Several people are followed; the patient comes first.
    """

    def __init__(
        self, limit: float, *, enabled: bool = True, light_landmarks: bool = False, several: bool = False
    ) -> None:
        first = [FEWER_OTHERS] if several else []
        self.steps = [
            *first,
            SPARSE_DETECTION,
            COARSE_DETECTION,
            *([LIGHT_LANDMARKS] if light_landmarks else []),
            HALF_RATE,
        ]
        self.active: tuple[str, ...] = ()
        self._limit = limit
        self._controller = LatencyController(self.steps, LatencyControllerSettings(limit=limit)) if enabled else None

    @property
    def switches(self) -> int:
        """How often a step was taken or given back."""
        return self._controller.switches if self._controller is not None else 0

    def update(self, latency: float, now: float, interval: float = 0.0) -> None:
        """Take in when one result was ready.

        A result that is ready before the next picture comes is in time, however slow the camera is: no step could bring
        it onto an earlier picture. So the limit is never shorter than the interval.

        Args:
            latency: From the frame's capture until its result was ready, seconds.
            now: The time, seconds.
            interval: Between two pictures, seconds.
        """
        if self._controller is not None:
            self.active = self._controller.update(latency * self._limit / max(self._limit, interval), now)
