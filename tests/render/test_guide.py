"""The drawn face shows each movement, alike on both sides; letters have their accents."""

import numpy as np
import pytest

from realtime.clinic.types import MOVEMENTS, Movement
from realtime.render.face_diagram import EXPRESSIONS, amount_at, draw_diagram, shapes
from realtime.render.lettering import draw_line, line_width, wrapped
from realtime.types import U8


def drawn(movement: Movement, amount: float) -> U8:
    canvas = np.full((260, 200, 3), 40, np.uint8)
    draw_diagram(canvas, movement, amount, (100, 130), 240)
    return canvas


@pytest.mark.parametrize("movement", MOVEMENTS)
def test_each_movement_has_a_drawing_of_its_own_and_begins_at_rest(movement: Movement) -> None:
    assert movement in EXPRESSIONS
    assert np.array_equal(drawn(movement, 0.0), drawn("rest", 0.0))
    for other in MOVEMENTS:
        if other != movement:
            assert not np.array_equal(drawn(movement, 1.0), drawn(other, 1.0))


@pytest.mark.parametrize("movement", MOVEMENTS)
def test_the_drawing_is_its_own_mirror_image_and_stays_in_the_head(movement: Movement) -> None:
    found = shapes(movement, peak=True)
    for name, points in found.items():
        assert np.abs(points).max(axis=0)[0] < 1
        assert np.abs(points).max(axis=0)[1] < 1.3
        if name.endswith("_left"):
            mirrored = found[name.replace("_left", "_right")]
            assert np.allclose(points * (-1, 1), mirrored)


def test_it_goes_there_and_back() -> None:
    run = [amount_at(seconds / 10) for seconds in range(27)]
    assert run[0] == run[-1] == 0
    assert max(run) == 1
    assert run.count(1.0) > 8


@pytest.mark.parametrize(
    ("accented", "plain"), [("ä", "a"), ("é", "e"), ("ñ", "n"), ("Ü", "U"), ("ê", "e"), ("à", "a")]
)
def test_accents_stand_above_their_letter(accented: str, plain: str) -> None:
    def line(text: str) -> U8:
        canvas = np.zeros((60, 80, 3), np.uint8)
        draw_line(canvas, text, (20, 45), 1.0, (255, 255, 255), 1)
        return canvas

    assert line_width(accented, 1.0, 1) == line_width(plain, 1.0, 1)
    more = line(accented).astype(int) - line(plain)
    assert more.min() >= 0, "the letter itself is the same"
    rows, columns = np.nonzero(more.any(axis=2))
    assert len(rows) > 2
    letter = np.nonzero(line(plain).any(axis=2))
    assert rows.max() <= letter[0].min() + 1
    assert letter[1].min() - 4 <= columns.min()
    assert columns.max() <= letter[1].max() + 4


def test_lines_are_broken_between_words() -> None:
    lines = wrapped("Schließen Sie die Augen sanft, wie beim Einschlafen.", 0.7, 1, 200)
    assert " ".join(lines) == "Schließen Sie die Augen sanft, wie beim Einschlafen."
    assert all(line_width(line, 0.7, 1) <= 200 for line in lines)
    assert wrapped("", 0.7, 1, 200) == []
