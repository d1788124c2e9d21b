"""Lengths in millimetres, behind the Action Units."""

from dataclasses import replace

from realtime.clinic import LengthMeter
from realtime.types import TrackedFrame


class MeasureLengths:
    """Adds the face's lengths to an analysis."""

    def __init__(self, meter: LengthMeter) -> None:
        self._meter = meter

    def process(self, analysed: TrackedFrame) -> TrackedFrame:
        """The same analysis with lengths; without a face there are none."""
        analysis = analysed.analysis
        if analysis.face is None:
            return analysed
        found = self._meter.update(analysis.face, analysed.frame.image, analysis.capture_time)
        return TrackedFrame(replace(analysis, millimetres=found), analysed.frame)
