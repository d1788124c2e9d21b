"""Anything that can be compared, behind one call: picture and face in, values in the picture's own units out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from realtime.errors import ModelFileError, UserInputError
from realtime.face import crops, landmarks, retinaface
from realtime.models.contracts import landmark_contract
from realtime.models.registry import Registry, weights_folder
from realtime.types import Detection
from tools import pictures
from tools.pictures import F32, U8

Kind = Literal["landmarks", "multitask", "detections"]
Values = dict[str, NDArray[Any]]

KIND_OF = {"star": "landmarks", "multitask": "multitask", "retinaface": "detections"}
OUTPUTS: dict[str, tuple[str, ...]] = {
    "retinaface": ("loc", "conf", "landmarks"),
    "multitask": ("emotion", "gaze", "au"),
    "star": ("landmarks",),
}
SIZES = {"star": (256, 256), "multitask": (224, 224)}
MULTITASK_MEAN = 255 * np.array((0.485, 0.456, 0.406), np.float32)
MULTITASK_STD = 255 * np.array((0.229, 0.224, 0.225), np.float32)
CHECKPOINTS = {".pth", ".pkl", ".pt", ".tar"}


@dataclass(frozen=True, slots=True)
class Model:
    """call: ((H, W, 3) BGR picture, its face) -> values.

    landmarks: points (P, 2), picture pixels. multitask: emotion (8,) logits, gaze (2,) radians, au (8,) 0..1.
    detections: boxes (N, 4) picture pixels, scores (N,).
    """

    label: str
    kind: Kind
    call: Callable[[U8, Detection], Values]


def of(words: str, weights: Path | None = None, threads: int = 2) -> Model:
    """The model a user names: an ONNX file, a checkpoint, or a landmark model of the weights folder.

    Raises UserInputError and ModelFileError with one sentence.
    """
    path = Path(words)
    if path.suffix == ".onnx":
        run = pictures.session(path, threads)
        network = network_of([output.name for output in run.get_outputs()], path.name)
        name = run.get_inputs()[0].name
        outputs = OUTPUTS[network]
        return _openface(path.name, network, lambda x: dict(zip(outputs, run.run(outputs, {name: x}), strict=True)))
    if path.suffix in CHECKPOINTS:
        return _checkpoint(path)
    registry = Registry(weights if weights is not None else weights_folder())
    spec = registry.manifest.models.get(words)
    if spec is None or spec.role != "landmarks":
        known = ", ".join(m.name for m in registry.manifest.tiers("landmarks")) or "none"
        raise UserInputError(
            f"'{words}' is no .onnx, no checkpoint, and no landmark model of the weights folder ({known})."
        )
    model = landmarks.LandmarkModel(registry.open(spec, threads).run, landmark_contract(spec))

    def locate(picture: U8, face: Detection) -> Values:
        found = model.locate(picture, crops.crop_from_box(face.box, face.points, model.contract))
        return {"points": np.array(found.points)}

    return Model(words, "landmarks", locate)


def network_of(outputs: list[str], name: str) -> str:
    """Which of OpenFace 3.0's networks has these outputs. Raises ModelFileError for others."""
    for network, expected in OUTPUTS.items():
        if set(expected) <= set(outputs):
            return network
    raise ModelFileError(f"{name} gives {', '.join(outputs)}: none of {', '.join(OUTPUTS)} has these outputs.")


def _checkpoint(path: Path) -> Model:
    import torch

    from tools import checkpoints
    from tools.export.networks import reference
    from tools.networks import catalogue

    read = checkpoints.read(path)
    if read.network is None:
        raise ModelFileError(f"{path.name} belongs to none of the networks known here.")
    module, _ = catalogue.load(read.network, path)
    network = read.network

    def run(x: F32) -> Values:
        values = [value.numpy() for value in reference(module, torch.from_numpy(x))]
        if network == "retinaface":
            shifted = np.exp(values[1] - values[1].max(-1, keepdims=True))
            values[1] = shifted / shifted.sum(-1, keepdims=True)
        return dict(zip(OUTPUTS[network], values, strict=True))

    return _openface(path.name, network, run)


def _openface(label: str, network: str, run: Callable[[F32], Values]) -> Model:
    calls = {"star": _star, "multitask": _multitask, "retinaface": _retinaface}
    kind: Kind = KIND_OF[network]  # type: ignore[assignment]
    return Model(label, kind, lambda picture, face: calls[network](run, picture, face.box))


def _blob(pixels: NDArray[np.float32]) -> F32:
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])


def _star(run: Callable[[F32], Values], picture: U8, box: F32) -> Values:
    crop, matrix = pictures.crop("star", picture, box, SIZES["star"])
    signed = run(_blob(crop.astype(np.float32) / 127.5 - 1))["landmarks"].reshape(-1, 2)
    points = (signed + 1) * (SIZES["star"][0] / 2) - 0.5
    return {"points": (points - matrix[:, 2]) / matrix[0, 0]}


def _multitask(run: Callable[[F32], Values], picture: U8, box: F32) -> Values:
    crop, _ = pictures.crop("multitask", picture, box, SIZES["multitask"])
    scaled = (crop[..., ::-1].astype(np.float32) - MULTITASK_MEAN) / MULTITASK_STD
    return {name: value.ravel() for name, value in run(_blob(scaled)).items()}


def _retinaface(run: Callable[[F32], Values], picture: U8, _: F32) -> Values:
    height, width = picture.shape[:2]
    outputs = run(_blob(picture.astype(np.float32) - pictures.DETECTOR_MEAN))
    found = retinaface.decode(
        outputs["loc"], outputs["conf"], outputs["landmarks"], height=height, width=width, threshold=0.5
    )
    boxes = np.array([face.box for face in found], np.float32).reshape(-1, 4)
    return {"boxes": boxes, "scores": np.array([face.score for face in found], np.float32)}
