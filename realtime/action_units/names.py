"""The Action Units' names, for everything that people read: the page, the report, the data dictionary.

Names and muscles are those of the Facial Action Coding System (Ekman and Friesen, 1978; Ekman, Friesen and Hager, 2002).
"""

from collections.abc import Iterable
from typing import NamedTuple


class UnitName(NamedTuple):
    """One Action Unit in words.

    Attributes:
        name: its FACS name, in small letters.
        muscle: the muscle or muscles that make it, in anatomical Latin.
    """

    name: str
    muscle: str


NAMES = {
    1: UnitName("inner brow raiser", "frontalis, pars medialis"),
    2: UnitName("outer brow raiser", "frontalis, pars lateralis"),
    4: UnitName("brow lowerer", "corrugator supercilii, depressor supercilii"),
    5: UnitName("upper lid raiser", "levator palpebrae superioris"),
    6: UnitName("cheek raiser", "orbicularis oculi, pars orbitalis"),
    7: UnitName("lid tightener", "orbicularis oculi, pars palpebralis"),
    9: UnitName("nose wrinkler", "levator labii superioris alaeque nasi"),
    10: UnitName("upper lip raiser", "levator labii superioris"),
    12: UnitName("lip corner puller", "zygomaticus major"),
    14: UnitName("dimpler", "buccinator"),
    15: UnitName("lip corner depressor", "depressor anguli oris"),
    16: UnitName("lower lip depressor", "depressor labii inferioris"),
    17: UnitName("chin raiser", "mentalis"),
    18: UnitName("lip pucker", "incisivii labii"),
    20: UnitName("lip stretcher", "risorius, platysma"),
    22: UnitName("lip funneler", "orbicularis oris"),
    23: UnitName("lip tightener", "orbicularis oris"),
    24: UnitName("lip pressor", "orbicularis oris"),
    25: UnitName("lips part", "depressor labii inferioris; relaxed mentalis or orbicularis oris"),
    26: UnitName("jaw drop", "relaxed masseter, temporalis and internal pterygoid"),
    27: UnitName("mouth stretch", "pterygoids, digastric"),
    28: UnitName("lip suck", "orbicularis oris"),
    43: UnitName("eyes closed", "relaxed levator palpebrae superioris"),
    45: UnitName("blink", "relaxed levator palpebrae superioris; orbicularis oculi, pars palpebralis"),
}


def name_of(unit: int) -> str:
    """The FACS name, or "Action Unit n" for one that is not listed.

    Args:
        unit: its number.
    """
    known = NAMES.get(unit)
    return known.name if known is not None else f"Action Unit {unit}"


def muscle_of(unit: int) -> str:
    """The muscles; empty for a unit that is not listed."""
    known = NAMES.get(unit)
    return known.muscle if known is not None else ""


def measured_units(units: Iterable[int]) -> str:
    """The Action Units that a run measures, for a sentence about one that it does not."""
    return ", ".join(map(str, units)) or "none at all with these models"
