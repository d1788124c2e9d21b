"""The Action Unit network: one side of the face at a time, from points and from an aligned grey picture beside its rest."""

import copy
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime as ort
import torch
from torch import Tensor, nn

from realtime.action_units.baseline import EMBEDDING_SIZE
from realtime.action_units.model import FULL, PICTURE_FEATURES, POINT_FEATURES, REST_FEATURES, STATE_FEATURES
from realtime.action_units.rest_frame import EYE, FLOW_FEATURES, LOWER, MOUTH
from realtime.errors import ModelFileError
from tools.networks.folding import fold_batch_norm
from tools.networks.unfold import normalised, read_initialisers

PARITY = 1e-4
BOUND = 0.8
"""Looks lie within this of zero, so that a running median by histogram can be taken of them."""


CHANGE = 4.0
"""Changes from rest are small beside the looks themselves: they are given to the judge on a larger scale."""
PLACES = 24
"""Places in a window that the network learns to find for itself."""
LOOK = EMBEDDING_SIZE // 4
"""Numbers of one window's look: there are four, the first two of the network itself and one of each branch."""
HIDDEN = 128
"""Numbers in the judge's last layer but one; the branches are given them."""
LOWER_UNITS = (9, 10, 14, 17)
EYE_UNITS = (7,)
"""Units whose intensities the branches correct: those that they read better, of rendered and of real people (see the card)."""
YAW = POINT_FEATURES - 4
"""Where the head's yaw stands in the point features."""
FRONTAL = 0.5
"""Yaw (in units of ANGLE) to which the lower face is corrected in full; at twice as much it is not corrected any more."""


def _conv(a: int, b: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU())


class WindowLook(nn.Module):
    """What a window (N, 1, height, width) looks like, (N, LOOK): places, and how the rest of it is.

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
        other = LOOK - 2 * PLACES
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


class Branch(nn.Module):
    """What a further look at the face adds to the intensities of a few units: nothing at first.

    The network beside it stays as it is while the branch is taught, so that no other unit can become worse.

    Args:
        size: of its window.
        corrected: 1 for units (in the network's order) that it may change, 0 for the others.
        dropout: of the window's look.
    """

    mean: Tensor
    spread: Tensor
    corrected: Tensor

    def __init__(self, size: tuple[int, int], corrected: Sequence[float], dropout: float) -> None:
        super().__init__()
        inputs = 2 + 2 * LOOK + len(corrected) + HIDDEN
        self.look = WindowLook(size, dropout)
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("spread", torch.ones(inputs))
        self.register_buffer("corrected", torch.tensor(corrected, dtype=torch.float32))
        self.judge = nn.Sequential(
            *(nn.Dropout(0.1), nn.Linear(inputs, 128), nn.ReLU(), nn.Dropout(0.2)),
            *(nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, len(corrected))),
        )
        last = self.judge[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def inputs(self, look: Tensor, rest: Tensor, known: Tensor, shape_known: Tensor, found: "Judged") -> Tensor:
        """What the branch's judge is given, before it is made comparable."""
        change = CHANGE * (look - rest) * known
        return torch.cat([known, shape_known, look, change, found.intensity / 2, found.hidden], dim=1)

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, units) to be added to the intensities."""
        added: Tensor = self.judge((inputs - self.mean) / self.spread)
        return added * self.corrected


class Judged(NamedTuple):
    """What the network without its branches makes of a face: (N, units) intensities and (N, HIDDEN) what led to them."""

    intensity: Tensor
    hidden: Tensor


class ActionUnitNet(nn.Module):
    """(N, FEATURES) to (N, units): intensity 0..5 of the side that the features describe as the patient's left, and its look.

    Args:
        units: how many, or which ones: the branches correct those of LOWER_UNITS and EYE_UNITS; all where no names are given.
        dropout: while it is trained.

    mean, spread: (POINT_FEATURES,) by which point features are made comparable; part of the network.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, units: int | Sequence[int], dropout: float = 0.1) -> None:
        super().__init__()
        count = units if isinstance(units, int) else len(units)
        self.register_buffer("mean", torch.zeros(POINT_FEATURES))
        self.register_buffer("spread", torch.ones(POINT_FEATURES))
        self.eye, self.mouth = WindowLook(EYE, dropout), WindowLook(MOUTH, dropout)
        self.placed = nn.Sequential(nn.Dropout(0.2), nn.Linear(POINT_FEATURES, 128), nn.ReLU(), nn.Dropout(dropout))
        self.flowed = nn.Sequential(nn.Linear(FLOW_FEATURES, 96), nn.ReLU(), nn.Dropout(dropout))
        self.judge = nn.Sequential(
            *(nn.Linear(4 * LOOK + 1 + 128 + 96, 256), nn.ReLU(), nn.Dropout(dropout)),
            *(nn.Linear(256, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, count)),
        )

        def branch(size: tuple[int, int], corrected: tuple[int, ...]) -> Branch:
            share = [1.0] * count if isinstance(units, int) else [float(unit in corrected) for unit in units]
            return Branch(size, share, dropout)

        self.more_eye, self.lower = branch(EYE, EYE_UNITS), branch(LOWER, LOWER_UNITS)

    @property
    def branches(self) -> nn.ModuleList:
        """Both branches, to be taught alone."""
        return nn.ModuleList([self.more_eye, self.lower])

    def look(self, eye: Tensor, mouth: Tensor, lower: Tensor) -> Tensor:
        """(N, EMBEDDING_SIZE) of windows (N, 1, *EYE), (N, 1, *MOUTH) and (N, 1, *LOWER)."""
        own = self.eye(eye), self.mouth(mouth)
        return torch.cat([*own, self.more_eye.look(eye), self.lower.look(lower)], dim=1)

    def judged(self, points: Tensor, flow: Tensor, look: Tensor, rest: Tensor, known: Tensor) -> Judged:
        """What the network makes of it without its branches."""
        placed, flowed = self.placed((points - self.mean) / self.spread), self.flowed(flow)
        own, own_rest = look[:, : 2 * LOOK], rest[:, : 2 * LOOK]
        hidden = self.judge[:-1](torch.cat([own, CHANGE * (own - own_rest) * known, known, placed, flowed], dim=1))
        return Judged(self.judge[-1](hidden), hidden)

    def read(self, points: Tensor, flow: Tensor, look: Tensor, rest: Tensor, known: Tensor) -> Tensor:
        """Intensities (N, units), not clipped: gradients live on beyond the ends of the scale. known: (N, 1), 0 or 1."""
        found = self.judged(points, flow, look, rest, known)

        def added(branch: Branch, start: int) -> Tensor:
            seen, at_rest = look[:, start : start + LOOK], rest[:, start : start + LOOK]
            result: Tensor = branch(branch.inputs(seen, at_rest, known, points[:, -1:], found))
            return result

        # The lower face is taught on people before the camera: of a head that is turned, or whose rest is not known, it says less.
        frontal = (2 - points[:, YAW : YAW + 1].abs() / FRONTAL).clamp(0, 1)
        return found.intensity + added(self.more_eye, 2 * LOOK) + known * frontal * added(self.lower, 3 * LOOK)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(intensity, look)."""
        areas = [height * width for height, width in (EYE, MOUTH, LOWER)]
        points, rest, flow, eye, mouth, lower = features.split(
            [POINT_FEATURES, REST_FEATURES, FLOW_FEATURES, *areas], dim=1
        )
        look = self.look(eye.reshape(-1, 1, *EYE), mouth.reshape(-1, 1, *MOUTH), lower.reshape(-1, 1, *LOWER))
        return self.read(points, flow, look, rest[:, :EMBEDDING_SIZE], rest[:, EMBEDDING_SIZE:]), look


class Together(nn.Module):
    """The network as the runtime sees it: one look at a frame's pictures, and a judgement against each of R references.

    Input (2 F, R * STATE_FEATURES + PICTURE_FEATURES), one row for each side of each of F frames; intensities (2 F, R * units) within
    0..5.

    Args:
        network: whose normalisations are merged into its convolutions.
    """

    def __init__(self, network: ActionUnitNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(intensity, look)."""
        ends = [-sum(h * w for h, w in sizes) for sizes in ((EYE, MOUTH, LOWER), (MOUTH, LOWER), (LOWER,))]
        eye, mouth, lower = features[:, ends[0] : ends[1]], features[:, ends[1] : ends[2]], features[:, ends[2] :]
        look = self.network.look(eye.reshape(-1, 1, *EYE), mouth.reshape(-1, 1, *MOUTH), lower.reshape(-1, 1, *LOWER))
        states = features[:, : ends[0]].reshape(features.shape[0], -1, STATE_FEATURES)
        # each side's look stands beside each of its references
        rows = (look.unsqueeze(1) * torch.ones_like(states[:, :, :1])).reshape(-1, EMBEDDING_SIZE)
        points, rest, known, flow = states.reshape(-1, STATE_FEATURES).split(
            [POINT_FEATURES, EMBEDDING_SIZE, 1, FLOW_FEATURES], dim=1
        )
        intensity = self.network.read(points, flow, rows, rest, known)
        return intensity.clamp(0.0, FULL).reshape(features.shape[0], -1), look


def exported(file: Path, units: Sequence[int]) -> ActionUnitNet:
    """The network of a file that `export` wrote, its normalisations merged into its convolutions.

    Raises:
        ModelFileError: the file is of another network.
    """
    network = ActionUnitNet(units)
    network.eval()
    tensors = read_initialisers(file, [name for name, _, _ in normalised(network)])
    fold_batch_norm(network)
    try:
        network.load_state_dict(tensors)
    except RuntimeError:
        raise ModelFileError(f"{file} is of another network than the Action Units' of now.") from None
    return network


def export(network: ActionUnitNet, file: Path) -> float:
    """Write ONNX: input "features", outputs "intensity" and "look", for any number of frames and references (see `Together`).

    Returns:
        The largest difference from PyTorch.

    Raises:
        ModelFileError: it is above 1e-4.
    """
    deployed = Together(fold_batch_norm(copy.deepcopy(network).eval())).eval()
    plain = network.eval()
    generator = torch.Generator().manual_seed(0)
    many = [
        torch.randn(2 * frames, references * STATE_FEATURES + PICTURE_FEATURES, generator=generator)
        for frames, references in ((1, 1), (3, 1), (1, 3))
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracing exporter is deprecated; its graphs are smaller
        torch.onnx.export(
            deployed,
            (many[-1],),
            str(file),
            input_names=["features"],
            output_names=["intensity", "look"],
            dynamic_axes={
                "features": {0: "sides", 1: "length"},
                "intensity": {0: "sides", 1: "intensities"},
                "look": {0: "sides"},
            },
            opset_version=17,
            dynamo=False,
            do_constant_folding=True,
        )
    onnx.checker.check_model(onnx.load(str(file)))
    session = ort.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    difference = 0.0
    for features in many:
        answers = session.run(None, {"features": features.numpy()})
        for answer, wanted in zip(answers, _one_by_one(plain, features), strict=True):
            difference = max(difference, float(np.abs(answer - wanted.numpy()).max()))
    if difference > PARITY:
        raise ModelFileError(f"{file} differs from PyTorch by {difference:.2g}, more than {PARITY:g}.")
    return difference


@torch.no_grad()
def _one_by_one(network: ActionUnitNet, features: Tensor) -> tuple[Tensor, Tensor]:
    """What the file should give, from the network asked once for each reference."""
    states, pictures = features[:, :-PICTURE_FEATURES], features[:, -PICTURE_FEATURES:]
    answers = [network(torch.cat([state, pictures], dim=1)) for state in states.split(STATE_FEATURES, dim=1)]
    return torch.cat([intensity.clamp(0.0, FULL) for intensity, _ in answers], dim=1), answers[0][1]
