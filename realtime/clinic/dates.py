"""How examinations are told apart by when they began: the day, and the time of day where several are of one day."""

from collections import Counter
from collections.abc import Sequence


def day_labels(begun: Sequence[str]) -> list[str]:
    """What each examination is called.

    Args:
        begun: ISO 8601, of each.

    Returns:
        Days such as 2026-11-28; of examinations of one day 2026-11-28 14:58.
    """
    days = Counter(one[:10] for one in begun)
    return [one[:10] if days[one[:10]] == 1 else one[:16].replace("T", " ") for one in begun]
