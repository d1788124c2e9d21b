"""Action Units from the tracked face."""

from dataclasses import replace

from realtime.measure import FaceMeasures
from realtime.measure.openface2.node import OpenFace2Node
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


class MeasureOpenFace2:
    """The same place in the graph, with OpenFace 2.2's models; its files are its own. Opened on the node's thread."""

    def __init__(self, node: OpenFace2Node) -> None:
        self._node = node

    def open(self) -> None:
        """Read the models and compile."""
        self._node.open()

    def process(self, analysed: Analysed) -> Analysed:
        """The same analysis with the intensities of both mirrored halves."""
        found = self._node.process(analysed.frame, analysed.analysis)
        return analysed if found is None else Analysed(found, analysed.frame)

    def reset(self, reason: str) -> None:
        """The stream was interrupted."""
        self._node.reset(reason)

    def close(self) -> None:
        """Close the files."""
        self._node.close()
