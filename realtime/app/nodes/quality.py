"""The quality ladder: what is given up, and in which order, when results come too late.

The graph's controller decides from measured ages; this object carries its decision to the nodes that act on it.
"""

from realtime.graph import LatencyController, LatencyControllerSettings

SPARSE_DETECTION = "detection half as often"
COARSE_DETECTION = "smaller picture for the detector"
LIGHT_LANDMARKS = "lighter landmark network"
HALF_RATE = "analysis of every second frame"


class Quality:
    """Which steps are taken now. Read from any thread; changed by `update` alone.

    limit: seconds; the 95th percentile of the results' age is to stay below it. light_landmarks: there is a lighter network.
    """

    def __init__(self, limit: float, *, enabled: bool = True, light_landmarks: bool = False) -> None:
        self.steps = [SPARSE_DETECTION, COARSE_DETECTION, *([LIGHT_LANDMARKS] if light_landmarks else []), HALF_RATE]
        self.active: tuple[str, ...] = ()
        self._budget = LatencyController(self.steps, LatencyControllerSettings(limit=limit)) if enabled else None

    @property
    def switches(self) -> int:
        """How often a step was taken or given back."""
        return self._budget.switches if self._budget is not None else 0

    def update(self, age: float, now: float) -> None:
        """One measured age (seconds) at time `now`."""
        if self._budget is not None:
            self.active = self._budget.update(age, now)
