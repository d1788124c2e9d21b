"""Action Units from the tracked face."""

from dataclasses import replace

from realtime.measure import FaceMeasures
from realtime.nodes.values import Analysed


class Measure:
    """Adds the patient's left and right Action Units to an analysis."""

    def __init__(self, measures: FaceMeasures) -> None:
        self._measures = measures

    def process(self, analysed: Analysed) -> Analysed:
        """The same analysis with intensities; without a face nothing is measured and nothing is said."""
        analysis = analysed.analysis
        if analysis.face is None:
            return analysed
        right, left = self._measures.update(analysis.face)
        return Analysed(replace(analysis, au_left=left, au_right=right), analysed.frame)
