"""The Action Unit network: one side of the face at a time, from points and from an aligned grey picture."""

from pathlib import Path

import onnx
import onnxruntime as ort
import torch
from torch import Tensor, nn

from realtime.errors import ModelFileError
from realtime.measure.action_units import EYE, FEATURES, FULL, MOUTH, POINT_FEATURES

PARITY = 1e-4


def _conv(a: int, b: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(a, b, 3, stride=2, padding=1), nn.BatchNorm2d(b), nn.ReLU())


class ActionUnitNet(nn.Module):
    """(N, FEATURES) to (N, units): intensity 0..5 of the side that the features describe as the patient's left.

    mean, spread: (POINT_FEATURES,) by which point features are made comparable; part of the network.
    """

    def __init__(self, units: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(POINT_FEATURES))
        self.register_buffer("spread", torch.ones(POINT_FEATURES))
        self.eye = nn.Sequential(_conv(1, 16), _conv(16, 32), _conv(32, 48), nn.Flatten())
        self.mouth = nn.Sequential(_conv(1, 16), _conv(16, 32), _conv(32, 48), nn.Flatten())
        eye, mouth = (48 * -(-h // 8) * -(-w // 8) for h, w in (EYE, MOUTH))
        self.seen = nn.Sequential(nn.Dropout(0.2), nn.Linear(eye + mouth, 96), nn.ReLU(), nn.Dropout(dropout))
        self.placed = nn.Sequential(nn.Dropout(0.2), nn.Linear(POINT_FEATURES, 64), nn.ReLU(), nn.Dropout(dropout))
        self.judge = nn.Sequential(nn.Linear(160, 96), nn.ReLU(), nn.Dropout(dropout), nn.Linear(96, units))

    def forward(self, features: Tensor) -> Tensor:
        """Not clipped: gradients live on beyond the ends of the scale."""
        area = EYE[0] * EYE[1]
        points, eye, mouth = features.split([POINT_FEATURES, area, features.shape[1] - POINT_FEATURES - area], dim=1)
        looks = [self.eye(eye.reshape(-1, 1, *EYE)), self.mouth(mouth.reshape(-1, 1, *MOUTH))]
        placed = self.placed((points - self.mean) / self.spread)
        return self.judge(torch.cat([self.seen(torch.cat(looks, dim=1)), placed], dim=1))


class _Clipped(nn.Module):
    def __init__(self, network: ActionUnitNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, features: Tensor) -> Tensor:
        return self.network(features).clamp(0.0, FULL)


def export(network: ActionUnitNet, file: Path) -> float:
    """Write ONNX (input "features" (2, FEATURES), output "intensity" (2, units), clipped to 0..5); gives the largest difference.

    Raises:
        ModelFileError: the file does not give what PyTorch gives, within 1e-4.
    """
    clipped = _Clipped(network).eval()
    example = torch.randn(2, FEATURES)
    file.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        clipped,
        (example,),
        str(file),
        input_names=["features"],
        output_names=["intensity"],
        opset_version=17,
        dynamo=False,
        do_constant_folding=True,
    )
    onnx.checker.check_model(onnx.load(str(file)))
    session = ort.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        wanted = clipped(example).numpy()
    difference = float(abs(session.run(None, {"features": example.numpy()})[0] - wanted).max())
    if difference > PARITY:
        raise ModelFileError(f"{file} differs from PyTorch by {difference:.2g}, more than {PARITY:g}.")
    return difference
