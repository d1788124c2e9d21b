"""Opens the networks of the face path, and makes the objects that use them from their manifest entries.

What a network needs is data, so another one changes no code.
"""

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from realtime.action_units.model import FEATURES, ActionUnits
from realtime.clinic.lip_correction import LipCorrection, lip_correction_of
from realtime.clinic.meter import ReadIrises
from realtime.errors import ModelFileError
from realtime.face.detector import FaceDetector
from realtime.face.iris import WINDOW, IrisReader
from realtime.face.landmarks import LandmarkModel
from realtime.face.retinaface import anchor_disagreement, decode
from realtime.face.settings import DetectorSettings, MirrorAverage
from realtime.models import Manifest, ModelSession, ModelSpec, Registry
from realtime.models.contracts import anchors_of, detector_input, landmark_contract
from realtime.models.open_model import open_model
from realtime.models.tiers import ModelLadder

log = logging.getLogger(__name__)

# on the demo clip neighbours agree to 1 % of a face's width; decoded with the other common anchors they differ by 27 %
_ANCHORS_APART = 0.05


@dataclass(frozen=True, slots=True)
class FaceModels:
    """The networks of the face path, open and warm.

    Args:
        detector: RetinaFace's session; `face_detector` makes a detector of it.
        landmarks: the 98-point network, answering from `tiers`.
        tiers: the landmark network's, best first.
        action_units: the Action Unit network; None where the folder holds none.
        specs: the manifest entries of what was opened: detector, landmark tiers, Action Units, irises.
        fallback: opens the detector that takes the place of one that gives no numbers; None: there is no other.
        irises: reads irises; None where that was not asked for, or the folder holds no network for it.
    """

    detector: ModelSession
    landmarks: LandmarkModel
    tiers: ModelLadder
    action_units: ActionUnits | None
    specs: tuple[ModelSpec, ...]
    fallback: Callable[[], ModelSession] | None = None
    irises: ReadIrises | None = None
    _reported: set[str] = field(default_factory=set)

    @property
    def lips(self) -> LipCorrection | None:
        """Corrects the landmark network's lips where lengths are measured; None: none was fitted to this network."""
        return lip_correction_of(next(spec.name for spec in self.specs if spec.role == "landmarks"))

    def face_detector(self, settings: DetectorSettings, coarser: float = 1.0) -> FaceDetector:
        """A detector with its fallback.

        Args:
            settings: of the detector.
            coarser: by how much the network's picture is smaller than set.
        """
        other = self.fallback
        return face_detector(
            self.detector,
            settings,
            coarser,
            fallback=None if other is None else lambda: face_detector(other(), settings, coarser),
            report=self._report,
        )

    def _report(self, sentence: str) -> None:
        """Log a sentence once, however many detectors of this network find it out."""
        if sentence not in self._reported:
            self._reported.add(sentence)
            log.warning("%s", sentence)


def open_face_models(
    registry: Registry,
    *,
    detector: str | None = None,
    landmarks: str | None = None,
    settings: DetectorSettings = DetectorSettings(),  # noqa: B008  frozen
    size: tuple[int, int] = (720, 1280),
    providers: tuple[str, ...] = ("cpu",),
    threads: int | None = None,
    progress: Callable[[str, float], None] | None = None,
    lighter: Callable[[], bool] = lambda: False,
    irises: bool = False,
    mirror_average: MirrorAverage = "off",
    crop_average: int = 1,
) -> FaceModels:
    """Check, open and warm up the networks: the one way, for the program and for the public face.

    Args:
        registry: the models of a weights folder.
        detector: a detector's name in the manifest; None: the best.
        landmarks: a landmark network's name; None: the best, with every lighter tier that takes and gives the same.
        settings: what the detector will see of a picture.
        size: height and width (pixels) of the pictures to warm up for; others work too, their first one takes longer.
        providers: keys of `realtime.models.providers.PROVIDERS`, in order of preference. "cpu" starts no process.
        threads: ONNX Runtime's threads per network; None: the registry's.
        progress: called with a model's name and the seconds gone by while an accelerator compiles it.
        lighter: whether the lightest landmark tier answers; asked before every answer.
        irises: open the iris network as well.
        mirror_average: on which frames points are averaged with those of the mirror image (see `LandmarkModel`).
        crop_average: of how many crops they are the mean (likewise).

    Raises:
        ModelFileError: a model is missing, damaged or of another kind.
    """
    detector_spec = registry.manifest.find("detector", detector)
    landmark_specs = landmark_tiers(registry.manifest, landmarks)
    unit_spec = next(iter(registry.manifest.tiers("action-units")), None)
    shape = (1, 3, *detector_input(detector_spec, settings).size(*size, region=False))

    def opened(spec: ModelSpec, shape: tuple[int, ...] | None = None) -> ModelSession:
        return open_model(registry, spec, shape=shape, providers=providers, threads=threads, progress=progress)

    detector_session = opened(detector_spec, shape)
    tiers = ModelLadder([opened(spec) for spec in landmark_specs], lighter)
    units = action_units(open_model(registry, unit_spec, shape=(2, FEATURES))) if unit_spec is not None else None
    iris_spec = next(iter(registry.manifest.tiers("iris")), None) if irises else None
    reader = None
    if iris_spec is not None:
        reader = IrisReader(open_model(registry, iris_spec, shape=(2, 3, WINDOW[1], WINDOW[0])).run).read
    specs = tuple(spec for spec in (detector_spec, *landmark_specs, unit_spec, iris_spec) if spec is not None)
    fallback = _other_detector(registry, detector_spec)
    model = landmark_model(tiers, mirror_average=mirror_average, crop_average=crop_average)
    return FaceModels(detector_session, model, tiers, units, specs, fallback, reader)


def _other_detector(registry: Registry, failing: ModelSpec) -> Callable[[], ModelSession] | None:
    """Opens, on the CPU, another detector of the same folder, or the embedded one; None where neither is another file."""
    places = [registry]
    with contextlib.suppress(ModelFileError):  # another folder was given, and nothing is embedded in this installation
        places.append(Registry())
    for place in places:
        for spec in place.manifest.tiers("detector"):
            if spec.sha256 != failing.sha256:
                return partial(place.open, spec)
    return None


def landmark_tiers(manifest: Manifest, name: str | None) -> list[ModelSpec]:
    """The landmark network called `name` alone, or the best one and every lighter one that takes and gives the same.

    Args:
        manifest: of the models.
        name: of the network; None: the best.

    Raises:
        ModelFileError: there is no such model.
    """
    best = manifest.find("landmarks", name)
    if name is not None:
        return [best]
    contract = landmark_contract(best)
    rest = [spec for spec in manifest.tiers("landmarks") if spec.tier > best.tier]
    return [best, *(spec for spec in rest if landmark_contract(spec) == contract)]


def landmark_model(
    session: ModelSession, *, mirror_average: MirrorAverage = "off", crop_average: int = 1
) -> LandmarkModel:
    """A 98-point network with its contract.

    Args:
        session: the network's.
        mirror_average, crop_average: see `LandmarkModel`.
    """
    return LandmarkModel(
        session.run, landmark_contract(session.spec), mirror_average=mirror_average, crop_average=crop_average
    )


def face_detector(
    session: ModelSession,
    settings: DetectorSettings,
    coarser: float = 1.0,
    *,
    fallback: Callable[[], FaceDetector] | None = None,
    report: Callable[[str], None] = log.warning,
) -> FaceDetector:
    """RetinaFace with its entry's input rule and anchors.

    Args:
        session: the network.
        settings: what it sees of a picture.
        coarser: by how much the network's picture is smaller than set.
        fallback: opens a detector for the case that this one gives no numbers.
        report: called with the sentence then.
    """
    width = max(96, round(settings.width * coarser))
    settings = settings.model_copy(update={"width": width})
    spec = session.spec
    return FaceDetector(
        session.run,
        settings,
        anchors=anchors_of(spec),
        prepare=detector_input(spec, settings),
        name=spec.name,
        fallback=fallback,
        report=report,
    )


def anchor_problem(session: ModelSession, picture: NDArray[np.uint8]) -> str | None:
    """Judge whether a detector was trained with the anchors its entry gives.

    Args:
        session: the detector's.
        picture: (H, W, 3) uint8 BGR with one clear face.

    Returns:
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

    Args:
        session: the network's.

    Raises:
        ModelFileError: the entry lists no units.
    """
    words = session.spec.parameters
    units, unobservable = words.get("units"), words.get("unobservable", [])
    if not isinstance(units, list) or not isinstance(unobservable, list):
        raise ModelFileError(f"Model {session.spec.name}: the manifest should list its Action Units as `units`.")
    return ActionUnits(
        session.run,
        [int(str(u)) for u in units],
        [int(str(u)) for u in unobservable],
        identity=str(words.get("embedding", session.spec.sha256)),
        together=bool(words.get("together", False)),
        frames=bool(words.get("frames", False)),
    )
