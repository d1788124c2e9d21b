"""Resizing into a buffer that is used again, with the certainty that OpenCV did fill it."""

import cv2

from realtime.errors import PictureError
from realtime.types import U8


def resize_into(image: U8, out: U8) -> U8:
    """Resize bilinearly into `out`.

    OpenCV ignores a `dst` of another type or channel count and returns a new array: the buffer then still holds what was
    written there before, for example the previous picture.

    Args:
        image: (H, W, 3) uint8, any strides.
        out: (h, w, 3) uint8, C-contiguous; it is written to.

    Returns:
        `out`.

    Raises:
        PictureError: `image` is of another kind than `out`, or empty.
    """
    if image.dtype != out.dtype or image.ndim != 3 or image.shape[2] != out.shape[2] or not image.size:
        raise PictureError(
            f"A picture of shape {image.shape} and type {image.dtype} cannot be used here: "
            f"it should be (height, width, {out.shape[2]}), {out.dtype}, in BGR order."
        )
    filled = cv2.resize(image, (out.shape[1], out.shape[0]), dst=out, interpolation=cv2.INTER_LINEAR)
    assert filled is out, "OpenCV ignored the buffer"
    result: U8 = out
    return result
