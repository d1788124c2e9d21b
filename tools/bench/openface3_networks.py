"""What OpenFace 3.0's networks cost a frame on one core, as another program to set `batch` beside.

Their shape decides the cost, not their weights, so random ones of the official shape stand in where the official may not be: the
sizes that its own pipeline uses (RetinaFace on the picture at 640 pixels' width, STAR with four stacks at 256, the multi-task net
at 224), in PyTorch on one thread. Decoding, crops and files are not counted: its program takes longer than this.
"""

import statistics
import time

from tools.command import require

RUNS = 3


def seconds_a_frame() -> dict[str, float]:
    """Processor time of one call of each network, seconds.

    Raises:
        UserInputError: PyTorch is not installed.
    """
    require("torch")
    import torch

    from tools.networks import catalogue

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    found = {}
    try:
        for name, network in catalogue.NETWORKS.items():
            torch.manual_seed(0)
            module, picture = network.build(None).eval(), catalogue.example(network)
            times = []
            with torch.inference_mode():
                for _ in range(RUNS + 1):
                    used = time.process_time()
                    module(picture)
                    times.append(time.process_time() - used)
            found[name] = statistics.median(times[1:])
    finally:
        torch.set_num_threads(before)
    return found
