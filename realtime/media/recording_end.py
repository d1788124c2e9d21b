"""Whether a recording was whole."""

import av
from av.container import InputContainer


def early_end(
    name: str,
    *,
    frames: int,
    damaged: int,
    expected_frames: int | None,
    end: float | None,
    expected_end: float | None,
) -> str | None:
    """Judge whether a recording was whole.

    Args:
        name: how the sentence calls it.
        frames: pictures that could be decoded.
        damaged: pictures that could not.
        expected_frames: the index's count; None where the format keeps none.
        end: seconds from the first picture to the end of the last.
        expected_end: what the file's header says; it speaks for sound too, which may outlast the picture by a little.

    Returns:
        One sentence when it was cut short or damaged, None when it was whole.
    """
    if expected_frames and frames + damaged < expected_frames - max(1, expected_frames // 100):
        return f"{name} is cut short or damaged: {frames} of {expected_frames} frames could be read."
    if end is not None and expected_end is not None and expected_end - end > max(1.0, 0.02 * expected_end):
        return f"{name} is cut short: it ends after {end:.1f} s, although it says it lasts {expected_end:.1f} s."
    if damaged:
        return f"{name} is damaged: {damaged} frame{'s' if damaged > 1 else ''} could not be read."
    return None


def duration_of(container: InputContainer, first_time: float | None) -> float | None:
    """Seconds from the first picture to the end, as the header says; None where it says nothing.

    Matroska's header tells where the last picture ends, not how long the film is, when time stamps do not begin at zero.

    Args:
        container: open.
        first_time: of the first picture, seconds; None: not known.
    """
    if not container.duration or container.duration <= 0:
        return None
    seconds = container.duration / av.time_base
    if "matroska" in container.format.name and first_time is not None and 0 < first_time < seconds:
        result: float | None = seconds - first_time
        return result
    stamp: float | None = seconds
    return stamp
