"""What else took the processors while a measurement ran: other processes, and, in a virtual machine, its host.

Times by the clock grow with both, and processor time too where caches and clock rate are shared. A figure is worth comparing with another
only where both shares are small, so each report says them.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

_STAT = Path("/proc/stat")
# Fields of the line `cpu`, proc(5): user nice system idle iowait irq softirq steal; guest time is part of user.
_IDLE, _STOLEN, _FIELDS = (3, 4), 7, 8
NOTABLE = 0.03


class Ticks(NamedTuple):
    """Of all processors since the start of the machine.

    Attributes:
        busy: at work for some process here.
        idle: with nothing to do.
        stolen: taken by the host of a virtual machine.
    """

    busy: int
    idle: int
    stolen: int

    @classmethod
    def parse(cls, stat: str) -> "Ticks | None":
        """From the text of /proc/stat; None where it is told otherwise.

        Args:
            stat: its text.
        """
        first = stat.split("\n", 1)[0].split()
        if first[:1] != ["cpu"] or len(first) <= _FIELDS:
            return None
        values = [int(word) for word in first[1 : 1 + _FIELDS]]
        idle, stolen = sum(values[i] for i in _IDLE), values[_STOLEN]
        return cls(sum(values) - idle - stolen, idle, stolen)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Shares (0..1) of all processors' time.

    Attributes:
        others: taken by processes that the measurement did not start.
        stolen: taken by the host of a virtual machine.
    """

    others: float
    stolen: float

    @classmethod
    def between(cls, before: Ticks, after: Ticks, own: float) -> Self:
        """Of the time between two looks.

        Args:
            before: the first look.
            after: the second.
            own: ticks that the measurement and what it started took meanwhile.
        """
        busy, idle, stolen = (new - old for new, old in zip(after, before, strict=True))
        whole = max(1, busy + idle + stolen)
        return cls(max(0.0, busy - own) / whole, stolen / whole)

    @property
    def notable(self) -> bool:
        """Whether the figures may be those of a disturbed machine."""
        return max(self.others, self.stolen) >= NOTABLE

    def sentence(self) -> str:
        """For a table."""
        told = f"other processes took {self.others:.1%} of the processors meanwhile, the virtual machine's host {self.stolen:.1%}"
        return f"{told}: compare only what was measured in one run" if self.notable else told


class Watch:
    """Looks at the processors when it is made and when it is asked."""

    def __init__(self) -> None:
        self._before = _look()
        self._own = 0.0 if self._before is None else _own_ticks()

    def so_far(self) -> Surroundings | None:
        """Since it was made; None where the system does not tell (not Linux)."""
        after = _look()
        if self._before is None or after is None:
            return None
        return Surroundings.between(self._before, after, _own_ticks() - self._own)


def _look() -> Ticks | None:
    try:
        return Ticks.parse(_STAT.read_text(encoding="ascii"))
    except OSError:
        return None


def _own_ticks() -> float:
    """Of this process and of its children that have ended."""
    own = os.times()
    return (own.user + own.system + own.children_user + own.children_system) * os.sysconf("SC_CLK_TCK")
