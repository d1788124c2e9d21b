"""From manifest entries to the face path's objects: what a network needs is data, so swapping one changes no code."""

from typing import Any

from realtime.errors import ModelFileError
from realtime.face.detector import DetectorInput, FaceDetector
from realtime.face.landmarks import LandmarkContract, LandmarkModel
from realtime.face.settings import DetectorSettings
from realtime.measure.action_units import ActionUnits
from realtime.models import ModelSession, ModelSpec

_CONTRACT_WORDS = {
    "layout",
    "box_scale",
    "box_shift",
    "point_scale",
    "point_shift",
    "upright",
    "covariance",
    "presence",
}


def landmark_contract(spec: ModelSpec) -> LandmarkContract:
    """What the manifest says about a 98-point network.

    Raises:
        ModelFileError: the entry is not that of a landmark network.
    """
    if spec.input.height is None or spec.input.height != spec.input.width or spec.input.order == "none":
        raise ModelFileError(
            f"Model {spec.name}: a landmark network needs a fixed square picture input in the manifest."
        )
    words: dict[str, Any] = {key: value for key, value in spec.parameters.items() if key in _CONTRACT_WORDS}
    return LandmarkContract(
        size=spec.input.height, order=spec.input.order, mean=spec.input.mean, scale=spec.input.scale, **words
    )


def landmark_model(session: ModelSession) -> LandmarkModel:
    """A 98-point network with its contract."""
    return LandmarkModel(session.run, landmark_contract(session.spec))


def detector_input(spec: ModelSpec, settings: DetectorSettings) -> DetectorInput:
    """How a picture is made ready for this detector."""
    entry = spec.input
    return DetectorInput(settings, mean=entry.mean, scale=entry.scale, rgb=entry.order == "RGB")


def face_detector(session: ModelSession, settings: DetectorSettings) -> FaceDetector:
    """RetinaFace with its input rule."""
    return FaceDetector(session.run, settings, prepare=detector_input(session.spec, settings))


def action_units(session: ModelSession) -> ActionUnits:
    """The Action Unit network, with the units its manifest entry lists.

    Raises:
        ModelFileError: the entry lists no units.
    """
    words = session.spec.parameters
    units, unobservable = words.get("units"), words.get("unobservable", [])
    if not isinstance(units, list) or not isinstance(unobservable, list):
        raise ModelFileError(f"Model {session.spec.name}: the manifest should list its Action Units as `units`.")
    return ActionUnits(session.run, [int(str(u)) for u in units], [int(str(u)) for u in unobservable])
