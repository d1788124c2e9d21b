"""Presence, jitter and latency of the landmark network."""

import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.data.crops import SIZE, Strength, sample_face
from tools.data.landmark_batches import FaceSet
from tools.data.negatives import plain_nothing, sample_nothing
from tools.data.points98 import (
    crop_matrix,
    inter_ocular,
    square_from_box,
    square_from_points,
)
from tools.data.scan import FaceScanner
from tools.data.teachers import one_thread_session
from tools.evaluate.figures import Figure
from tools.evaluate.landmark_models import Landmarks, Model, Square

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
PART = "landmarks"


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
        # Half of the points are covered. In a turned head the middle of the crop would leave nearly all of the face.
        at = int(np.clip(np.median(points[:, 0]), 1, picture.shape[1] - 2))
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
