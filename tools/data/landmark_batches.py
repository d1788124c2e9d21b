"""Batches for the landmark network: photographs, rendered faces and crops without a face, mixed and degraded at random."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from tools.data.crops import SIZE, Sample, Strength, sample_face
from tools.data.negatives import plain_nothing, sample_nothing
from tools.data.own_answers import OwnAnswers
from tools.data.points98 import MIRROR, crop_matrix, eye_opening, square_from_box, square_from_points, transform

U8 = NDArray[np.uint8]
Floats = NDArray[np.floating[Any]]
Square = tuple[NDArray[np.float64], float, float]


@dataclass(frozen=True)
class FaceSet:
    """Pictures (BGR) with their points, the trust in each point, and every face square a picture is known to show."""

    name: str
    pictures: list[U8]
    points: Floats
    trust: Floats
    squares: list[list[Square]]
    strength: Strength
    share: float
    draw: Floats
    """Probability of each picture: unusual shapes (turned heads, open mouths, closed eyes) come up more often."""
    person: NDArray[np.int64] | None = None
    """(N,) whose picture each is, where pictures of one person are drawn two by two; None where each is drawn by itself."""

    def __len__(self) -> int:
        return len(self.pictures)


def rarity(points: Floats) -> Floats:
    """Drawing probabilities (N,) of faces (N, 98, 2): in proportion to how far each upright shape lies from the mean shape."""
    upright = np.stack([transform(p, crop_matrix(*square_from_points(p), 1)) for p in points])
    apart = np.sqrt(((upright - upright.mean(0)) ** 2).sum(-1).mean(1))
    weight = np.clip(apart / np.median(apart), 0.6, 3.0)
    result: Floats = weight / weight.sum()
    return result


def load_photographs(folder: Path, split: str, share: float = 1.0) -> FaceSet:
    """The usable crops of `tools.data.collages` of one split, with the squares of neighbouring faces."""
    index = dict(np.load(folder / "faces" / "index.npz"))
    wanted = index["usable"] | (index["turned"] if split == "train" else False)
    rows = np.flatnonzero(wanted & (index["split"] == split))
    pictures = [np.asarray(cv2.imread(str(folder / "faces" / str(index["name"][i])))) for i in rows]
    squares: list[list[Square]] = []
    for i in rows:
        box, scale = index["collage_box"][i], float(index["scale"][i])
        # The crop's origin in the collage, from the two places that the same box has.
        low = box[:2] - index["box"][i][:2] / scale
        near = np.flatnonzero(index["collage"] == index["collage"][i])
        around = []
        for j in near:
            other = (index["collage_box"][j].reshape(2, 2) - low).reshape(4) * scale
            five = (
                index["five"][j] / index["scale"][j]
                + index["collage_box"][j][:2]
                - index["box"][j][:2] / index["scale"][j]
                - low
            ) * scale
            if other[2] > 0 and other[3] > 0 and other[0] < LONGEST_SEEN and other[1] < LONGEST_SEEN:
                around.append(square_from_points(index["points"][i]) if j == i else square_from_box(other, five))
        squares.append(around)
    points, trust = index["points"][rows], index["trust"][rows].copy()
    if split == "train":
        trust[:, LIDS] *= np.where(eye_opening(points).min(1) < SHUT, SHUT_LID_TRUST, LID_TRUST)[:, None]
    return FaceSet("photographs", pictures, points, trust, squares, PHOTOGRAPHS, share, rarity(points))


PHOTOGRAPHS = Strength(wink=0.25, occlude=0.5, fingers=0.08, few=0.12)
"""How photographs are degraded for training."""


LID_TRUST, SHUT_LID_TRUST = 1.0, 0.15
"""Trust in the teachers' eyelids on photographs: they mark open eyes as people do (`labels` raises lower lids) and open shut ones."""
SHUT = 0.18
"""Eye opening, as the teachers see it, below which their lids are not to be trusted."""
LIDS = [61, 62, 63, 65, 66, 67, 69, 70, 71, 73, 74, 75]

LONGEST_SEEN = 400
"""No stored crop is larger, so faces that begin beyond are not in it."""


def load_rendered(
    folder: Path, split: str, share: float = 1.0, limit: int | None = None, kind: str = "synth"
) -> FaceSet | None:
    """The pre-rendered heads of `tools.synth` with exact points; None where there are none yet."""
    from tools.data.rendered import read_rendered

    found = read_rendered(folder, split, limit, kind)
    if found is None:
        return None
    pictures, points, trust = found
    squares = [[square_from_points(p)] for p in points]
    strength = Strength(bend=0.2, features=0.25, tear=0.0, occlude=0.1, paint=0.15, spoil=0.15, wink=0.12)
    # Few rendered heads must not be shown too often: the full share is for 2,000 and more.
    share *= min(1.0, len(pictures) / 2000)
    return FaceSet("rendered", pictures, points, trust, squares, strength, share, rarity(points))


def load_people(files: list[Path], share: float) -> FaceSet:
    """People of `tools.train.action_units.pictures`, at rest and moving: two pictures of one person are drawn together.

    Smiles come up more often the farther they go: some 4 % of the pictures of `--seated` people go far, and a third of those drawn.
    """
    from tools.data.rendered import HIDDEN_TRUST
    from tools.synth.kit import EXPRESSION_INDEX
    from tools.synth.make import read_shard

    shards = [read_shard(file) for file in files]
    pictures = [picture for shard in shards for picture in shard["image"]]
    points = np.concatenate([shard["points"] for shard in shards]).astype(np.float32)
    visible = np.concatenate([shard["visible"] for shard in shards])
    smile = np.concatenate([shard["expression"] for shard in shards])[
        :, [EXPRESSION_INDEX["mouthSmile_L"], EXPRESSION_INDEX["mouthSmile_R"]]
    ].max(1)
    person = np.concatenate([shard["person"].astype(np.int64) + 1_000_000 * i for i, shard in enumerate(shards)])
    draw = rarity(points) * (0.25 + 6.0 * smile**2)
    # Nothing was hidden or degraded when these were rendered.
    strength = Strength(bend=0.1, features=0.1, tear=0.0, occlude=0.12, paint=0.1, spoil=0.6, cut=0.03, wink=0.06)
    return FaceSet(
        "people",
        pictures,
        points,
        np.where(visible, 1.0, HIDDEN_TRUST).astype(np.float32),
        [[square_from_points(p)] for p in points],
        strength,
        share,
        draw / draw.sum(),
        person,
    )


class LandmarkBatches(torch.utils.data.IterableDataset[dict[str, Any]]):
    """Endless batches: crop (N, 112, 112, 3) uint8 BGR, points (N, 98, 2), weight (N, 98), presence (N,), rendered (N,).

    pair (N,): the place in the batch of another picture of the same person, mirrored alike; -1 where there is none.

    Args:
        sets: what is drawn from.
        batch: samples a batch.
        nothing: share of samples without a face.
        seed: of all that is drawn.
        own: an exported landmark network and the share of the way by which photographs' labels are moved to its own mean answers
            (`OwnAnswers`); None: labels stay. Rendered faces' labels are exact and stay.
    """

    def __init__(
        self, sets: list[FaceSet], batch: int, nothing: float, seed: int, own: tuple[Path, float] | None = None
    ) -> None:
        self._sets = sets
        self._own = own
        self._answers: OwnAnswers | None = None
        self._batch = batch
        self._nothing = nothing
        self._seed = seed

    def sample(self, rng: np.random.Generator) -> list[tuple[Sample, bool]]:
        """One sample, or two of one person, each with whether it was rendered."""
        shares = np.array([s.share for s in self._sets])
        faces = self._sets[int(rng.choice(len(shares), p=shares / shares.sum()))]
        i = int(rng.choice(len(faces), p=faces.draw))
        if rng.random() < self._nothing:
            if rng.random() < 0.3:
                return [(plain_nothing(rng), False)]
            return [(sample_nothing(faces.pictures[i], faces.squares[i], rng), False)]
        rows, mirror = [i], bool(rng.random() < 0.5)
        if faces.person is not None:
            others = np.flatnonzero(faces.person == faces.person[i])
            rows += [int(rng.choice(others[others != i]))] if len(others) > 1 else []
        out = []
        for row in rows:
            other = self._patch(rng) if rng.random() < 0.4 else None
            picture, points, trust = faces.pictures[row], faces.points[row], faces.trust[row]
            drawn = sample_face(picture, points, trust, rng, faces.strength, other, mirror)
            exact = faces.name in ("rendered", "people")
            if self._answers is not None and not exact:
                taught = self._answers.taught(
                    drawn.clear, drawn.points * SIZE - 0.5, trust[MIRROR] if drawn.mirrored else trust
                )
                drawn = replace(drawn, points=((taught + 0.5) / SIZE).astype(np.float32))
            out.append((drawn, exact))
        return out

    def _patch(self, rng: np.random.Generator) -> U8:
        """A piece of any picture, resized to a crop: a texture for occluders."""
        faces = self._sets[int(rng.integers(len(self._sets)))]
        picture = faces.pictures[int(rng.integers(len(faces)))]
        side = int(rng.uniform(0.2, 0.9) * min(picture.shape[:2]))
        y, x = (int(rng.integers(0, n - side + 1)) for n in picture.shape[:2])
        result: U8 = cv2.resize(picture[y : y + side, x : x + side], (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
        return result

    def __iter__(self) -> Iterator[dict[str, Any]]:
        cv2.setNumThreads(1)
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng((self._seed, worker.id if worker else 0))
        # Opened here, after the fork: a session does not survive one.
        self._answers = OwnAnswers(*self._own) if self._own else None
        while True:
            drawn, pair = self._together(rng)
            samples = [s for s, _ in drawn]
            yield {
                "crop": torch.from_numpy(np.stack([s.crop for s in samples])),
                "points": torch.from_numpy(np.stack([s.points for s in samples])),
                "weight": torch.from_numpy(np.stack([s.weight for s in samples])),
                "presence": torch.tensor([s.presence for s in samples], dtype=torch.float32),
                "rendered": torch.tensor([r for _, r in drawn]),
                "pair": torch.tensor(pair),
            }

    def _together(self, rng: np.random.Generator) -> tuple[list[tuple[Sample, bool]], list[int]]:
        drawn: list[tuple[Sample, bool]] = []
        pair: list[int] = []
        while len(drawn) < self._batch:
            new = self.sample(rng)[: self._batch - len(drawn)]
            pair += [-1] if len(new) == 1 else [len(drawn) + 1, len(drawn)]
            drawn += new
        return drawn, pair
