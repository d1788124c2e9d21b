"""Faces as points, for the Action Unit network: exact ones by the thousand, and those our landmark network gives."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.synth.camera import project, rotation, to_camera
from tools.synth.expressions import random_expression
from tools.synth.heads import Head, bank_files, load_head
from tools.synth.kit import EXPRESSION_NAMES, Kit, add_shapes, load_kit
from tools.synth.points import Attachments, PointModel, place, point_model
from tools.synth.raster import vertex_normals
from tools.synth.sampler import random_pose, random_view

F32 = NDArray[np.float32]
_PICTURE = 256


@dataclass(frozen=True, slots=True)
class People:
    """points: (N, 98, 2) px of a 256-px picture. expression: (N, 57). pose: (N, 3) degrees. person: (N,) row of `rest`.

    rest: (P, R, 98, 2) the same person's points at rest, nearly frontal, R times.
    """

    points: F32
    expression: F32
    pose: F32
    person: NDArray[np.intp]
    rest: F32


class PointsOnly:
    """The part of the kit that the 98 points hang on: a twentieth of its vertices, so twenty times as fast."""

    def __init__(self, kit: Kit, brows: list[Attachments]) -> None:
        model = point_model(kit)
        wanted = np.unique(np.concatenate([a.index.ravel() for a in (model.fixed, model.lines, *brows)]))
        beside = np.isin(kit.triangles, np.unique(model.lines.index)).any(axis=1)
        kept = np.unique(np.concatenate([wanted, kit.triangles[beside].ravel()]))
        self._place = np.full(len(kit.neutral), -1, np.int32)
        self._place[kept] = np.arange(len(kept))
        self._neutral = np.ascontiguousarray(kit.neutral[kept])
        self._identity = np.ascontiguousarray(kit.identity[:, kept])
        self._expression = np.ascontiguousarray(kit.expression[:, kept])
        self._triangles = np.ascontiguousarray(self._place[kit.triangles[beside]])
        self._model = PointModel(self._moved(model.fixed), self._moved(model.lines))

    def _moved(self, attachments: Attachments) -> Attachments:
        return Attachments(self._place[attachments.index], attachments.weight)

    def points(
        self, head: Head, identity: F32, expression: F32, pose: tuple[float, float, float], rng: np.random.Generator
    ) -> F32:
        """(98, 2) pixels of this face from a random camera."""
        vertices = self._neutral.copy()
        add_shapes(vertices, self._identity, identity)
        add_shapes(vertices, self._expression, expression)
        matrix = rotation(*pose)
        camera, translation = random_view(rng, matrix, _PICTURE)
        seen = to_camera(vertices, matrix, translation)
        normals = vertex_normals(seen, self._triangles)
        return place(self._model, seen, normals, project(seen, camera), self._moved(head.brows))


def exact_people(bank: Path, *, held_out: bool, people: int, views: int, rests: int, seed: int) -> People:
    """Random people with random faces; deterministic by seed."""
    rng = np.random.default_rng([seed, int(held_out)])
    heads = [load_head(file) for file in bank_files(bank, held_out)]
    mesh = PointsOnly(load_kit(), [head.brows for head in heads])
    points, expressions, poses, rest = [], [], [], []
    nothing = np.zeros(len(EXPRESSION_NAMES), np.float32)
    for _ in range(people):
        head = heads[int(rng.integers(len(heads)))]
        identity = (head.identity + rng.normal(0, 0.4, 100) * (np.arange(100) < 50)).astype(np.float32)
        for _ in range(views):
            expressions.append(random_expression(rng))
            poses.append(random_pose(rng))
            points.append(mesh.points(head, identity, expressions[-1], poses[-1], rng))
        frontal = [tuple(float(a) for a in rng.normal(0, 5, 3)) for _ in range(rests)]
        rest.append([mesh.points(head, identity, nothing, (p[0], p[1], p[2]), rng) for p in frontal])
    return People(
        np.asarray(points, np.float32),
        np.asarray(expressions, np.float32),
        np.asarray(poses, np.float32),
        np.repeat(np.arange(people), views),
        np.asarray(rest, np.float32),
    )
