"""Held-out faces by which a training of the landmark network is watched."""

import cv2
import numpy as np
import torch
from torch import Tensor

from tools.data.crops import SIZE
from tools.data.landmark_batches import FaceSet
from tools.data.points98 import crop_matrix, eye_opening, nme, square_from_points, transform
from tools.networks.starlite import StarLite


def to_input(crops: Tensor) -> Tensor:
    """BGR uint8 (N, 112, 112, 3) to RGB -1..1 (N, 3, 112, 112)."""
    return (crops.flip(-1).permute(0, 3, 1, 2).float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


class ValidationSet:
    """Held-out faces in crops as a tracker makes them, always the same ones."""

    def __init__(self, faces: FaceSet, views: int, seed: int = 7) -> None:
        rng = np.random.default_rng(seed)
        crops, truth = [], []
        for picture, points in zip(faces.pictures, faces.points, strict=True):
            centre, side, roll = square_from_points(points)
            for _ in range(views):
                shift = rng.uniform(-0.07, 0.07, 2) * side
                matrix = crop_matrix(
                    centre + shift, side * rng.uniform(0.9, 1.15), roll + rng.uniform(-0.25, 0.25), SIZE
                )
                crops.append(cv2.warpAffine(picture, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR))
                truth.append(transform(points, matrix))
        self._crops = torch.from_numpy(np.stack(crops))
        self._truth = np.stack(truth)

    @torch.no_grad()
    def figures(self, network: StarLite, device: torch.device, prefix: str) -> dict[str, float]:
        """Mean and median NME in percent, and the mean error of the eye opening."""
        network.eval()
        found = [network(to_input(part).to(device))[0].cpu().numpy() for part in self._crops.split(64)]
        points = np.concatenate(found) * SIZE - 0.5
        errors = 100 * nme(points, self._truth)
        lids = np.abs(eye_opening(points) - eye_opening(self._truth)).mean()
        return {
            f"{prefix} NME": float(errors.mean()),
            f"{prefix} median": float(np.median(errors)),
            f"{prefix} lids": float(lids),
        }
