"""The limits by which covered parts are found: `python -m tools.train.landmarks.covered --data DATA [--weights DIR]`.

Mouths, eyes and brows of the photographs are covered by hands, masks and dark glasses, mouths also by fingers with lips between them, and
the network is asked. Limits are chosen on the training photographs: those that find most covered parts while a clear face loses a part in
no more cases than `--mistaken` allows; that of half a mouth, which is chosen after them, may cost as many clear faces again.
What they find on the held-out photographs is printed beside what the manifest's limits find there, with the manifest's
parameters to be written. They belong to one file of the network: after a training they are to be chosen anew.
"""

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.analyze.models import landmark_model
from realtime.face import wflw
from realtime.face.crops import crop_from_points
from realtime.face.landmarks import LandmarkModel
from realtime.face.pose import estimate_pose
from realtime.face.visibility import (
    ALL_PARTS,
    SURELY_COVERED,
    UNEVEN,
    VisibilityLimits,
    eye_distance,
    kind_of,
    mouth_halves,
    points_of,
    spreads,
)
from realtime.models import Registry
from realtime.types import FacePart
from tools.command import guarded
from tools.data.landmark_batches import FaceSet, load_photographs
from tools.data.occluders import SKIN, finger_mask, hand_mask, soft_light
from tools.data.points98 import crop_matrix, square_from_points, transform
from tools.manifest import WEIGHTS

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

SIZE = 256
COVERED, TOUCHED = 0.6, 0.15
"""Shares of a part's points in front of which something is: from the first it must be found, up to the second it must not."""
POINTS: dict[FacePart, list[int]] = {part: list(points_of(part)) for part in ALL_PARTS}
OUTER_LIPS = list(range(76, 88))
HALF_PRESENCES = (0.98, 0.99, 0.995, 0.998)
PRESENCES = (0.93, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99)
KINDS = ("mouth", "eye", "brow")
LIMITS = tuple(round(0.02 + 0.0005 * k, 4) for k in range(27))


@dataclass(frozen=True)
class Looks:
    """What the network says of N pictures.

    Args:
        presence: (N,).
        spread: (N, parts).
        covered: (N, parts) share of each part's points.
        halves: (N, 2) spread of the mouth's left and right half.
        fingers: (N,) whether fingers lie on the mouth, with lips between them.
    """

    presence: F32
    spread: F32
    covered: F32
    halves: F32
    fingers: NDArray[np.bool_]

    def of(self, rows: NDArray[np.bool_]) -> "Looks":
        """Those of some of the pictures."""
        return Looks(*(getattr(self, field.name)[rows] for field in fields(self)))

    def hidden(self, limits: VisibilityLimits) -> NDArray[np.bool_]:
        """(N, parts) what `visibility` holds for covered."""
        excess = self.spread / np.array([getattr(limits, kind_of(part)) for part in ALL_PARTS], np.float32)
        surely = (self.presence < limits.presence - SURELY_COVERED)[:, None] & (excess == excess.max(1, keepdims=True))
        result: NDArray[np.bool_] = ((excess > 1) & (self.presence < limits.presence)[:, None]) | surely
        if limits.half_mouth > 0:
            most, least = self.halves.max(1), self.halves.min(1)
            uneven = (most > limits.half_mouth) & (most > UNEVEN * least) & (self.presence < limits.half_presence)
            result[:, ALL_PARTS.index("mouth")] |= uneven
        return result


def square(picture: U8, points: F32) -> tuple[U8, F32]:
    """The upright face with some room around it, and its points in pixels of that picture."""
    matrix = crop_matrix(*square_from_points(points, 1.9), SIZE)
    cut = cv2.warpAffine(picture, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, np.uint8), transform(points, matrix).astype(np.float32)


def covers(points: F32, rng: np.random.Generator) -> Iterator[U8]:
    """Masks (SIZE, SIZE), 255 where something is in front: a hand at each part, a mask over mouth and chin, dark glasses."""
    span = wflw.interocular(points)
    for part in ("mouth", "mouth", rng.choice(["left eye", "right eye"]), rng.choice(["left brow", "right brow"])):
        middle = points[POINTS[part]].mean(0) + rng.normal(0, 0.12, 2) * span
        yield hand_mask(rng, SIZE, middle.astype(np.float32), float(rng.uniform(0.5, 0.95)) * span)
    mask = np.zeros((SIZE, SIZE), np.uint8)
    cv2.fillPoly(mask, [np.concatenate([points[4:29], points[53:54]]).astype(np.int32)], 255, cv2.LINE_AA)
    yield mask
    glasses = np.zeros((SIZE, SIZE), np.uint8)
    turn = float(np.degrees(np.arctan2(*(points[97] - points[96])[::-1])))
    for eye in points[[96, 97]]:
        axes = (int(span * rng.uniform(0.22, 0.3)), int(span * rng.uniform(0.16, 0.24)))
        cv2.ellipse(glasses, tuple(np.rint(eye).astype(int).tolist()), axes, turn, 0, 360, 255, -1, cv2.LINE_AA)
    yield glasses


def covered_by(picture: U8, mask: U8, rng: np.random.Generator) -> U8:
    """The picture with something of one shaded colour in front: skin as often as not."""
    tone = SKIN[rng.integers(len(SKIN))] if rng.random() < 0.5 else rng.uniform(0, 255, 3)
    fill = tone * soft_light(rng, SIZE)
    alpha = mask[..., None].astype(np.float32) / 255
    result: U8 = np.clip(picture + (fill - picture) * alpha, 0, 255).astype(np.uint8)
    return result


def look(model: LandmarkModel, faces: FaceSet, most: int, seed: int) -> Looks:
    """Each face clear and covered seven ways, fingers last, at most so many faces."""
    rng, of_fingers = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    presence, spread, covered, halves, fingers = [], [], [], [], []
    for i in rng.permutation(len(faces))[:most]:
        clear, points = square(faces.pictures[i], faces.points[i].astype(np.float32))
        crop = crop_from_points(points, model.contract)
        masks = [np.zeros((SIZE, SIZE), np.uint8), *covers(points, rng)]
        masks.append(finger_mask(of_fingers, SIZE, (points[OUTER_LIPS] + 0.5) / SIZE))
        for number, mask in enumerate(masks):
            with_fingers = number == len(masks) - 1
            found = model.locate(
                covered_by(clear, mask, of_fingers if with_fingers else rng) if mask.any() else clear, crop
            )
            if found.covariance is None or found.presence is None:
                raise SystemExit("the network says neither how sure a point is nor whether there is a face")
            distance = eye_distance(found.points, estimate_pose(found.points))
            own = spreads(found.covariance, distance)
            at = np.clip(np.rint(points), 0, SIZE - 1).astype(int)
            over = mask[at[:, 1], at[:, 0]] > 127
            presence.append(found.presence)
            spread.append([own[part] for part in ALL_PARTS])
            covered.append([over[POINTS[part]].mean() for part in ALL_PARTS])
            halves.append(mouth_halves(found.covariance, distance))
            fingers.append(with_fingers)
    seen, wide, over_parts, of_halves = (np.array(one, np.float32) for one in (presence, spread, covered, halves))
    return Looks(seen, wide, over_parts, of_halves, np.array(fingers))


def mistaken(looks: Looks, limits: VisibilityLimits) -> float:
    """Share of the clear faces of which a part is held for covered."""
    clear = ~looks.covered.any(1)
    return float(looks.hidden(limits)[clear].any(1).mean())


def found(looks: Looks, limits: VisibilityLimits) -> dict[str, float]:
    """Share of the covered parts that are found, by kind; and of parts that something else's cover leaves clear, held for covered."""
    if looks.fingers.any():
        return found(looks.of(~looks.fingers), limits) | {"fingers": fingers_found(looks.of(looks.fingers), limits)}
    hidden, out = looks.hidden(limits), {}
    for kind in KINDS:
        own = np.array([kind_of(part) == kind for part in ALL_PARTS])
        out[kind] = float(hidden[:, own][looks.covered[:, own] >= COVERED].mean())
    beside = (looks.covered <= TOUCHED) & (looks.covered >= COVERED).any(1, keepdims=True)
    out["beside"] = float(hidden[beside].mean())
    return out


def fingers_found(looks: Looks, limits: VisibilityLimits) -> float:
    """Share of the mouths with fingers on them that are held for covered."""
    return float(looks.hidden(limits)[:, ALL_PARTS.index("mouth")].mean())


def choose_half(looks: Looks, limits: VisibilityLimits, allowed: float) -> VisibilityLimits:
    """These limits with the one of half a mouth: it finds most mouths behind fingers, and mistakes at most so many further clear faces."""
    own, plain = looks.of(looks.fingers), mistaken(looks, replace(limits, half_mouth=0.0))
    best, chosen = -1.0, replace(limits, half_mouth=0.0)
    for presence, half in product(HALF_PRESENCES, LIMITS):
        one = replace(limits, half_mouth=half, half_presence=presence)
        if mistaken(looks, one) <= plain + allowed and fingers_found(own, one) > best:
            best, chosen = fingers_found(own, one), one
    return chosen


def choose(looks: Looks, now: VisibilityLimits, allowed: float) -> VisibilityLimits:
    """The limits that find most covered parts, the three kinds alike, with at most so many clear faces mistaken.

    What lies beside a covered part and is lost with it counts against them. Each kind may mistake as many as all of them may, or, where
    their sum is too great, a half or a third of that.
    """
    best, chosen = -1.0, now
    nothing = dict.fromkeys(KINDS, math.inf)
    for presence, part in product(PRESENCES, (1, 1 / 2, 1 / 3)):
        limits = replace(now, presence=presence)
        for kind in KINDS:
            alone = [replace(limits, **(nothing | {kind: limit})) for limit in LIMITS]
            kept = [one for one in alone if mistaken(looks, one) <= allowed * part]
            if not kept:
                break
            finest = max(kept, key=lambda one: worth(looks, one))
            limits = replace(limits, **{kind: getattr(finest, kind)})
        else:
            if mistaken(looks, limits) <= allowed and worth(looks, limits) > best:
                best, chosen = worth(looks, limits), limits
    return chosen


def worth(looks: Looks, limits: VisibilityLimits) -> float:
    """What `choose` makes as great as it can."""
    shares = found(looks, limits)
    return sum(shares[kind] for kind in KINDS) / len(KINDS) - shares["beside"]


def report(title: str, looks: Looks, limits: VisibilityLimits) -> str:
    """One line."""
    shares = found(looks, limits)
    names = ", ".join(f"{kind} {100 * share:.1f}" for kind, share in shares.items() if kind != "beside")
    return (
        f"{title}: clear faces that lose a part {100 * mistaken(looks, limits):.2f} %; covered parts found: {names} %; "
        f"clear parts beside them lost {100 * shares['beside']:.1f} %"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that tools.data.collages wrote")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="folder with manifest.toml")
    parser.add_argument("--faces", type=int, default=900, help="photographs for training that are looked at")
    parser.add_argument("--mistaken", type=float, default=0.005, help="share of clear faces that may lose a part")
    options = parser.parse_args(arguments)
    registry = Registry(options.weights)
    model = landmark_model(registry.open(registry.manifest.find("landmarks")))
    now = model.contract.visibility
    training = look(model, load_photographs(options.data, "train"), options.faces, 1)
    held = look(model, load_photographs(options.data, "held"), options.faces, 2)
    parts = choose(training.of(~training.fingers), replace(now, half_mouth=0.0), options.mistaken)
    limits = choose_half(training, parts, options.mistaken)
    for title, looks in (("training", training), ("held out", held)):
        print(report(f"{title}, the manifest's limits", looks, now))
        print(report(f"{title}, chosen limits", looks, limits))
    print(
        f"covered_below_presence = {limits.presence:g}, covered_mouth = {limits.mouth:.4g}, "
        f"covered_eye = {limits.eye:.4g}, covered_brow = {limits.brow:.4g}, "
        f"covered_half_mouth = {limits.half_mouth:.4g}, covered_half_below_presence = {limits.half_presence:g}"
    )


if __name__ == "__main__":
    guarded(main)
