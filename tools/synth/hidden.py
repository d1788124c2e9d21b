"""What the photographs of held-out heads do not show: found by looking at all 284 of them, as no rule that was tried told it well.

A rendered head wears its photograph: glasses, a fringe and shut lids are painted on the skin and stay there in every expression.
Nothing can be read from an eye behind dark glasses or a brow behind hair, so no figure asks for it.
"""

from pathlib import Path

import numpy as np

from tools.data.points98 import eye_opening
from tools.synth.heads import bank_files

DARK_GLASSES = frozenset({"01425", "02837", "02867", "02873", "02880"})
"""Heads whose eyes, and brows, lie behind dark glasses."""
COVERED_BROWS = DARK_GLASSES | frozenset(
    {"00578", "00651", "01017", "01410", "01411", "01434", "01900", "01936"}
    | {"01946", "02375", "02381", "02383", "02405", "02860", "02868", "02886"}
)
"""Heads of whom at least one brow lies behind hair, a thick frame or in black shadow."""
COVERED_MOUTHS = frozenset(
    {"00973", "00994", "01012", "01886", "01913", "01919"}  # the tongue lies over the lower lip
    | {"02831", "02855", "02857"}  # a finger at the corner, a cloth, a mask
)
"""Heads whose lips the photograph hides: every rendered expression of them shows the tongue or the cloth."""
_SHUT = 0.16
"""Eye opening in the photograph below which its lids are shut."""


def photograph_of(head: str) -> str:
    """The photograph's number in a head's name ("head_00578", or "head_00578_1" where it came back as somebody else)."""
    return head.removeprefix("head_").split("_")[0]


def awake_files(bank: Path, held_out: bool) -> list[Path]:
    """Bank entries whose photograph shows open eyes without dark glasses: people of whom a rest can be rendered."""
    chosen = []
    for file in bank_files(bank, held_out):
        with np.load(file) as data:
            opening = float(eye_opening(data["points"][None]).max())
        if opening >= _SHUT and photograph_of(file.stem) not in DARK_GLASSES:
            chosen.append(file)
    return chosen
