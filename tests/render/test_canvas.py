"""Large copies share memory one after the other, and never while somebody holds one."""

import numpy as np
import pytest

from realtime.render.canvas import Canvases

LARGE = (1200, 1600, 3)


def frame(value: int, shape: tuple[int, int, int] = LARGE) -> np.ndarray:
    picture = np.full(shape, value, np.uint8)
    picture[:, 0] = 255
    picture.flags.writeable = False
    return picture


def test_memory_is_used_again_once_nobody_holds_the_picture() -> None:
    canvases = Canvases()
    place = canvases.copy_of(frame(1)).ctypes.data
    again = canvases.copy_of(frame(2))
    assert again.ctypes.data == place
    np.testing.assert_array_equal(again, frame(2))


@pytest.mark.parametrize("held", ["itself", "a view", "a memoryview"])
def test_a_picture_that_is_held_stays_as_it_is(held: str) -> None:
    canvases = Canvases()
    first = canvases.copy_of(frame(1))
    first.flags.writeable = False  # as a consumer may set it
    kept = {"itself": first, "a view": first[100:200, ::2], "a memoryview": first.data}[held]
    del first
    for value in range(2, 8):
        canvas = canvases.copy_of(frame(value))
        canvas[:] = 7
        del canvas
    assert np.asarray(kept).min() == 1
    assert np.asarray(kept).max() in (1, 255)


def test_flipped_small_and_of_another_size() -> None:
    canvases = Canvases()
    for shape in (LARGE, (40, 60, 3), (1600, 1200, 3), LARGE):
        for value in (3, 4):
            np.testing.assert_array_equal(canvases.copy_of(frame(value, shape)), frame(value, shape))
            np.testing.assert_array_equal(
                canvases.copy_of(frame(value, shape), flipped=True), frame(value, shape)[:, ::-1]
            )
    many = [canvases.copy_of(frame(value)) for value in range(10)]
    assert [int(one[0, 1, 0]) for one in many] == list(range(10))
