"""What is measured on a face: Action Units of the patient's left and right."""

from realtime.measure.face_measures import FaceMeasures

__all__ = ["FaceMeasures"]
