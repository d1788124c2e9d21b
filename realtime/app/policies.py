"""How the edges of the program's graph behave, live and offline."""

import math
from dataclasses import dataclass

from realtime.config import Config
from realtime.graph import Block, DropOldest, Exact, Hold, Join, Latest, Policy


@dataclass(frozen=True, slots=True)
class Policies:
    """How the edges behave: live, where the newest counts, or offline, where every frame counts.

    Attributes:
        newest: to a node that takes the newest frame whenever it is free.
        picture: along the picture path.
        every: where no frame should be lost.
        recorded: to an encoder.
        result: joins a picture with its analysis.
        held: joins a picture with the newest result, however old it is within the bound.
        max_age: seconds after its capture at which a frame is dropped wherever it waits.
        stall: seconds after which a node that is busy with one frame is bypassed.
    """

    newest: Policy
    picture: Policy
    every: Policy
    recorded: Policy
    result: Join
    held: Join
    max_age: float
    stall: float

    @classmethod
    def of(cls, config: Config, fps: float) -> "Policies":
        """What the configured speed asks for.

        Args:
            config: of the run.
            fps: of the source.
        """
        if config.speed == "max":
            return cls(Block(4), Block(4), Block(8), Block(8), Exact(), Exact(), math.inf, math.inf)
        latency = config.latency
        result = Hold(max_age=latency.result_max_age_ms / 1e3, wait=latency.wait_for_result_ms / 1e3)
        held = Hold(max_age=latency.result_max_age_ms / 1e3)
        newest, picture, every = Latest(), DropOldest(2), DropOldest(60)
        # What waits for an encoder is lost by a kill, and what is in an unfinished piece of the file, too: a second in all.
        recorded = DropOldest(max(3, min(30, round(0.4 * fps))))
        return cls(newest, picture, every, recorded, result, held, config.max_age_ms / 1e3, latency.stall_seconds)
