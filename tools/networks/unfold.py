"""An exported network as a beginning of further training: batch normalisation put back between folded convolutions and their activation.

An ONNX file holds each convolution with its normalisation merged into it. Trained on like that, a network has lost what made its
training stable; so every normalisation is set up anew from the means and variances seen on real inputs, such that it changes nothing yet.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from realtime.errors import ModelFileError

PREFIX = "network."
"""What our exports put before a parameter's name."""
LEAST_SPREAD = 1e-3
"""Channels that hardly vary are scaled as if they varied by this."""


ANONYMOUS = "onnx::Conv_"
"""What the exporter calls a convolution's weights and bias after it merged the normalisation into them by itself."""


def read_initialisers(path: Path, merged: Sequence[str] = ()) -> dict[str, Tensor]:
    """The named tensors of an ONNX file of ours, without the export's prefix. Raises ModelFileError where it holds none.

    merged: names of the convolutions, in the graph's order, into which the exporter itself merged their normalisation. A file of
        the network before it grew has the first of them.
    """
    try:
        model = onnx.load(str(path))
    except Exception as error:  # onnx raises protobuf's own errors, among others
        raise ModelFileError(f"{path} cannot be read as an ONNX file; name one that the export tools wrote.") from error
    named = {i.name: i for i in model.graph.initializer if i.name.startswith(PREFIX)}
    anonymous = [i for i in model.graph.initializer if i.name.startswith(ANONYMOUS)]
    if merged and 0 < len(anonymous) <= 2 * len(merged):
        kinds = [f"{PREFIX}{name}.{kind}" for name in merged[: len(anonymous) // 2] for kind in ("weight", "bias")]
        named |= dict(zip(kinds, anonymous, strict=True))
    if not named:
        raise ModelFileError(
            f"{path} names no parameters of a network; only files of the export tools can be trained on."
        )
    return {k.removeprefix(PREFIX): torch.from_numpy(np.array(numpy_helper.to_array(v))) for k, v in named.items()}


def normalised(network: nn.Module) -> Iterator[tuple[str, nn.Conv2d, nn.BatchNorm2d]]:
    """Name of the convolution, the convolution, and the normalisation that directly follows it."""
    for name, module in network.named_modules():
        if not isinstance(module, nn.Sequential):
            continue
        for index in range(len(module) - 1):
            convolution, norm = module[index], module[index + 1]
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                yield f"{name}.{index}".removeprefix("."), convolution, norm


@torch.no_grad()
def unfold(network: nn.Module, path: Path, inputs: Iterable[Tensor], *, grown: bool = False) -> list[str]:
    """Give `network` the function of the file, in place; `inputs` are batches like those it will be trained on.

    In evaluation mode the network then equals the file, if layers that the file lacks change nothing yet: with `grown` there may
    be such layers, and they stay as they are. Returns their parameters' names.
    Raises ModelFileError when the file is of another network.
    """
    every = list(normalised(network))
    tensors = read_initialisers(path, [name for name, _, _ in every])
    new = [name for name, _, _ in every if grown and f"{name}.weight" not in tensors]
    pairs = [pair for pair in every if pair[0] not in new]
    loaded = network.state_dict()
    for name, _, norm in pairs:
        bias = tensors.pop(f"{name}.bias", None)
        if bias is None or bias.shape != norm.bias.shape:
            raise ModelFileError(f"{path} is of another network: it has no fitting {name}.bias.")
        norm.weight.fill_(1.0)
        norm.bias.copy_(bias)
        norm.running_mean.zero_()
        norm.running_var.fill_(1.0 - norm.eps)
    for name, value in tensors.items():
        if name not in loaded or loaded[name].shape != value.shape:
            raise ModelFileError(f"{path} is of another network: {name} {list(value.shape)} does not fit.")
        loaded[name].copy_(value)
    norms = {id(p) for _, _, norm in every for p in norm.parameters()}
    absent = [n for n, p in network.named_parameters() if id(p) not in norms and n not in tensors]
    if absent and (not grown or len(new) == len(every)):
        raise ModelFileError(f"{path} is of another network: it has no {absent[0]}.")
    for (_, convolution, norm), (mean, variance) in zip(pairs, _moments(network, pairs, inputs), strict=True):
        spread = (variance + norm.eps).sqrt().clamp_min(LEAST_SPREAD)
        # Every channel leaves its convolution with variance one, as after a fresh start: the step of the optimiser then fits.
        convolution.weight.div_(spread[:, None, None, None])
        norm.running_mean.copy_(mean / spread)
        norm.running_var.copy_(variance / spread**2)
        scale = (norm.running_var + norm.eps).sqrt()
        norm.weight.copy_(spread * scale)
        norm.bias.add_(mean)
    return absent


def _moments(
    network: nn.Module, pairs: list[tuple[str, nn.Conv2d, nn.BatchNorm2d]], inputs: Iterable[Tensor]
) -> list[tuple[Tensor, Tensor]]:
    """Mean and variance of every channel that enters a normalisation, over all inputs and places."""
    sums: dict[int, list[Tensor]] = {}

    def note(norm: nn.Module, entering: tuple[Tensor, ...]) -> None:
        values = entering[0].double()
        count = torch.tensor(float(values.numel() // values.shape[1]))
        found = [count, values.sum((0, 2, 3)), values.square().sum((0, 2, 3))]
        known = sums.get(id(norm))
        sums[id(norm)] = found if known is None else [a + b for a, b in zip(known, found, strict=True)]

    hooks = [norm.register_forward_pre_hook(note) for _, _, norm in pairs]
    was_training = network.training
    network.eval()
    for batch in inputs:
        network(batch)
    network.train(was_training)
    for hook in hooks:
        hook.remove()
    if len(sums) < len(pairs):
        raise ValueError("unfold needs at least one batch, and every normalisation must be passed.")
    out = []
    for _, _, norm in pairs:
        count, total, squares = sums[id(norm)]
        mean = total / count
        out.append((mean.float(), (squares / count - mean**2).clamp_min(0).float()))
    return out
