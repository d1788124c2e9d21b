"""From manifest entries to the face path's objects: what a network needs is data, so swapping one changes no code."""

import numpy as np
from numpy.typing import NDArray

from realtime.action_units.model import ActionUnits
from realtime.config import Config
from realtime.errors import ModelFileError
from realtime.face.contract import anchors_of, detector_input, landmark_contract
from realtime.face.detector import FaceDetector
from realtime.face.landmarks import LandmarkModel
from realtime.face.retinaface import anchor_disagreement, decode
from realtime.face.settings import DetectorSettings
from realtime.models import Manifest, ModelSession, ModelSpec, Registry

# on the demo clip neighbours agree to 1 % of a face's width; decoded with the other common anchors they differ by 27 %
_ANCHORS_APART = 0.05


def registry_of(config: Config) -> Registry:
    """The models of the configured family; `--weights` says where else they lie.

    Raises:
        ModelFileError: there are none.
    """
    if config.models.family != "openface3" or config.weights is not None:
        return Registry(config.weights)
    # Imported here: it can fetch files, and no other family needs the network's libraries.
    from realtime.openface3.download import default_folder

    folder = default_folder()
    if not (folder / "manifest.toml").is_file():
        raise ModelFileError(
            "OpenFace 3.0's networks are not installed on this machine: run `facemirror-live models pull openface3` once."
        )
    return Registry(folder)


def landmark_tiers(manifest: Manifest, name: str | None) -> list[ModelSpec]:
    """The landmark network called `name` alone, or the best one and every lighter one that takes and gives the same.

    Raises:
        ModelFileError: there is no such model.
    """
    best = manifest.find("landmarks", name)
    if name is not None:
        return [best]
    contract = landmark_contract(best)
    rest = [spec for spec in manifest.tiers("landmarks") if spec.tier > best.tier]
    return [best, *(spec for spec in rest if landmark_contract(spec) == contract)]


def landmark_model(session: ModelSession) -> LandmarkModel:
    """A 98-point network with its contract."""
    return LandmarkModel(session.run, landmark_contract(session.spec))


def face_detector(session: ModelSession, settings: DetectorSettings, coarser: float = 1.0) -> FaceDetector:
    """RetinaFace with its entry's input rule and anchors. coarser: by how much the network's picture is smaller than set."""
    width = max(96, round(settings.width * coarser))
    settings = settings.model_copy(update={"width": width})
    spec = session.spec
    return FaceDetector(session.run, settings, anchors=anchors_of(spec), prepare=detector_input(spec, settings))


def anchor_problem(session: ModelSession, picture: NDArray[np.uint8]) -> str | None:
    """Whether a detector was trained with the anchors its entry gives, judged on (H, W, 3) BGR `picture` with one clear face.

    A sentence when it was not, or when no face is seen; None when all is well.

    Raises:
        ModelFileError: its outputs are not RetinaFace's at all.
    """
    spec = session.spec
    blob, _ = detector_input(spec, DetectorSettings()).prepare(picture)
    height, width, anchors = blob.shape[2], blob.shape[3], anchors_of(spec)
    outputs = session.run(blob)
    if missing := {"loc", "conf", "landmarks"} - outputs.keys():
        raise ModelFileError(f"Model {spec.name}: the manifest names no output {', '.join(sorted(missing))}.")
    decode(outputs["loc"], outputs["conf"], outputs["landmarks"], height=height, width=width, anchors=anchors)
    apart = anchor_disagreement(outputs["loc"], outputs["conf"], height=height, width=width, anchors=anchors)
    if apart is None:
        return f"{spec.name} sees no face in the demo clip"
    if apart > _ANCHORS_APART:
        return (
            f"{spec.name} was trained with other anchors than its manifest entry gives (neighbours place a face "
            f"{100 * apart:.0f} % of its width apart), so its boxes are wrong"
        )
    return None


def action_units(session: ModelSession) -> ActionUnits:
    """The Action Unit network, with the units its manifest entry lists.

    Raises:
        ModelFileError: the entry lists no units.
    """
    words = session.spec.parameters
    units, unobservable = words.get("units"), words.get("unobservable", [])
    if not isinstance(units, list) or not isinstance(unobservable, list):
        raise ModelFileError(f"Model {session.spec.name}: the manifest should list its Action Units as `units`.")
    return ActionUnits(
        session.run, [int(str(u)) for u in units], [int(str(u)) for u in unobservable], identity=session.spec.sha256
    )
