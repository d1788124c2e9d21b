"""The Action Unit network: one side of the face at a time, from points and from an aligned grey picture beside its rest."""

from pathlib import Path

import onnx
import onnxruntime as ort
import torch
from torch import Tensor, nn

from realtime.action_units.baseline import EMBEDDING_SIZE
from realtime.action_units.model import FEATURES, FULL, POINT_FEATURES, REST_FEATURES
from realtime.action_units.rest_frame import EYE, FLOW_FEATURES, MOUTH
from realtime.errors import ModelFileError

PARITY = 1e-4
BOUND = 0.8
"""Looks lie within this of zero, so that a running median by histogram can be taken of them."""


CHANGE = 4.0
"""Changes from rest are small beside the looks themselves: they are given to the judge on a larger scale."""
PLACES = 24
"""Places in a window that the network learns to find for itself."""


def _conv(a: int, b: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU())


class WindowLook(nn.Module):
    """What a window (N, 1, height, width) looks like, (N, EMBEDDING_SIZE / 2): places, and how the rest of it is.

    Places are expectations of softmax maps (Finn et al., "Deep spatial autoencoders", ICRA 2016): a movement of the skin
    shows as a shift of places between two pictures of one person, below a pixel, whoever it is.
    """

    grid: Tensor

    def __init__(self, size: tuple[int, int], dropout: float) -> None:
        super().__init__()
        self.half = False
        """Whether training may take the convolutions in bfloat16: twice as fast where the processor has it."""
        height, width = (-(-n // 4) for n in size)
        self.features = nn.Sequential(_conv(1, 16, 2), _conv(16, 32, 2), _conv(32, 16, 1))
        self.maps = nn.Conv2d(16, PLACES, 1)
        other = EMBEDDING_SIZE // 2 - 2 * PLACES
        self.pooled = nn.Sequential(nn.Conv2d(16, 16, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Dropout(dropout))
        self.other = nn.Sequential(nn.Linear(16 * -(-height // 2) * -(-width // 2), other), nn.Tanh())
        y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
        self.register_buffer("grid", torch.stack([x.flatten(), y.flatten()], 1), persistent=False)

    def forward(self, window: Tensor) -> Tensor:
        """Within BOUND of zero."""
        with torch.autocast(window.device.type, torch.bfloat16, enabled=self.half and self.training):
            seen = self.features(window)
        seen = seen.float()
        places = self.maps(seen).flatten(2).softmax(-1) @ self.grid
        return BOUND * torch.cat([places.flatten(1), self.other(self.pooled(seen))], dim=1)


class ActionUnitNet(nn.Module):
    """(N, FEATURES) to (N, units): intensity 0..5 of the side that the features describe as the patient's left, and its look.

    mean, spread: (POINT_FEATURES,) by which point features are made comparable; part of the network.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, units: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(POINT_FEATURES))
        self.register_buffer("spread", torch.ones(POINT_FEATURES))
        self.eye, self.mouth = WindowLook(EYE, dropout), WindowLook(MOUTH, dropout)
        self.placed = nn.Sequential(nn.Dropout(0.2), nn.Linear(POINT_FEATURES, 128), nn.ReLU(), nn.Dropout(dropout))
        self.flowed = nn.Sequential(nn.Linear(FLOW_FEATURES, 96), nn.ReLU(), nn.Dropout(dropout))
        self.judge = nn.Sequential(
            *(nn.Linear(2 * EMBEDDING_SIZE + 1 + 128 + 96, 256), nn.ReLU(), nn.Dropout(dropout)),
            *(nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, units)),
        )

    def look(self, eye: Tensor, mouth: Tensor) -> Tensor:
        """(N, EMBEDDING_SIZE) of windows (N, 1, *EYE) and (N, 1, *MOUTH)."""
        return torch.cat([self.eye(eye), self.mouth(mouth)], dim=1)

    def read(self, points: Tensor, flow: Tensor, look: Tensor, rest: Tensor, known: Tensor) -> Tensor:
        """Intensities (N, units), not clipped: gradients live on beyond the ends of the scale. known: (N, 1), 0 or 1."""
        placed, flowed = self.placed((points - self.mean) / self.spread), self.flowed(flow)
        return self.judge(torch.cat([look, CHANGE * (look - rest) * known, known, placed, flowed], dim=1))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(intensity, look)."""
        area = EYE[0] * EYE[1]
        points, rest, flow, eye, mouth = features.split(
            [POINT_FEATURES, REST_FEATURES, FLOW_FEATURES, area, MOUTH[0] * MOUTH[1]], dim=1
        )
        look = self.look(eye.reshape(-1, 1, *EYE), mouth.reshape(-1, 1, *MOUTH))
        return self.read(points, flow, look, rest[:, :EMBEDDING_SIZE], rest[:, EMBEDDING_SIZE:]), look


class _Clipped(nn.Module):
    def __init__(self, network: ActionUnitNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        intensity, look = self.network(features)
        return intensity.clamp(0.0, FULL), look


def export(network: ActionUnitNet, file: Path) -> float:
    """Write ONNX: input "features" (2, FEATURES), outputs "intensity" (2, units) within 0..5 and "look" (2, EMBEDDING_SIZE).

    Returns:
        The largest difference from PyTorch.

    Raises:
        ModelFileError: it is above 1e-4.
    """
    clipped = _Clipped(network).eval()
    example = torch.randn(2, FEATURES)
    file.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        clipped,
        (example,),
        str(file),
        input_names=["features"],
        output_names=["intensity", "look"],
        opset_version=17,
        dynamo=False,
        do_constant_folding=True,
    )
    onnx.checker.check_model(onnx.load(str(file)))
    session = ort.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        wanted = [part.numpy() for part in clipped(example)]
    answers = session.run(None, {"features": example.numpy()})
    difference = max(float(abs(a - b).max()) for a, b in zip(answers, wanted, strict=True))
    if difference > PARITY:
        raise ModelFileError(f"{file} differs from PyTorch by {difference:.2g}, more than {PARITY:g}.")
    return difference
