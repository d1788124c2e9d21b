"""The evaluation's two intraclass correlations: over repetitions, and of the program against the truth."""

import numpy as np
import pytest

pytest.importorskip("scipy")

from realtime.clinic.agreement import icc_agreement
from realtime.clinic.statistics import reliability
from tools.evaluate.clinic_lengths import agreement_figures


def test_a_face_that_changes_itself_is_told_from_a_program_that_errs() -> None:
    """The program reads 0.1 mm too much, always; the face itself varies by a millimetre between repetitions."""
    rng = np.random.default_rng(3)
    truth = rng.normal(10, 1, (40, 1)) + rng.normal(0, 1, (40, 5))
    found = truth + 0.1 + rng.normal(0, 0.05, truth.shape)
    value = {figure.name: figure.value for figure in agreement_figures("fissure", found, truth)}
    over = reliability(truth)
    assert over is not None
    assert over.icc < 0.7
    assert value["fissure: the truth itself, ICC(2,1) over repetitions"] == over.icc
    assert value["fissure: ICC(2,1) over repetitions, had the face itself not changed"] > 0.98
    assert value["fissure: ICC(2,1) of program against truth, one repetition"] == icc_agreement(
        found.ravel(), truth.ravel()
    )
    assert value["fissure: ICC(2,1) of program against truth, one repetition"] > 0.98


def test_what_was_not_measured_is_left_out_of_both() -> None:
    truth = np.arange(12.0).reshape(4, 3)
    found = truth * 1.1
    found[0, 1] = np.nan
    cases = {figure.name: figure.cases for figure in agreement_figures("brow", found, truth)}
    assert cases["brow: ICC(2,1) of program against truth, one repetition"] == 11
    assert cases["brow: ICC(2,1) of program against truth, the mean of 3"] == 3
