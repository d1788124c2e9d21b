"""Figures on real people: `python -m tools.evaluate real --data FOLDER`, the folder of `tools.data.london`.

Photographs of 71 people with hand-placed points, 51 of them smiling as well. Half smiles are the left half of one picture beside the
right half of the other; shut eyes are warps of the photograph (`tools.data.winks`), so the truth is known on both sides. The people
whom training may see and the others are reported apart; only the figures of the others are judged. Points are those of `FaceAnalyzer`:
means of three crops and their mirror images. At the end each neutral photograph is cut close to the face and through it (`landmark_cuts`).
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from realtime.action_units.model import ActionUnits
from realtime.action_units.running_baseline import RunningBaseline, unrest
from realtime.analyze.models import action_units, landmark_model
from realtime.models import Registry
from realtime.types import Sides
from tools.data.half_smiles import half_smile
from tools.data.london_labels import Labelled, labelled
from tools.evaluate.figures import Figure, Options, auc
from tools.evaluate.landmark_cuts import cut_figures
from tools.evaluate.real_pictures import Seen, Viewer, resting, wink_pictures
from tools.evaluate.real_points import point_figures
from tools.train.action_units.table import UNITS

F32 = NDArray[np.float32]
PART = "real"
SMILE_UNITS = (6, 12, 25)
QUIET_UNITS = (7, 9, 10, 15, 17, 20, 23)
"""Units that neither rest nor a posed smile has much of; what they read there is crosstalk."""
LID = UNITS.index(45)


def measure(options: Options) -> list[Figure]:
    """All figures of this part."""
    registry = Registry(options.weights)
    model = landmark_model(registry.open(registry.manifest.find("landmarks")), mirror_average="some", crop_average=3)
    spec = registry.manifest.find("action-units")
    session = registry.open(spec)
    viewer = Viewer(model, ActionUnits(session.run, UNITS, identity=spec.sha256))
    listed = action_units(session).units
    everybody = labelled(options.data, options.shared, options.weights / "retinaface.onnx")
    out = []
    for training, who in ((False, "others"), (True, "seen in training")):
        faces = [face for face in everybody if face.portrait.training is training]
        out += point_figures(viewer, faces, who, judged=not training)
        out += unit_figures(viewer, faces, who, judged=not training)
    calm = [face.portrait.picture for face in everybody if not face.portrait.smiling]
    return out + rest_figures(viewer, everybody, listed) + cut_figures(options.weights, calm)


def unit_figures(viewer: Viewer, faces: Sequence[Labelled], who: str, *, judged: bool) -> list[Figure]:
    """Action Units of strangers, smiles, half smiles, winks and mirror images. judged: against the aims."""
    neutral = {f.portrait.person: f for f in faces if not f.portrait.smiling}
    pairs = [(neutral[f.portrait.person], f) for f in faces if f.portrait.smiling and f.portrait.person in neutral]
    strangers = {name: viewer.face(f.portrait.picture, f.points) for name, f in neutral.items()}
    out = stranger_figures(strangers, neutral, who)
    out += smile_figures(viewer, pairs, who)
    at_rest = np.array([s.values for s in strangers.values()])
    for unit in QUIET_UNITS:
        high = 100 * float((at_rest[:, :, UNITS.index(unit)] > 1).any(1).mean())
        out.append(Figure(PART, f"{who}: strangers at rest, AU{unit:02d} above 1", high, "%", cases=len(at_rest)))
    out += wink_figures(viewer, list(neutral.values()), who, judged=judged)
    differences = [viewer.mirror_difference(f.portrait.picture, f.points) for f in faces]
    apart = np.concatenate(differences)
    aim = 0.15 if judged else None
    name = f"{who}: mirror image, a stranger's units, 95 % within"
    return [*out, Figure(PART, name, float(np.percentile(apart, 95)), at_most=aim, cases=apart.size)]


def rest_figures(viewer: Viewer, faces: Sequence[Labelled], listed: Sequence[int]) -> list[Figure]:
    """What the running baseline makes of everybody's pictures: which are admitted as rest, and which of two is the calmer.

    listed: the units that are measured; the others have no say in it.
    """
    judge = RunningBaseline()
    found: dict[bool, dict[str, Sides[dict[int, float]]]] = {False: {}, True: {}}
    for face in faces:
        values = viewer.face(face.portrait.picture, face.points).values
        sides = Sides(*({u: float(side[UNITS.index(u)]) for u in listed} for side in values))
        found[face.portrait.smiling][face.portrait.person] = sides
    out = []
    for smiling, name in ((False, "neutral"), (True, "smiling")):
        pictures = list(found[smiling].values())
        share = 100 * float(np.mean([judge.weight(sides) > 0 for sides in pictures]))
        out.append(Figure(PART, f"everybody: {name} pictures admitted as rest", share, "%", cases=len(pictures)))
    both = [name for name in found[True] if name in found[False]]
    calmer = 100 * float(np.mean([unrest(found[False][n]) < unrest(found[True][n]) for n in both]))
    highest = [max(max(side.values()) for side in sides) for sides in found[False].values()]
    return [
        *out,
        Figure(PART, "everybody: the neutral picture is the calmer of two", calmer, "%", cases=len(both)),
        Figure(PART, "everybody: at rest, 95 % read at most", float(np.percentile(highest, 95)), cases=len(highest)),
    ]


def stranger_figures(strangers: dict[str, Seen], neutral: dict[str, Labelled], who: str) -> list[Figure]:
    """How often a face at rest, of whom nothing is known, reads 12 or 45 above 1, by group."""
    out = []
    groups = sorted({f.portrait.ethnicity for f in neutral.values()})
    for group in ("all", *groups):
        values = np.array([s.values for n, s in strangers.items() if group in ("all", neutral[n].portrait.ethnicity)])
        for unit in (12, 45):
            high = 100 * float((values[:, :, UNITS.index(unit)] > 1).any(1).mean())
            out.append(
                Figure(PART, f"{who}: strangers at rest, AU{unit} above 1, {group}", high, "%", cases=len(values))
            )
        mean = float(values[:, :, LID].mean())
        out.append(Figure(PART, f"{who}: strangers at rest, AU45 mean, {group}", mean, cases=len(values)))
    return out


def smile_figures(viewer: Viewer, pairs: Sequence[tuple[Labelled, Labelled]], who: str) -> list[Figure]:
    """Smiles beside rest: how surely told, how unlike on both sides; and half of each in one picture."""
    rests, smiles, halves = [], [], []
    for calm, smiling in pairs:
        rest = resting(viewer, calm.portrait.picture, calm.points)
        rests.append(viewer.face(calm.portrait.picture, calm.points, rest, seed=9).values)
        smiles.append(viewer.face(smiling.portrait.picture, smiling.points, rest).values)
        for side in (0, 1):
            picture, points = half_smile(calm, smiling, side)
            values = viewer.face(picture, points, rest).values
            halves.append(values if side == 0 else values[::-1])
    rest_values, smile, half = np.array(rests), np.array(smiles), np.array(halves)
    out = []
    for unit in SMILE_UNITS:
        k = UNITS.index(unit)
        told = auc(smile[:, :, k].mean(1), rest_values[:, :, k].mean(1))
        out.append(
            Figure(PART, f"{who}: AU{unit:02d}, smile against rest, area under the curve", told, cases=len(smile))
        )
        uneven = float(np.abs(smile[:, 0, k] - smile[:, 1, k]).mean())
        level = float(smile[:, :, k].mean())
        out.append(Figure(PART, f"{who}: AU{unit:02d}, smile, mean", level, cases=len(smile)))
        out.append(
            Figure(PART, f"{who}: AU{unit:02d}, smile, mean difference left from right", uneven, cases=len(smile))
        )
        own, other = float(half[:, 0, k].mean()), float(half[:, 1, k].mean())
        out.append(Figure(PART, f"{who}: AU{unit:02d}, half a smile, its side", own, cases=len(half)))
        out.append(Figure(PART, f"{who}: AU{unit:02d}, half a smile, the other side", other, cases=len(half)))
    for unit in QUIET_UNITS:
        level = float(smile[:, :, UNITS.index(unit)].mean())
        out.append(Figure(PART, f"{who}: AU{unit:02d} in a smile, mean", level, cases=len(smile)))
    k = UNITS.index(12)
    right = 100 * float((half[:, 0, k] > half[:, 1, k]).mean())
    out.append(Figure(PART, f"{who}: AU12, half a smile, higher on its side", right, "%", cases=len(half)))
    return out


def wink_figures(viewer: Viewer, calm: Sequence[Labelled], who: str, *, judged: bool) -> list[Figure]:
    """One eye shut, gently and squeezed, with the rest known and as a stranger; both eyes shut; each eye half shut."""
    out, tight = [], {}
    for kind in ("gentle", "squeezed", "half shut", "both shut"):
        known, strange, opened, before = [], [], [], []
        for number, face in enumerate(calm):
            rest = resting(viewer, face.portrait.picture, face.points)
            still = viewer.face(face.portrait.picture, face.points).opening
            for side, picture, points in wink_pictures(face, kind, seed=number):
                turned: Callable[[F32], F32] = (lambda v: v) if side == 0 else (lambda v: v[::-1])
                seen = viewer.face(picture, points, rest)
                known.append(turned(seen.values))
                strange.append(turned(viewer.face(picture, points).values))
                opened.append(turned(seen.opening))
                before.append(turned(still))
        tight[kind] = np.array(known)[:, 0, UNITS.index(7)]
        openings = (np.array(opened) / np.maximum(np.array(before), 1e-3)).astype(np.float32)
        out += closing_figures(f"{who}: {kind}", np.array(known), np.array(strange), openings, kind, judged=judged)
    told = auc(tight["squeezed"], tight["gentle"])
    name = f"{who}: AU07 of the shut eye, squeezed against gentle, area under the curve"
    return [*out, Figure(PART, name, told, cases=len(tight["gentle"]))]


def closing_figures(name: str, known: F32, strange: F32, openings: F32, kind: str, *, judged: bool) -> list[Figure]:
    """Of faces whose first side is shut: AU 45 and the share of the normal opening that the points show, on either side."""
    n = len(known)
    shut, other = known[:, 0, LID], known[:, 1, LID]
    out = [
        Figure(PART, f"{name}: AU45 of the shut eye", float(shut.mean()), cases=n),
        Figure(PART, f"{name}: AU45 of the other eye", float(other.mean()), cases=n),
        Figure(PART, f"{name}: points' opening of the shut eye, of normal", float(openings[:, 0].mean()), cases=n),
        Figure(PART, f"{name}: points' opening of the other eye, of normal", float(openings[:, 1].mean()), cases=n),
    ]
    if kind == "both shut":
        return out
    right = 100 * float((shut > other).mean())
    unknown = 100 * float((strange[:, 0, LID] > strange[:, 1, LID]).mean())
    aims = (100.0, 3.0) if judged and kind != "half shut" else (None, None)
    times = float(shut.mean() / max(float(other.mean()), 1e-3))
    return [
        *out,
        Figure(PART, f"{name}: the shut eye reads higher", right, "%", at_least=aims[0], cases=n),
        Figure(PART, f"{name}: the shut eye reads higher, of a stranger", unknown, "%", cases=n),
        Figure(PART, f"{name}: AU45 of the shut eye over the other's", times, "times", at_least=aims[1], cases=n),
    ]
