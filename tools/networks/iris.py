"""The iris network: an upright eye window in, the iris's place and diameter out, with how sure it is; see `realtime.face.iris`."""

from torch import Tensor, nn


def _block(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class IrisNetwork(nn.Module):
    """Six convolutions and two dense layers, 6 million multiplications."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            _block(3, 8, 5, 2), _block(8, 24, 3, 2), _block(24, 40, 3, 2), _block(40, 40), _block(40, 48, 3, 2),
            _block(48, 24, 1),
        )  # fmt: skip
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(24 * 5 * 7, 48), nn.ReLU(inplace=True), nn.Linear(48, 4))

    def forward(self, windows: Tensor) -> Tensor:
        """(N, 4) of (N, 3, 80, 112)."""
        result: Tensor = self.head(self.features(windows))
        return result
