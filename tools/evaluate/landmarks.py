"""Figures of the landmark network: accuracy, lids and lips, hard crops, presence, jitter, latency; beside PFLD-GhostOne."""

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.data.crops import SIZE, Strength, sample_face
from tools.data.landmark_batches import FaceSet, load_photographs, load_rendered
from tools.data.points98 import (
    CROP_GROWTH,
    eye_opening,
    invert,
    nme,
    square_from_box,
    square_from_points,
    transform,
)
from tools.data.rendered import render_clean
from tools.data.teachers import PFLD_FILES, PFLD_GROWTH, Pfld
from tools.evaluate.figures import Figure, Options
from tools.evaluate.landmark_behaviour import PART, jitter, latency, presence
from tools.evaluate.landmark_clips import real_clips
from tools.evaluate.landmark_heads import refined, rendered, seen, turned, yaws
from tools.evaluate.landmark_looks import hard_looks
from tools.evaluate.landmark_models import Landmarks, Model, ghost, through_crops
from tools.evaluate.landmark_stills import analysed, still_looks

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]


def photographs(ours: Model, other: Model, faces: FaceSet, boxes: F32, fives: F32) -> list[Figure]:
    """Held-out photographs against the teachers' label."""
    out = []
    n = len(faces)
    first = np.stack([ours(p, square_from_box(b, f)) for p, b, f in zip(faces.pictures, boxes, fives, strict=True)])
    second = np.stack([ours(p, square_from_points(q)) for p, q in zip(faces.pictures, first, strict=True)])
    third = np.stack([other(p, square_from_points(q)) for p, q in zip(faces.pictures, second, strict=True)])
    for name, points, aim in (
        ("from the detector's box", first, None),
        ("then once refined", second, 3.0),
        ("PFLD-GhostOne, same crops", third, None),
    ):
        errors = 100 * nme(points, faces.points)
        out.append(Figure(PART, f"photographs, {name}: mean NME", float(errors.mean()), "%", at_most=aim, cases=n))
    out.append(
        Figure(
            PART, "photographs, refined: median NME", float(np.median(100 * nme(second, faces.points))), "%", cases=n
        )
    )
    lids = np.abs(eye_opening(second) - eye_opening(faces.points))
    # No aim: the teachers open closed eyes; hand-placed lids (`real`) are the judge.
    out.append(Figure(PART, "photographs, eye opening, distance from the teachers'", float(lids.mean()), cases=n))
    for name, model in (("", ours), (", PFLD-GhostOne", other)):
        errors = 100 * nme(through_crops(model, faces, 0.15, 0.25, 30), faces.points)
        out.append(
            Figure(PART, f"photographs, tracker's worst crops{name}: mean NME", float(errors.mean()), "%", cases=n)
        )
    return out


def hard(ours: Landmarks, net: Pfld, faces: FaceSet, views: int = 2) -> list[Figure]:
    """Held-out photographs degraded as in training (with another seed): ours and PFLD-GhostOne on the same crops."""
    rng = np.random.default_rng(11)
    strength = Strength(bend=0.5, features=0.2, occlude=0.5, paint=0.2, hard_geometry=0.0)
    shrink = np.array([[1, 0, 0], [0, 1, 0]], np.float64) * (CROP_GROWTH / PFLD_GROWTH)
    shrink[:, 2] = (SIZE - 1) / 2 * (1 - CROP_GROWTH / PFLD_GROWTH)
    errors: list[tuple[float, float]] = []
    for _ in range(views):
        for picture, points, trust in zip(faces.pictures, faces.points, faces.trust, strict=True):
            sample = sample_face(picture, points, trust, rng, strength, None)
            truth = sample.points * SIZE - 0.5
            mine = ours.crop(sample.crop)[0] * SIZE - 0.5
            inner = cv2.warpAffine(sample.crop, shrink, (SIZE, SIZE), flags=cv2.INTER_LINEAR)
            theirs = transform(net.crop_points(inner) * SIZE - 0.5, invert(shrink))
            errors.append((float(nme(mine, truth)), float(nme(theirs, truth))))
    mean, median = 100 * np.mean(errors, 0), 100 * np.median(errors, 0)
    n = len(errors)
    return [
        Figure(PART, "photographs degraded hard: mean NME", mean[0], "%", at_most=float(mean[1]), cases=n),
        Figure(PART, "photographs degraded hard: median NME", median[0], "%", cases=n),
        Figure(PART, "photographs degraded hard, PFLD-GhostOne: mean NME", mean[1], "%", cases=n),
        Figure(PART, "photographs degraded hard, PFLD-GhostOne: median NME", median[1], "%", cases=n),
    ]


def measure(options: Options) -> list[Figure]:
    """All figures of weights/landmarks98.onnx."""
    model = options.weights / "landmarks98.onnx"
    ours = Landmarks(model)
    cv2.setNumThreads(1)
    teacher = options.shared / "models/pfld_ghostone_98" / PFLD_FILES[0]
    net = Pfld(teacher)
    faces = load_photographs(options.data, "held")
    index = np.load(options.data / "faces" / "index.npz")
    rows = index["usable"] & (index["split"] == "held")
    out = photographs(ours, ghost(net), faces, index["box"][rows], index["five"][rows])
    out += hard(ours, net, faces)
    out += hard_looks(ours, faces)
    out += still_looks(options.weights, faces) + analysed(options.weights, faces)
    if (options.data / "synth_bank").is_dir():
        render_clean(options.data)
    for kind, name in (("synth_clean", "rendered"), ("synth", "rendered and degraded")):
        heads = load_rendered(options.data, "held", limit=500, kind=kind)
        if heads is not None:
            first = seen(ours, heads)
            found = refined(ours, heads, first)
            out += rendered(first, found, ghost(net), heads, name)
            if kind == "synth_clean":
                out += turned(found, teacher.parent, heads, yaws(options.data / kind))
    out += presence(ours, faces)
    out += jitter(
        ours, ghost(net), options.shared / "video/WolfgangLanger_Pexels.mp4", options.weights / "retinaface.onnx"
    )
    out += real_clips(ours, teacher.parent, options.shared / "video", options.weights / "retinaface.onnx")
    out += latency(ours, teacher)
    return [*out, Figure(PART, "file", model.stat().st_size / 1e6, "MB", at_most=3.0)]
