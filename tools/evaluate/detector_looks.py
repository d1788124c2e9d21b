"""The detector's agreement with the official one on windows, clips and pictures without a face."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.evaluate.detector_agreement import SAME_IOU, Agreement, share_found, tall
from tools.evaluate.detector_network import Detector
from tools.evaluate.detector_pictures import Window, clip, faceless
from tools.train.detector import sources as detector_sources
from tools.train.detector.targets import overlaps

U8 = NDArray[np.uint8]

START, CONTINUE = 0.5, 0.35
OFFICIAL = 0.5
LEAST_HEIGHT, SMALL = 40, 24


def shrink(picture: U8, width: int) -> U8:
    """The picture at this width."""
    share = width / picture.shape[1]
    return picture if share == 1 else cv2.resize(picture, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)


def on_windows(ours: Detector, official: Detector, shown: list[Window], width: int) -> dict[int, dict[str, float]]:
    """Agreement on pictures at a network width, by the least height in pixels of the official one's faces to be found.

    The entry at LEAST_HEIGHT also says how many of the faces known to be there (from the unspoilt picture) each one finds.
    """
    agreements = {least: Agreement() for least in (LEAST_HEIGHT, SMALL)}
    mine_known = theirs_known = all_known = 0
    for window in shown:
        image, ratio = shrink(window.image, width), width / window.image.shape[1]
        theirs, mine = official(image), ours(image).above(START)
        sure = theirs.above(OFFICIAL)
        for least, agreement in agreements.items():
            agreement.add(mine, tall(sure, least), theirs.boxes, window.seen_before * ratio)
        known = window.known * ratio
        known = known[known[:, 3] - known[:, 1] >= LEAST_HEIGHT]
        found, count = share_found(mine, known)
        mine_known, all_known = mine_known + found, all_known + count
        theirs_known += share_found(sure, known)[0]
    figures = {least: agreement.figures() for least, agreement in agreements.items()}
    figures[LEAST_HEIGHT] |= {
        "known": all_known,
        "known_found": mine_known / max(all_known, 1),
        "known_found_official": theirs_known / max(all_known, 1),
    }
    return figures


def on_clip(ours: Detector, official: Detector, path: Path, width: int, every: int) -> dict[str, float]:
    """Frames where the official one finds a face and ours finds the same; false faces where the official sees none.

    Ours works as the program does: a face starts at START and goes on at CONTINUE.
    """
    frames = same = empty = false = 0
    tracked = False
    for index, picture in enumerate(clip(path)):
        if index % every:
            continue
        image = shrink(picture, width)
        theirs = official(image)
        mine = ours(image).above(CONTINUE if tracked else START)
        tracked = len(mine.boxes) > 0
        sure = theirs.above(OFFICIAL)
        if len(sure.boxes):
            frames += 1
            same += bool(tracked and overlaps(mine.boxes, sure.boxes[:1]).max() >= SAME_IOU)
        elif not len(theirs.boxes):
            empty += 1
            false += bool(tracked)
    return {
        "frames_with_face": frames,
        "agreement": same / max(frames, 1),
        "frames_without": empty,
        "false_frames": false,
    }


def on_faceless(
    ours: Detector, official: Detector, held: list[detector_sources.Source], width: int, count: int
) -> dict[str, float]:
    """False faces a picture at START and at CONTINUE, and the official one's at OFFICIAL, on the same pictures.

    A part of a photograph in which the official one is sure of a face (at its full size) does show one; it is left out.
    """
    pictures = at_start = at_continue = theirs = left_out = 0
    for kind, picture in faceless(held, count, seed=11):
        if kind == "photograph" and len(official(picture).above(0.9).boxes):
            left_out += 1
            continue
        image = shrink(picture, width)
        mine = ours(image)
        pictures += 1
        at_start += len(mine.above(START).boxes)
        at_continue += len(mine.above(CONTINUE).boxes)
        theirs += len(official(image).above(OFFICIAL).boxes)
    return {
        "pictures": pictures,
        "left_out": left_out,
        "false_per_picture_start": at_start / max(pictures, 1),
        "false_per_picture_continue": at_continue / max(pictures, 1),
        "false_per_picture_official": theirs / max(pictures, 1),
    }
