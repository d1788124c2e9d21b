"""What is drawn, by looking at pixels."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from realtime.face.face_model import FACE_2D
from realtime.face.mirroring import midline
from realtime.render.au_panel import AuPanel
from realtime.render.landmarks import draw_landmarks, draw_midline
from realtime.render.palette import LEFT, RIGHT, WARNING
from realtime.render.panel_place import PanelPlace
from realtime.render.rehearsal import rehearse_drawing
from realtime.render.scene import Scene
from realtime.render.status import LiveFigures, draw_status, rest_words, status_height
from realtime.types import Analysis, FaceObservation, FacePart, Sides, View

FIGURES = LiveFigures(30.0, 8.0, 0.0, 0, "tracked")
HEIGHT, WIDTH = 720, 1280


def posed_face() -> np.ndarray:
    """(98, 2) pixels of the mean face in the middle of a 720p picture."""
    flat = np.asarray(FACE_2D, np.float32)
    size = float(np.ptp(flat[:, 0]))
    return (flat - flat.mean(axis=0)) * np.float32(260 / size) + np.array([500, 360], np.float32)


def analysis(points: np.ndarray, right: dict[int, float], left: dict[int, float]) -> Analysis:
    box = np.concatenate([points.min(axis=0), points.max(axis=0)])
    return Analysis(0, 0.0, FaceObservation(1, box, points, points, 0.9, detected=True), left, right)


def share(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """(H, W) where the picture has this colour."""
    return np.all(picture == np.array(colour, np.uint8), axis=2)


@pytest.mark.parametrize("selfie", [False, True])
def test_the_patients_sides_keep_their_colours_whatever_the_view(selfie: bool) -> None:
    points = posed_face()
    frame = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    picture = Scene("overlay", (), selfie=selfie).draw(frame, analysis(points, {}, {}), points, FIGURES)
    middle = points[:, 0].mean() if not selfie else WIDTH - 1 - points[:, 0].mean()
    # Lines are smoothed, so their pixels only lean toward the colour: blue for the right, orange for the left.
    lean = picture[..., 0].astype(int) - picture[..., 2]
    right_x, left_x = np.nonzero(lean > 40)[1], np.nonzero(lean < -40)[1]
    assert len(right_x) > 100
    assert len(left_x) > 100
    assert (right_x.mean() < middle) is not selfie
    assert (left_x.mean() > middle) is not selfie


@pytest.mark.parametrize(
    ("part", "points_of"), [("mouth", slice(76, 96)), ("left eye", slice(68, 76)), ("right brow", slice(33, 42))]
)
def test_lines_of_a_part_that_is_not_measured_are_grey(part: FacePart, points_of: slice) -> None:
    """Behind a hand the network still says where lips would be: such lines must not look like measured ones."""
    points = posed_face()
    low, high = points[points_of].min(axis=0).astype(int), points[points_of].max(axis=0).astype(int)
    inside = np.s_[low[1] : high[1] + 1, low[0] : high[0] + 1]

    def coloured(hidden: tuple[FacePart, ...]) -> int:
        picture = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
        draw_landmarks(picture, points, 1, hidden)
        return int((np.ptp(picture[inside].astype(int), axis=2) > 40).sum())

    assert coloured(()) > 20
    assert coloured((part,)) == 0
    seen = analysis(points, {}, {})
    assert seen.face is not None
    unseen = replace(seen, face=replace(seen.face, hidden=(part,)))
    frame = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    pictures = [Scene("overlay", ()).draw(frame, one, points, FIGURES) for one in (seen, unseen)]
    assert (pictures[0][inside] != pictures[1][inside]).any()


def test_the_frame_is_never_written_to() -> None:
    points, frame = posed_face(), np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    for mode in ("overlay", "mirrored", "split", "raw"):
        Scene(mode, (12,), selfie=False).draw(frame, analysis(points, {12: 3.0}, {12: 1.0}), points, FIGURES)
    assert (frame == 90).all()


def bar_lengths(right: dict[int, float], left: dict[int, float], *, flipped: bool = False) -> tuple[int, int]:
    picture = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    assert AuPanel([12], 1.0, flipped=flipped).draw(picture, Sides(left, right), (0, 0))
    rows = picture[20 + 10]  # the middle of the first bar's row
    return tuple(int(np.all(rows == np.array(c, np.uint8), axis=1).sum()) for c in (RIGHT, LEFT))  # type: ignore[return-value]


def test_a_bar_is_as_long_as_its_value() -> None:
    full, none = bar_lengths({12: 5.0}, {12: 0.0})
    half, _ = bar_lengths({12: 2.5}, {12: 0.0})
    assert none <= 1
    assert half == pytest.approx(full / 2, abs=2)
    assert bar_lengths({12: 99.0}, {12: 0.0})[0] == full, "beyond the scale is the end of the scale"


def test_what_was_not_measured_is_a_dash_and_no_bar() -> None:
    assert bar_lengths({}, {12: float("nan")}) == (0, 0)


def test_in_a_selfie_view_the_columns_change_places() -> None:
    picture = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    panel = AuPanel([12], 1.0, flipped=True)
    panel.draw(picture, Sides({12: 5.0}, {12: 5.0}), (0, 0))
    assert np.nonzero(share(picture, RIGHT))[1].mean() > panel.middle > np.nonzero(share(picture, LEFT))[1].mean()


def test_a_small_picture_gets_no_panel_rather_than_half_of_one() -> None:
    tiny = np.full((40, 60, 3), 200, np.uint8)
    assert not AuPanel([1, 2, 4], 1.0).draw(tiny, Sides({}, {}), (0, 0))
    assert PanelPlace("strip", [1, 2, 4]).draw(tiny, Sides({}, {}), ()) is tiny
    assert (tiny == 200).all()


def test_a_long_name_stays_between_the_bars() -> None:
    panel = AuPanel([15], 1.0)
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    panel.draw(picture, Sides({}, {}), (0, 0))
    letters = np.nonzero((picture[panel.row : 2 * panel.row] > 170).all(axis=2))[1]
    assert len(letters) > 20
    assert panel.middle - panel.gap < letters.min()
    assert letters.max() < panel.middle + panel.gap


def drawn_on(picture: np.ndarray) -> tuple[int, int, int, int]:
    """x1, y1, x2, y2 of the panel on a picture of the colour 200, which the panel darkens."""
    rows, columns = np.nonzero((picture == 50).all(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())


SIZES = [(720, 1280), (1080, 1920), (720, 720), (1280, 720), (480, 640), (240, 320)]
UNITS = (1, 2, 4, 5, 6, 9, 10, 12, 14, 15, 17, 18, 20, 23, 25, 26, 45)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("middle", [0.15, 0.3, 0.5, 0.7, 0.85])
def test_the_panel_never_covers_the_face(size: tuple[int, int], middle: float) -> None:
    """Wherever the face is, and whatever the picture's shape: the panel stands beside it, or in a strip."""
    height, width = size
    half = 0.2 * min(size)
    face = np.array(
        [middle * width - half, 0.5 * height - half, middle * width + half, 0.5 * height + half], np.float32
    )
    picture = np.full((height, width, 3), 200, np.uint8)
    place = PanelPlace("auto", UNITS)
    drawn = place.draw(picture, Sides({}, {}), [face])
    assert drawn.shape == picture.shape
    if place.in_strip:
        # The whole picture is there, smaller: nothing of it is darkened.
        left, top, right, bottom = place.picture_place(height, width)
        assert (drawn[top:bottom, left:right] == 200).all()
        assert max((right - left) / width, (bottom - top) / height) > 0.45
        assert (drawn[-status_height(height, width) :] != 50).all(), "the line at the bottom needs its place"
        return
    if drawn is picture and (picture == 200).all():
        return  # too small for a panel
    x1, y1, x2, y2 = drawn_on(drawn)
    assert x2 < face[0] or x1 > face[2] or y2 < face[1] or y1 > face[3]


def test_the_panel_stays_where_it_is_until_the_face_comes_there() -> None:
    place = PanelPlace("auto", (1, 2, 12))
    corners = []
    for x in (300, 500, 800, 1150, 1150, 300):
        picture = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
        face = np.array([x - 100, 100, x + 100, 300], np.float32)
        x1, *_ = drawn_on(place.draw(picture, Sides({}, {}), [face]))
        corners.append(x1 < WIDTH // 2)
    assert corners == [False, False, False, True, True, False]


def test_a_tall_picture_has_its_panel_below_the_face_or_below_the_picture() -> None:
    height, width = 1280, 720
    picture = np.full((height, width, 3), 200, np.uint8)
    place = PanelPlace("auto", UNITS)
    above = np.array([150, 250, 570, 750], np.float32)
    _, y1, _, y2 = drawn_on(place.draw(picture.copy(), Sides({}, {}), [above]))
    assert not place.in_strip
    assert y1 > above[3]
    assert y2 < height - status_height(height, width)
    near = np.array([50, 250, 670, 1150], np.float32)
    drawn = place.draw(picture, Sides({}, {}), [near])
    assert place.in_strip
    left, top, right, bottom = place.picture_place(height, width)
    assert (drawn[top:bottom, left:right] == 200).all()
    assert (bottom - top) / height > 0.7


def test_the_status_line_fits_into_a_tall_picture() -> None:
    picture = np.zeros((1280, 720, 3), np.uint8)
    draw_status(picture, LiveFigures(30.0, 108.0, 133.0, 1234, "tracked", "provisional, changing"))
    assert np.nonzero(picture.any(axis=(0, 2)))[0].max() < 720 - 8


def test_the_strip_stays_for_a_while() -> None:
    """A face that comes and goes would make the picture jump otherwise."""
    place = PanelPlace("auto", (12,))
    everywhere, nowhere = np.array([0, 0, WIDTH, HEIGHT], np.float32), np.array([600, 500, 640, 540], np.float32)
    picture = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    place.draw(picture, Sides({}, {}), [everywhere])
    for number in range(90):
        assert place.in_strip, number
        place.draw(picture.copy(), Sides({}, {}), [nowhere])
    assert not place.in_strip


@pytest.mark.parametrize("mode", ["mirrored", "split"])
def test_in_views_of_panes_the_panel_has_a_strip(mode: View) -> None:
    points = posed_face()
    frame = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    picture = Scene(mode, (12,)).draw(frame, analysis(points, {12: 5.0}, {12: 5.0}), points, FIGURES)
    bar = np.nonzero(share(picture[:600], RIGHT).sum(axis=0) > 5)[0]
    assert bar.min() > WIDTH - 340


@pytest.mark.parametrize("mode", ["mirrored", "split"])
def test_a_mirrored_view_that_is_not_ready_shows_the_frame_and_says_so(mode: View) -> None:
    points, ready = posed_face(), [False, False, True]
    frame = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    found = analysis(points, {12: 5.0}, {12: 5.0})
    scene = Scene(mode, (12,), mirror_ready=lambda: ready.pop(0))
    unready, plain = (
        scene.draw(frame, found, points, FIGURES),
        Scene("overlay", (12,)).draw(frame, found, points, FIGURES),
    )
    places = np.nonzero((unready != plain).any(axis=(1, 2)))[0]
    assert 36 < places.min() < places.max() < 100, "the overlay, and a line of words at its top"
    assert share(unready, WARNING).sum() > 300
    scene.draw(frame, None, None, FIGURES)
    mirrored = scene.draw(frame, found, points, FIGURES)
    assert np.array_equal(mirrored, Scene(mode, (12,)).draw(frame, found, points, FIGURES))


def test_without_a_panel_there_is_none() -> None:
    points = posed_face()
    frame = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    found = analysis(points, {12: 5.0}, {12: 5.0})
    without = Scene("overlay", (12,), panel="off").draw(frame, found, points, FIGURES)
    assert np.array_equal(without, Scene("overlay", ()).draw(frame, found, points, FIGURES))


def test_the_midline_is_the_one_that_faces_are_mirrored_about() -> None:
    points = posed_face()
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    draw_midline(picture, points, 1)
    rows, columns = np.nonzero(picture.any(axis=2))
    line = midline(points)
    assert line is not None
    distances = line.side(np.stack([columns, rows], axis=1).astype(np.float32))
    assert np.abs(distances).max() < 2
    assert rows.min() < line.y < rows.max()


def test_the_state_of_rest_stands_in_the_line_of_figures() -> None:
    assert rest_words("settled", 1.0) == "settled"
    assert rest_words("provisional", 0.4) == "provisional, changing"
    assert rest_words("", 1.0) == ""
    drawn = []
    for rest in ("", "provisional"):
        picture = np.zeros((720, 1280, 3), np.uint8)
        draw_status(picture, LiveFigures(30.0, 8.0, 0.0, 0, "tracked", rest))
        drawn.append(int((picture > 0).sum()))
    assert drawn[1] > 1.1 * drawn[0]


@pytest.mark.parametrize("size", [(720, 1280), (640, 360), (48, 64)])
def test_a_rehearsal_works_in_every_view_and_size(size: tuple[int, int]) -> None:
    views: tuple[View, ...] = ("overlay", "raw", "mirrored", "split")
    for mode in views:
        rehearse_drawing(mode, UNITS, *size, selfie=size[0] > size[1])


def test_a_rehearsal_unpacks_the_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of which the first use takes as long as two pictures have."""
    written: list[str] = []
    original = cv2.putText
    monkeypatch.setattr(
        cv2, "putText", lambda image, text, *more: (written.append(text), original(image, text, *more))[1]
    )
    rehearse_drawing("overlay", UNITS, HEIGHT, WIDTH)
    assert any("patient" in text for text in written)
    assert any("fps" in text for text in written)


def test_beside_a_strip_the_picture_is_the_same_smaller_and_all_around_is_filled() -> None:
    picture = np.random.default_rng(3).integers(0, 255, (HEIGHT // 8, WIDTH // 8, 3)).astype(np.uint8)
    picture = cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    place = PanelPlace("strip", (12,))
    drawn = place.draw(picture.copy(), Sides({}, {}), ())
    left, top, right, bottom = place.picture_place(HEIGHT, WIDTH)
    expected = cv2.resize(picture, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
    assert np.abs(drawn[top:bottom, left:right].astype(int) - expected).mean() < 3
    assert (drawn[:top] == (34, 30, 28)).all()
    assert (drawn[bottom:] == (34, 30, 28)).all()
    assert (drawn[: top + 20, right:] == (34, 30, 28)).all()
