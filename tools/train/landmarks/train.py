"""Train the 98-point network: `python -m tools.train.landmarks --data DATA --out RUN --minutes 90 [--resume]`.

The schedule is a cosine over the planned minutes of training time; resuming with more minutes extends it. Rendered heads are taken in
as soon as they are there (at the start, or on resume).
"""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from tools.command import guarded, require

if __name__ == "__main__":  # before the imports that need it
    guarded(lambda: require("torch"))

import cv2
import torch
from torch import Tensor, nn

from realtime.errors import ModelFileError
from tools.data.crops import SIZE
from tools.data.half_smiles import half_smile_set
from tools.data.landmark_batches import LandmarkBatches, load_people, load_photographs, load_rendered
from tools.data.london_labels import labelled, portrait_set
from tools.manifest import WEIGHTS
from tools.networks.starlite import StarLite
from tools.networks.unfold import unfold
from tools.synth.kit import shared_folder
from tools.train.common import load_checkpoint, mean_weights, prepare, spare_slow_bfloat
from tools.train.landmarks.loss import (
    back_to_first,
    grainy,
    landmark_loss,
    mirrored,
    moved,
    out_of_mirror,
    random_small_motion,
)
from tools.train.landmarks.options import options
from tools.train.landmarks.validation import ValidationSet, to_input
from tools.train.muon import Optimisers
from tools.train.trainer import Trainer


def take_over(network: nn.Module, weights: dict[str, Tensor]) -> None:
    """Load a checkpoint's weights, also into a network with more layers: those that are new stay as `start_quiet` left them."""
    missing, unexpected = network.load_state_dict(weights, strict=False)
    if unexpected:
        raise ModelFileError(f"the checkpoint holds layers that this network has not: {', '.join(unexpected[:5])}")
    if missing and len(missing) == len(network.state_dict()):
        raise ModelFileError("the checkpoint is of another network")


class LandmarkTrainer(Trainer):
    """A trainer whose checkpoints may be of a smaller network: layers that are new stay as `start_quiet` left them."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state of a checkpoint; the optimiser's only where the network has not grown."""
        take_over(self.network, state["network"])
        take_over(self.average.network, state["average"])
        self.average.steps = state["steps"]
        if state["size"] == self.facts["size"]:
            self.optimiser.load_state_dict(state["optimiser"])
        else:
            print(f"the network grew from {state['size']}", flush=True)
        self.steps, self.trained = state["steps"], state["trained"]


def losses(
    network: StarLite,
    batch: dict[str, Tensor],
    motion: Tensor,
    device: torch.device,
    *,
    half: bool,
    same: float = 1.0,
    spoil: Callable[[Tensor], Tensor] | None = None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss of a batch and its parts.

    motion: (E, 2, 3) by which its first E crops are moved and shown once more, three in four of them in the mirror.
    same: weight of the consistency of those.
    spoil: what else is done to the crops shown once more; None: nothing.
    """
    crops, motion, echo = to_input(batch["crop"].to(device)), motion.to(device), len(motion)
    seen_in_mirror = 3 * echo // 4
    again = moved(crops[:echo], motion)
    echoes = mirrored(spoil(again) if spoil else again, seen_in_mirror).contiguous(memory_format=torch.channels_last)
    network.train()
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=half):
        seen = network.look(torch.cat([crops, echoes]).contiguous(memory_format=torch.channels_last))
    points, covariance, logit = network.read(*(value.float() for value in seen))
    n = len(crops)
    loss, parts = landmark_loss(
        points[:n],
        covariance[:n],
        logit[:n, 0],
        *(batch[k].to(device) for k in ("points", "weight", "presence", "pair")),
    )
    apart = (back_to_first(out_of_mirror(points[n:], seen_in_mirror), motion) - points[:echo]).abs().sum(-1) * SIZE
    clear = (batch["weight"][:echo] > 0).to(device).float()
    parts["same"] = (apart * clear).sum() / clear.sum().clamp_min(1.0)
    return loss + same * parts["same"], parts


def main() -> None:
    """Command line."""
    arguments = options(__doc__)
    cv2.setNumThreads(1)  # before any worker forks: OpenCV threads do not survive a fork
    device = prepare(arguments.seed, arguments.threads)
    checkpoint = arguments.out / "checkpoint.pt"

    sets = [load_photographs(arguments.data, "train", 1 - arguments.rendered)]
    rendered = load_rendered(arguments.data, "train", arguments.rendered)
    sets += [rendered] if rendered is not None else []
    if arguments.portraits:
        detector = WEIGHTS / "retinaface.onnx"
        faces = labelled(arguments.portraits, shared_folder(), detector, training=True)
        sets.append(portrait_set(faces, arguments.portraits_share))
        if arguments.half_smiles:
            sets.append(half_smile_set(faces, arguments.half_smiles))
    if arguments.people:
        sets.append(load_people(arguments.people, arguments.people_share))
    print("training on " + ", ".join(f"{len(s)} {s.name}" for s in sets), flush=True)
    validations = {"photo": ValidationSet(load_photographs(arguments.data, "held"), 1)}
    held = load_rendered(arguments.data, "held", limit=400)
    if held is not None:
        validations["rendered"] = ValidationSet(held, 1)

    network = StarLite()
    network.start_quiet()
    if arguments.start_from and not (arguments.resume and checkpoint.exists()):
        if arguments.start_from[0].suffix == ".pt":
            take_over(network, mean_weights([load_checkpoint(file)["average"] for file in arguments.start_from]))
            print("began with " + ", ".join(str(file) for file in arguments.start_from), flush=True)
        else:
            first = LandmarkBatches(sets, 64, arguments.nothing, arguments.seed)
            inputs = (to_input(batch["crop"]) for batch in islice(first, 30))
            new = unfold(network, arguments.start_from[0], inputs, grown=True)
            print(f"began with {arguments.start_from[0]}" + (f"; new: {', '.join(new)}" if new else ""), flush=True)
    network = network.to(device, memory_format=torch.channels_last)
    spare_slow_bfloat(network)
    trainer = LandmarkTrainer(
        network,
        Optimisers(network, arguments.rate),
        arguments.out,
        minutes=arguments.minutes,
        rate=arguments.rate,
        clip=20.0,
        decay=0.998,
        resume=arguments.resume,
        facts={"size": network.size.as_dict()},
    )
    batches = torch.utils.data.DataLoader(
        LandmarkBatches(
            sets,
            arguments.batch,
            arguments.nothing,
            arguments.seed + trainer.steps,
            (arguments.own_answers, arguments.own_share) if arguments.own_answers else None,
        ),
        batch_size=None,
        num_workers=arguments.workers,
        prefetch_factor=4 if arguments.workers else None,
    )
    generator = torch.Generator().manual_seed(arguments.seed + trainer.steps)

    def step(batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        return losses(
            network,
            batch,
            random_small_motion(arguments.echo, generator),
            device,
            half=arguments.half,
            same=arguments.same,
            spoil=(lambda crops: grainy(crops, arguments.grain, generator)) if arguments.grain else None,
        )

    def validate() -> dict[str, float]:
        found: dict[str, float] = {}
        for prefix, held_out in validations.items():
            found |= held_out.figures(trainer.average.network, device, prefix)
        return found

    trainer.run(batches, step, validate, validate_every=120)


if __name__ == "__main__":
    main()
