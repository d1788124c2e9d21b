"""Says on the picture that another face is followed than before."""

from realtime.render.notice import draw_notice
from realtime.types import U8, Analysis

_SECONDS = 4.0


class FaceChangeNotice:
    """Draws a line for some seconds after the followed face changed. The first face is no change."""

    def __init__(self) -> None:
        self._face_id: int | None = None
        self._until = float("-inf")

    def draw(self, canvas: U8, analysis: Analysis | None) -> None:
        """Draw in place, where there is something to say.

        Args:
            canvas: (H, W, 3) BGR.
            analysis: that is shown with the picture; None: there is none.
        """
        if analysis is None:
            return
        if analysis.face is not None and analysis.face.face_id != self._face_id:
            if self._face_id is not None:
                self._until = analysis.capture_time + _SECONDS
            self._face_id = analysis.face.face_id
        if analysis.capture_time >= self._until:
            return
        draw_notice(canvas, f"Another face is followed now: face {self._face_id}")
