"""What is measured on a face: Action Units of the patient's left and right, their names, and how alike the sides are.

Names are imported when they are first used: the estimator loads compiled code, names and symmetry do not.
"""

from typing import TYPE_CHECKING

from realtime.lazy import lazy_names

if TYPE_CHECKING:
    from realtime.action_units.estimator import ActionUnitEstimator
    from realtime.action_units.names import muscle_of, name_of
    from realtime.action_units.symmetry import balance

__all__ = ["ActionUnitEstimator", "balance", "muscle_of", "name_of"]

_HOMES = {
    "ActionUnitEstimator": "realtime.action_units.estimator",
    "balance": "realtime.action_units.symmetry",
    "muscle_of": "realtime.action_units.names",
    "name_of": "realtime.action_units.names",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
