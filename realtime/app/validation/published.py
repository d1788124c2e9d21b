"""What others reported, each with its source. Figures without a source that could be read are left out.

The protocols differ: OpenFace and LibreFace were trained on DISFA, in other folds than they are judged on; nothing here was. A figure
beside ours says where the field stands, not who won.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Measure = Literal["pearson", "icc", "f1"]


@dataclass(frozen=True, slots=True)
class Published:
    """One tool's figures on one data set.

    Attributes:
        tool: name and version.
        data: what it was judged on.
        measure: which of our measures it is.
        units: by Action Unit; empty where only a mean was reported.
        mean: over its Action Units, as reported; None: not reported.
        source: where it says so.
    """

    tool: str
    data: str
    measure: Measure
    units: Mapping[int, float]
    mean: float | None
    source: str


_OPENFACE2 = {
    1: 0.846, 2: 0.766, 4: 0.870, 5: 0.767, 6: 0.725, 9: 0.736, 12: 0.866, 15: 0.754, 17: 0.613, 20: 0.587, 25: 0.929, 26: 0.814,
}  # fmt: skip
_PYFEAT_F1 = {
    1: 0.464, 2: 0.512, 4: 0.482, 5: 0.054, 6: 0.522, 9: 0.204, 12: 0.538, 15: 0.098, 17: 0.133, 20: 0.102, 25: 0.672, 26: 0.547,
}  # fmt: skip
_PYFEAT_ICC = {
    1: 0.132, 2: 0.133, 4: 0.143, 5: 0.035, 6: 0.210, 9: 0.076, 12: 0.281, 15: 0.036, 17: 0.018, 20: 0.050, 25: 0.330, 26: 0.186,
}  # fmt: skip
_PYFEAT = "github.com/cosanlab/py-feat, docs/benchmarks/2026-05-15-67cd7d9-accuracy.md"
_CROSS = "github.com/cosanlab/py-feat, docs/benchmarks/cross_tool_methodology.md"

PUBLISHED = (
    Published(
        "OpenFace 2",
        "DISFA, validation fold (trained on the others)",
        "pearson",
        _OPENFACE2,
        None,
        "OpenFace, matlab_runners/Action Unit Experiments/results/DISFA_valid_res.txt",
    ),
    Published(
        "LibreFace", "DISFA (trained on other folds)", "pearson", {}, 0.63, "Chang et al. 2023, arXiv:2308.10713"
    ),
    Published("py-feat 0.7 (xgb)", "DISFA+", "icc", _PYFEAT_ICC, 0.136, _PYFEAT),
    Published("py-feat 0.7 (xgb)", "DISFA+", "f1", _PYFEAT_F1, 0.361, _PYFEAT),
    Published("py-feat 2 (Detectorv2)", "DISFA+, 12 units", "f1", {}, 0.540, _CROSS),
    Published("OpenFace 3.0", "DISFA+, its 8 units, own threshold", "f1", {}, 0.488, _CROSS),
    Published("LibreFace (RepVGG)", "DISFA+, 12 units", "f1", {}, 0.461, _CROSS),
)
NOT_FOUND = (
    "Not shown, as no source could be read: per-unit tables of OpenFace 3.0 and LibreFace on DISFA, any tool's intensities on BP4D, "
    "and left and right apart, which nobody reports."
)
