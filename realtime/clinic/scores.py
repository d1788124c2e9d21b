"""Every scale of one examination."""

from collections.abc import Iterator
from dataclasses import dataclass

from realtime.clinic.eface import eface
from realtime.clinic.fngs import fngs
from realtime.clinic.house_brackmann import house_brackmann
from realtime.clinic.items import Item, Score
from realtime.clinic.sunnybrook import sunnybrook
from realtime.clinic.synkinesis import SynkinesisMatrix, synkinesis
from realtime.clinic.types import Examination

SHORT_NAMES = {"sunnybrook": "Sunnybrook", "eface": "auto-eFACE", "house_brackmann": "HB-8", "fngs": "FNGS 2.0"}
"""How sheets and tables call the scales."""
OF_AFFECTED_SIDE = frozenset({"sunnybrook", "eface", "fngs"})
"""Scales that judge the affected side by the healthy one: where another side is affected, their figures tell of something else."""


@dataclass(frozen=True, slots=True)
class Scores:
    """What an examination gives.

    Attributes:
        eface, sunnybrook, house_brackmann, fngs: the scales.
        synkinesis: the matrix behind their synkinesis items.
    """

    eface: Score
    sunnybrook: Score
    house_brackmann: Score
    fngs: Score
    synkinesis: SynkinesisMatrix

    @property
    def scales(self) -> tuple[Score, ...]:
        """All of them, in the order in which they are shown."""
        return self.sunnybrook, self.eface, self.house_brackmann, self.fngs

    def items(self) -> Iterator[Item]:
        """Give every item and total of every scale."""
        for scale in self.scales:
            yield from scale.items
            yield from scale.totals


def score_examination(examination: Examination) -> Scores:
    """Compute every scale. What cannot be had is empty with its reason.

    Args:
        examination: finished or not.
    """
    matrix = synkinesis(examination)
    estimate = sunnybrook(examination, matrix)
    at_rest = {"eye": estimate.item("sunnybrook.rest.eye").used, "oral": estimate.item("sunnybrook.rest.mouth").used}
    return Scores(
        eface(examination),
        estimate,
        house_brackmann(examination),
        fngs(examination, matrix, at_rest),
        matrix,
    )
