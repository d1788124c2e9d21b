"""Small STAR checkpoints with random weights, made once per run."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def star_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A STAR of two stacks in the release's wrapping; weights drawn, statistics as drawn (no settling: that takes time)."""
    pytest.importorskip("torch")
    import torch

    from tools.networks import star

    torch.manual_seed(3)
    network = star.StackedHourglass(98, stacks=2)
    for head in network.out_pointmaps:
        head.conv.weight.data.mul_(4)
    path = tmp_path_factory.mktemp("star") / "Landmark_98.pkl"
    torch.save({"net": {f"module.{key}": value for key, value in network.state_dict().items()}, "epoch": 1}, path)
    return path


@pytest.fixture(scope="session")
def star_tier1(star_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its first stack as ONNX."""
    pytest.importorskip("onnx")
    from tools.export import networks

    out = tmp_path_factory.mktemp("export") / "star1.onnx"
    networks.export("star", star_checkpoint, out, stacks=1)
    return out


@pytest.fixture
def face_folder(tmp_path: Path) -> Path:
    """Two smooth pictures to calibrate with and compare on."""
    import cv2
    import numpy as np

    generator = np.random.default_rng(4)
    folder = tmp_path / "faces"
    folder.mkdir()
    for index in range(2):
        coarse = generator.integers(0, 255, (9, 9, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{index}.png"), cv2.resize(coarse, (200, 180), interpolation=cv2.INTER_CUBIC))
    return folder
