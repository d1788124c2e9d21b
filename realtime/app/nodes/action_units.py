"""Action Units from the tracked face."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from realtime.action_units import ActionUnitEstimator
from realtime.action_units.calibration import Calibration
from realtime.action_units.estimator import light_on
from realtime.face.face_embedding import FaceMemory
from realtime.session.decision_log import DecisionLog
from realtime.types import Analysis, TrackedFrame

if TYPE_CHECKING:
    from realtime.openface2.node import OpenFace2Node


class Measure:
    """Adds the patient's left and right Action Units to an analysis.

    Args:
        measures: of the run.
        decisions: where calibrations are logged, or None.
        calibrated: called on the measuring thread when a calibration is done, with the analysis that completed it.
        memory: takes in what the patient's face looks like, where the user wants it stored.
    """

    def __init__(
        self,
        measures: ActionUnitEstimator,
        decisions: DecisionLog | None = None,
        calibrated: Callable[[Analysis, Calibration], None] | None = None,
        memory: FaceMemory | None = None,
    ) -> None:
        self._memory = memory
        self._measures = measures
        self._decisions = decisions
        self._calibrated = calibrated

    def process(self, analysed: TrackedFrame) -> TrackedFrame:
        """The same analysis with intensities; without a face nothing is measured."""
        analysis, measures = analysed.analysis, self._measures
        begins = measures.begin_if_asked()
        if self._decisions is not None:
            self._decisions.measure(analysis.sequence, calibrate=begins)
        calibration = measures.calibration
        if analysis.face is None:
            measures.nobody(analysis.capture_time)
            return analysed
        if self._memory is not None and analysis.sure:
            self._memory.look(analysed.frame.image, analysis.face, analysis.capture_time)
        running = calibration.running
        light = light_on(analysed.frame.image, analysis.face.box) if running else None
        left, right = measures.update(analysis.face, analysed.frame.image, time=analysis.capture_time, light=light)
        if running and calibration.progress.phase == "done" and self._calibrated is not None:
            self._calibrated(analysis, calibration)
        measured = replace(
            analysis,
            au_left=left,
            au_right=right,
            neutral=measures.neutral_state,
            rest=measures.rest_state,
            rest_share=measures.rest_share,
        )
        return TrackedFrame(measured, analysed.frame)


class MeasureOpenFace2:
    """The same place in the graph, with OpenFace 2.2's models; its files are its own. Opened on the node's thread."""

    def __init__(self, node: "OpenFace2Node") -> None:
        self._node = node

    def open(self) -> None:
        """Read the models and compile."""
        self._node.open()

    def process(self, analysed: TrackedFrame) -> TrackedFrame:
        """The same analysis with the intensities of both mirrored halves."""
        found = self._node.process(analysed.frame, analysed.analysis)
        # OpenFace's dynamic models measure against a running median of their own.
        return analysed if found is None else TrackedFrame(replace(found, neutral="running"), analysed.frame)

    def reset(self, reason: str) -> None:
        """The stream was interrupted."""
        self._node.reset(reason)

    def close(self) -> None:
        """Close the files."""
        self._node.close()
