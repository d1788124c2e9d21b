"""Figures of the landmark network: accuracy, lids and lips, hard crops, presence, jitter, latency; beside PFLD-GhostOne."""

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.errors import ModelFileError
from tools.data.crops import SIZE, Strength, sample_face
from tools.data.landmark_batches import FaceSet, load_photographs, load_rendered
from tools.data.negatives import plain_nothing, sample_nothing
from tools.data.points98 import (
    CROP_GROWTH,
    corner_drop,
    crop_matrix,
    eye_opening,
    inter_ocular,
    invert,
    nme,
    square_from_box,
    square_from_points,
    transform,
)
from tools.data.rendered import HIDDEN_TRUST, render_clean
from tools.data.scan import FaceScanner
from tools.data.teachers import PFLD_FILES, PFLD_GROWTH, Pfld, one_thread_session
from tools.evaluate.figures import Figure, Options

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Square = tuple[NDArray[np.float64], float, float]
Model = Callable[[U8, Square], F32]
PART = "landmarks"


class Landmarks:
    """The shipped network behind its contract."""

    def __init__(self, model: Path) -> None:
        if not model.is_file():
            raise ModelFileError(
                f"{model} is missing: train and export it with tools.train.landmarks and tools.train.landmarks_export"
            )
        self.session = one_thread_session(model)

    def crop(self, crop: U8) -> tuple[F32, F32, float]:
        """Points (98, 2) and covariance (98, 3) in crop units, and presence, of a 112x112 BGR crop."""
        blob = (crop[:, :, ::-1].astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]
        points, covariance, presence = self.session.run(None, {"crop": np.ascontiguousarray(blob)})
        return points[0], covariance[0], float(presence[0])

    def __call__(self, picture: U8, square: Square) -> F32:
        """Points (98, 2) in the picture's pixels, seen through the square."""
        matrix = crop_matrix(*square, SIZE)
        crop = cv2.warpAffine(picture, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR)
        return transform(self.crop(crop)[0] * SIZE - 0.5, invert(matrix))


def ghost(net: Pfld) -> Model:
    """PFLD-GhostOne through the same squares, shrunk to the margin it was trained with."""

    def see(picture: U8, square: Square) -> F32:
        centre, side, roll = square
        return net.points(picture, centre, side * PFLD_GROWTH / CROP_GROWTH, roll)

    return see


def through_crops(model: Model, faces: FaceSet, shift: float, scale: float, turn: float, seed: int = 3) -> F32:
    """Points (N, 98, 2) seen through squares displaced uniformly: shift in sides, scale as a factor, turn in degrees."""
    rng = np.random.default_rng(seed)
    found = []
    for picture, points in zip(faces.pictures, faces.points, strict=True):
        centre, side, roll = square_from_points(points)
        moved = centre + rng.uniform(-shift, shift, 2) * side
        grown = side * np.exp(rng.uniform(-np.log(1 + scale), np.log(1 + scale)))
        found.append(model(picture, (moved, float(grown), roll + np.radians(rng.uniform(-turn, turn)))))
    return np.stack(found)


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
    out.append(Figure(PART, "photographs, eye opening error", float(lids.mean()), at_most=0.03, cases=n))
    for name, model in (("", ours), (", PFLD-GhostOne", other)):
        errors = 100 * nme(through_crops(model, faces, 0.15, 0.25, 30), faces.points)
        out.append(
            Figure(PART, f"photographs, tracker's worst crops{name}: mean NME", float(errors.mean()), "%", cases=n)
        )
    return out


def hard(ours: Landmarks, net: Pfld, faces: FaceSet, views: int = 2) -> list[Figure]:
    """Held-out photographs spoilt as in training (with another seed): ours and PFLD-GhostOne on the same crops."""
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
        Figure(PART, "photographs spoilt hard: mean NME", mean[0], "%", at_most=float(mean[1]), cases=n),
        Figure(PART, "photographs spoilt hard: median NME", median[0], "%", cases=n),
        Figure(PART, "photographs spoilt hard, PFLD-GhostOne: mean NME", mean[1], "%", cases=n),
        Figure(PART, "photographs spoilt hard, PFLD-GhostOne: median NME", median[1], "%", cases=n),
    ]


def rendered(ours: Model, other: Model, faces: FaceSet, name: str) -> list[Figure]:
    """Held-out rendered identities against exact points, through mildly displaced crops."""
    found = through_crops(ours, faces, 0.05, 0.1, 10)
    theirs = through_crops(other, faces, 0.05, 0.1, 10)
    n = len(faces)
    shown = faces.trust > HIDDEN_TRUST
    eyes = np.stack([shown[:, 60:68].all(1), shown[:, 68:76].all(1)], 1)
    lids = np.abs(eye_opening(found) - eye_opening(faces.points))[eyes]
    mouths = shown[:, [76, 82, 60, 72]].all(1)
    corners = 100 * np.abs(corner_drop(found) - corner_drop(faces.points))[mouths]
    return [
        Figure(PART, f"{name}: mean NME", float(100 * nme(found, faces.points).mean()), "%", at_most=3.0, cases=n),
        Figure(PART, f"{name}: median NME", float(np.median(100 * nme(found, faces.points))), "%", cases=n),
        Figure(PART, f"{name}, PFLD-GhostOne: mean NME", float(100 * nme(theirs, faces.points).mean()), "%", cases=n),
        Figure(
            PART, f"{name}, eye opening error, eye in view: mean", float(lids.mean()), at_most=0.03, cases=len(lids)
        ),
        Figure(PART, f"{name}, eye opening error, eye in view: median", float(np.median(lids)), cases=len(lids)),
        Figure(
            PART,
            f"{name}, mouth-corner height error: mean",
            float(corners.mean()),
            "% of eye distance",
            at_most=2.0,
            cases=len(corners),
        ),
        Figure(
            PART,
            f"{name}, mouth-corner height error: median",
            float(np.median(corners)),
            "% of eye distance",
            cases=len(corners),
        ),
    ]


def presence(ours: Landmarks, faces: FaceSet) -> list[Figure]:
    """How the presence score tells whole faces from nothing, halves and hands."""
    rng = np.random.default_rng(21)
    mild = Strength(bend=0.2, features=0.2, occlude=0.0, paint=0.1, hard_geometry=0.3)
    drawn = [
        sample_face(p, q, t, rng, mild, None) for p, q, t in zip(faces.pictures, faces.points, faces.trust, strict=True)
    ]
    whole = np.array([ours.crop(s.crop)[2] for s in drawn if s.presence > 0.9])
    beside = np.array(
        [ours.crop(sample_nothing(p, s, rng).crop)[2] for p, s in zip(faces.pictures, faces.squares, strict=True)]
    )
    plain = np.array([ours.crop(plain_nothing(rng).crop)[2] for _ in range(300)])
    halves = []
    for picture, points in zip(faces.pictures, faces.points, strict=True):
        centre, side, _ = square_from_points(points)
        half = picture.copy()
        at = int(np.clip(centre[0], 1, picture.shape[1] - 2))
        if rng.random() < 0.5:
            half[:, :at] = 0
        else:
            half[:, at:] = 0
        matrix = crop_matrix(centre, side, 0.0, SIZE)
        halves.append(ours.crop(cv2.warpAffine(half, matrix, (SIZE, SIZE)))[2])
    nothing = np.concatenate([beside, plain])
    auc = float((whole[:, None] > nothing[None]).mean() + 0.5 * (whole[:, None] == nothing[None]).mean())

    def above(scores: F32) -> float:
        return float(100 * np.mean(np.asarray(scores) > 0.5))

    n = len(whole)
    return [
        Figure(PART, "presence: whole faces above 0.5", above(whole), "%", at_least=97, cases=n),
        Figure(
            PART,
            "presence: beside, too near or far, lying: above 0.5",
            above(beside),
            "%",
            at_most=5,
            cases=len(beside),
        ),
        Figure(PART, "presence: textures, letters, hands: above 0.5", above(plain), "%", at_most=5, cases=len(plain)),
        Figure(PART, "presence: half faces above 0.5", above(np.array(halves)), "%", at_most=10, cases=len(halves)),
        Figure(PART, "presence: area under the curve", auc, at_least=0.99, cases=n + len(nothing)),
    ]


def second_difference(track: F32) -> float:
    """Median over frames and points of |p(t+1) - 2 p(t) + p(t-1)| over the inter-ocular distance; track (T, 98, 2)."""
    bend = np.linalg.norm(track[2:] - 2 * track[1:-1] + track[:-2], axis=-1)
    return float(np.median(bend / inter_ocular(track[1:-1])[:, None]))


def jitter(ours: Model, other: Model, clip: Path, detector: Path) -> list[Figure]:
    """A real talking face: each network tracks by itself, and PFLD-GhostOne also looks through our crops."""
    reader = cv2.VideoCapture(str(clip))
    frames = []
    while True:
        good, frame = reader.read()
        if not good:
            break
        frames.append(frame)
    boxes, _, fives = FaceScanner(detector).scan(frames[0], (1.0,))
    start = square_from_box(boxes[0], fives[0])

    def track(model: Model) -> tuple[F32, list[Square]]:
        square, points, squares = start, [], []
        square = square_from_points(model(frames[0], square))
        for frame in frames:
            squares.append(square)
            points.append(model(frame, square))
            square = square_from_points(points[-1])
        return np.stack(points), squares

    mine, squares = track(ours)
    same = np.stack([other(f, s) for f, s in zip(frames, squares, strict=True)])
    alone, _ = track(other)
    limit = second_difference(same)
    n = len(frames)
    return [
        Figure(
            PART, "jitter on the talking clip", 1000 * second_difference(mine), "e-3", at_most=1000 * limit, cases=n
        ),
        Figure(PART, "jitter, PFLD-GhostOne through the same crops", 1000 * limit, "e-3", cases=n),
        Figure(PART, "jitter, PFLD-GhostOne tracking by itself", 1000 * second_difference(alone), "e-3", cases=n),
    ]


def latency(ours: Landmarks, other: Path, rounds: int = 400) -> list[Figure]:
    """Medians of interleaved runs, one thread, no spinning."""
    theirs = one_thread_session(other)
    blob = np.random.default_rng(0).uniform(-1, 1, (1, 3, SIZE, SIZE)).astype(np.float32)
    spent = np.empty((rounds, 2))
    for i in range(rounds):
        for k, (session, name) in enumerate(((ours.session, "crop"), (theirs, theirs.get_inputs()[0].name))):
            begin = time.perf_counter()
            session.run(None, {name: blob})
            spent[i, k] = time.perf_counter() - begin
    mine, reference = 1000 * np.median(spent[20:], 0)
    return [
        Figure(PART, "latency, one thread: median", float(mine), "ms", cases=rounds),
        Figure(PART, "latency, PFLD-GhostOne, same run: median", float(reference), "ms", cases=rounds),
        Figure(
            PART,
            "latency over PFLD-GhostOne's",
            float(np.median(spent[20:, 0] / spent[20:, 1])),
            at_most=0.6 / 0.92,
            cases=rounds,
        ),
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
    if (options.data / "synth_bank").is_dir():
        render_clean(options.data)
    for kind, name in (("synth_clean", "rendered"), ("synth", "rendered and spoilt")):
        heads = load_rendered(options.data, "held", limit=500, kind=kind)
        if heads is not None:
            out += rendered(ours, ghost(net), heads, name)
    out += presence(ours, faces)
    out += jitter(
        ours, ghost(net), options.shared / "video/WolfgangLanger_Pexels.mp4", options.weights / "retinaface.onnx"
    )
    out += latency(ours, teacher)
    return [*out, Figure(PART, "file", model.stat().st_size / 1e6, "MB", at_most=3.0)]
