"""What is measured on a face: Action Units of the patient's left and right."""

from realtime.action_units.estimator import ActionUnitEstimator

__all__ = ["ActionUnitEstimator"]
