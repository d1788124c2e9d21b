"""Did a recording end where its own index says it ends? Pure."""


def early_end(
    name: str,
    *,
    frames: int,
    damaged: int,
    expected_frames: int | None,
    end: float | None,
    expected_end: float | None,
) -> str | None:
    """One sentence when a recording was cut short or damaged, None when it was whole.

    frames, damaged: pictures that could and could not be decoded. expected_frames: the index's count, None where the
    format keeps none. end, expected_end: seconds of the last picture's end, and what the file's header says; a header
    speaks for sound too, which may outlast the picture by a little.
    """
    if expected_frames and frames + damaged < expected_frames - max(1, expected_frames // 100):
        return f"{name} is cut short or damaged: {frames} of {expected_frames} frames could be read."
    if end is not None and expected_end is not None and expected_end - end > max(1.0, 0.02 * expected_end):
        return f"{name} is cut short: it ends after {end:.1f} s, although it says it lasts {expected_end:.1f} s."
    if damaged:
        return f"{name} is damaged: {damaged} frame{'s' if damaged > 1 else ''} could not be read."
    return None
