"""`python -m tools.networks.random_checkpoint NAME --out FILE`: a checkpoint of the official shape with random weights.

With it the way from checkpoint to running model is tested where the official weights may not be. The weights are drawn so
that activations stay of order one and outputs depend on the picture; they recognise nothing.
"""

import argparse
from pathlib import Path

from tools.command import guarded, require

if __name__ == "__main__":  # before the imports that need it
    guarded(lambda: require("torch"))

import torch
from torch import nn

from realtime.errors import UserInputError
from tools.networks import catalogue, star


def randomise(
    network: catalogue.Network, seed: int = 0, *, stacks: int = 4, points: int = 98, pictures: int = 3
) -> nn.Module:
    """The network with He-normal weights and batch statistics estimated on smooth random pictures; evaluation mode."""
    torch.manual_seed(seed)
    module = star.StackedHourglass(points, stacks=stacks) if network.name == "star" else network.build(None)
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
            if part.bias is not None:
                nn.init.normal_(part.bias, std=0.05)
        elif isinstance(part, nn.BatchNorm2d | nn.BatchNorm1d):
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.normal_(part.bias, std=0.2)
            part.momentum = None  # a plain mean over the pictures
    module.train()
    with torch.no_grad():
        if isinstance(module, star.StackedHourglass):
            _settle_star(module)
        for index in range(pictures):
            module(torch.cat([catalogue.example(network, seed + 2 * index + k) for k in (0, 1)]))
    return module.eval().requires_grad_(False)


def _settle_star(module: star.StackedHourglass) -> None:
    """Keep the sum over many blocks of order one, and let the point attention choose places instead of averaging all."""
    for part in module.modules():
        if isinstance(part, star.ResidualBlock):
            part.conv3.conv.weight.mul_(0.4)
            part.skip_layer.conv.weight.mul_(0.7)
    for head in module.out_pointmaps:
        head.conv.weight.mul_(2.0)
        head.conv.bias.sub_(5.0)
    for merges in (module.merge_features, module.merge_heatmaps, module.merge_edgemaps, module.merge_pointmaps):
        for merge in merges:
            merge.conv.weight.mul_(0.3)


def write(name: str, out: Path, seed: int = 0, *, stacks: int = 4, points: int = 98) -> None:
    """Write such a checkpoint, in the wrapping the official file of this network has."""
    state = randomise(catalogue.named(name), seed, stacks=stacks, points=points).state_dict()
    out.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"net": state} if name == "star" else state, out)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.networks.random_checkpoint", description=__doc__)
    parser.add_argument("name", help=", ".join(catalogue.NETWORKS))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stacks", type=int, default=4, help="STAR only, 1..4")
    parser.add_argument("--points", type=int, default=98, help="STAR only, 98 or 68")
    options = parser.parse_args(arguments)
    if not 1 <= options.stacks <= 4 or options.points not in star.EDGES:
        raise UserInputError("STAR has 1 to 4 stacks and 98 or 68 points.")
    write(options.name, options.out, options.seed, stacks=options.stacks, points=options.points)
    print(f"{options.out}: random weights in the shape of {catalogue.named(options.name).checkpoint}")


if __name__ == "__main__":
    guarded(main)
