"""The examination in the preview window: what the person should do, beside the mirror picture."""

import time
from collections.abc import Callable

from realtime.app.examination import GuidedExamination
from realtime.app.examination_view import Shown
from realtime.render.guide_panel import Guide, with_guide
from realtime.types import U8

Finish = Callable[[U8], U8]


class ExaminationScreen:
    """Draws on the window's thread.

    Args:
        guided: says what to show.
        before: draws over the picture first.
        clock: seconds on any one clock.
    """

    def __init__(self, guided: GuidedExamination, before: Finish, clock: Callable[[], float] = time.monotonic) -> None:
        self._guided = guided
        self._before = before
        self._clock = clock
        self._title = ""
        self._since = 0.0

    def draw(self, image: U8) -> U8:
        """The picture with the panel beside it; without an examination the picture as it is drawn without one."""
        picture = self._before(image)
        if not self._guided.guides:
            return picture
        shown, now = self._guided.shown, self._clock()
        if shown.title != self._title:
            self._title, self._since = shown.title, now
        return with_guide(picture, guide_of(shown), now - self._since)


def guide_of(shown: Shown) -> Guide:
    """What to draw."""
    status, labels = shown.status, shown.words.labels
    phase, repetition = status.phase, f"{status.number} / {status.of}" if status.of else ""
    return Guide(
        shown.title,
        shown.sentence,
        shown.remark,
        " | ".join(part for part in (repetition, f"{labels['done']} {status.done} / {status.total}") if part),
        labels["keys"],
        status.movement,
        moves=phase == "instruction",
        amount=1.0 if phase in ("go", "hold") else 0.0,
        count=status.count,
        share=status.share if phase == "hold" else 0.0,
    )
