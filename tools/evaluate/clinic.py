"""`python -m tools.evaluate clinic --bank BANK [--people N] [--repetitions N]`: the clinical measures against known truth.

Rendered people, three in four with a palsy of known strength and synkinesis, examined in the live way: landmark network, Action
Units, lengths, scores. The truth comes from the exact points, measured by the same definitions as seen from the front.
Real people (FACEMIRROR_SHARED/faces/london_ccby): see `tools.evaluate.clinic_real`. Nothing here is learnt from or tuned on.
"""

import argparse
import os
import pickle
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from realtime.analyze.models import action_units, landmark_model
from realtime.clinic import Movement, Scores, score_examination
from realtime.clinic.lip_correction import lip_correction_of
from realtime.clinic.sunnybrook import VOLUNTARY
from realtime.clinic.types import MOVEMENTS
from realtime.errors import FacemirrorError
from realtime.face.settings import MirrorAverage
from realtime.models import Registry
from tools.evaluate.clinic_lengths import length_figures
from tools.evaluate.clinic_people import Examined, Networks, examine
from tools.evaluate.clinic_real import real_figures
from tools.evaluate.clinic_renders import Filmed, filmed
from tools.evaluate.figures import Figure, finish
from tools.synth.palsy import ZONES, Patient, Zone

_OF_LENGTHS: tuple[Movement, ...] = ("rest", "brow_raise", "open_smile")
STEP_OF_GAIN = {0.0: 1, 0.25: 2, 0.5: 3, 0.75: 4, 1.0: 5}
"""The voluntary item that a clinician would give for what the affected side makes of a movement."""


def main(arguments: Sequence[str]) -> int:
    """Command line; the exit code is 1 where an aim is missed."""
    parser = argparse.ArgumentParser(prog="python -m tools.evaluate clinic", description=__doc__)
    parser.add_argument("--bank", type=Path, required=True, help="folder of `python -m tools.synth.textures`")
    parser.add_argument("--weights", type=Path, default=Path(__file__).resolve().parents[2] / "weights")
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1, help="0 draws the people that thresholds were set on")
    parser.add_argument("--first", type=int, default=0, help="number of the first person")
    parser.add_argument("--step", type=int, default=1, help="every n-th person, to share the work among processes")
    parser.add_argument(
        "--lengths-only",
        action="store_true",
        help="only the movements in which lengths are judged: a third of the work",
    )
    parser.add_argument("--renders", type=Path, metavar="DIR", help="keep the pictures there, or take them from it")
    parser.add_argument("--only-render", action="store_true", help="render the pictures into --renders and stop")
    parser.add_argument(
        "--only-rendered", action="store_true", help="leave out people whose pictures are not there yet"
    )
    parser.add_argument("--no-mirror-average", action="store_true", help="as `run` measures, not as `examine` does")
    parser.add_argument(
        "--crop-average", type=int, choices=(1, 2, 3), default=3, help="crops of a face; `examine` takes 3"
    )
    parser.add_argument("--no-lip-correction", action="store_true", help="lips as the network places them")
    parser.add_argument(
        "--exact-points", action="store_true", help="the pictures' exact points instead of the landmark network's"
    )
    parser.add_argument("--keep", type=Path, metavar="FILE", help="write the examinations there, or take them from it")
    parser.add_argument("--no-real", action="store_true", help="leave out the photographs of real people")
    parser.add_argument("--json", type=Path, help="also write the figures there")
    options = parser.parse_args(arguments)
    try:
        films = filmed(
            options.bank,
            range(options.first, options.people, options.step),
            options.repetitions,
            options.seed,
            options.renders,
            movements=_OF_LENGTHS if options.lengths_only else MOVEMENTS,
            render=not options.only_rendered,
        )
        if options.only_render:
            for film in films:
                print(f"person {film.patient.name} is rendered", file=sys.stderr, flush=True)
            return 0
        networks = open_networks(
            options.weights,
            mirror_average="off" if options.no_mirror_average else "every",
            crop_average=options.crop_average,
            lips=not options.no_lip_correction,
        )
        if options.exact_points:
            networks = replace(networks, landmarks=None, lips=None)
        people = list(rendered(networks, films, options.keep))
        figures = list(length_figures(people)) if options.lengths_only else rendered_figures(people)
        if not options.no_real and networks.landmarks is not None:
            shared = Path(os.environ.get("FACEMIRROR_SHARED", "../shared"))
            figures += real_figures(networks, shared, options.weights)
    except FacemirrorError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return finish(figures, options.json)


def open_networks(weights: Path, *, mirror_average: MirrorAverage, crop_average: int, lips: bool = True) -> Networks:
    """The shipped networks.

    Args:
        weights: their folder.
        mirror_average: see `LandmarkModel`.
        crop_average: likewise.
        lips: with the correction of lips that belongs to the landmark network.
    """
    registry = Registry(weights)
    landmarks = registry.manifest.find("landmarks")
    correction = lip_correction_of(landmarks.name) if lips else None
    if correction is not None and correction.fitted_to != landmarks.sha256:
        print(
            "The correction of lips was fitted to another file of this network: run tools.train.lip_correction.",
            file=sys.stderr,
        )
    return Networks(
        landmark_model(registry.open(landmarks), mirror_average=mirror_average, crop_average=crop_average),
        action_units(registry.open(registry.manifest.find("action-units"))),
        correction,
    )


def rendered(networks: Networks, films: Iterable[Filmed], keep: Path | None) -> Iterator[Examined]:
    """Examine rendered people; with `keep`, those that are in the file already are taken from it."""
    kept: dict[str, Examined] = {}
    if keep is not None and keep.is_file():
        kept = pickle.loads(keep.read_bytes())
    for film in films:
        name = film.patient.name
        if name not in kept:
            started = time.process_time()
            kept[name] = examine(networks, film)
            spent = time.process_time() - started
            print(f"person {name}: examined in {spent:.0f} s of processor time", file=sys.stderr, flush=True)
            if keep is not None:
                keep.write_bytes(pickle.dumps(kept))
        yield kept[name]


def rendered_figures(people: Sequence[Examined]) -> list[Figure]:
    """All figures on rendered people."""
    scored = [(one, score_examination(one.measured), score_examination(one.truth)) for one in people]
    return [
        *length_figures(people),
        *_voluntary(scored),
        *_synkinesis(scored),
        *_totals(scored),
    ]


_ZONE: dict[Movement, Zone] = {"brow_raise": "brow", "gentle_closure": "eye"}


def _true_step(patient: Patient, movement: Movement) -> int:
    if patient.affected == "none":
        return 5
    zone = _ZONE.get(movement, "mouth")
    assert zone in ZONES
    return STEP_OF_GAIN[patient.gain[zone]]


Scored = Sequence[tuple[Examined, Scores, Scores]]


def _voluntary(scored: Scored) -> Iterator[Figure]:
    every: list[float] = []
    for movement in VOLUNTARY:
        name = f"sunnybrook.voluntary.{movement}"
        values = [(_true_step(one.patient, movement), found.sunnybrook.item(name).value) for one, found, _ in scored]
        apart = [abs(value - truth) for truth, value in values if value is not None]
        empty = sum(value is None for _, value in values)
        every += [*apart, *(9.0 for _ in range(empty))]
        within = 100 * float(np.mean([one <= 1 for one in apart])) if apart else float("nan")
        yield Figure("clinic", f"Sunnybrook {movement}: within one step", within, "%", cases=len(apart))
        yield Figure("clinic", f"Sunnybrook {movement}: empty", float(empty), "people")
    yield Figure(
        "clinic",
        "Sunnybrook voluntary items within one step (empty counts as missed)",
        100 * float(np.mean([one <= 1 for one in every])),
        "%",
        at_least=90,
        cases=len(every),
    )
    exact = 100 * float(np.mean([one == 0 for one in every]))
    yield Figure("clinic", "Sunnybrook voluntary items exact", exact, "%", cases=len(every))


def _synkinesis(scored: Scored) -> Iterator[Figure]:
    for name, strength in (("oral-ocular", "oral_ocular"), ("ocular-oral", "ocular_oral")):
        cells = [(one.patient, found.synkinesis.pattern(name)) for one, found, _ in scored]  # type: ignore[arg-type]
        true = [(p, cell) for p, cell in cells if getattr(p, strength) > 0]
        found = [cell is not None and bool(cell.grade) and cell.side == p.affected for p, cell in true]
        without = [bool(cell is not None and cell.grade) for p, cell in cells if not getattr(p, strength)]
        if found:
            yield Figure("clinic", f"{name}: found where it is", 100 * float(np.mean(found)), "%", cases=len(found))
        yield Figure("clinic", f"{name}: found where it is not", 100 * float(np.mean(without)), "%", cases=len(without))
    healthy = [
        cell.grade
        for one, found_, _ in scored
        if one.patient.affected == "none"
        for cell in found_.synkinesis.cells
        if cell.grade is not None
    ]
    if healthy:
        wrong = 100 * float(np.mean([grade > 0 for grade in healthy]))
        yield Figure("clinic", "false alarms on healthy movements", wrong, "%", at_most=5, cases=len(healthy))


def _totals(scored: Scored) -> Iterator[Figure]:
    for scale, name in (("eface", "eface.nine"), ("sunnybrook", "sunnybrook.voluntary")):
        pairs = [(getattr(f, scale).item(name), getattr(t, scale).item(name)) for _, f, t in scored]
        apart = [f.value - t.value for f, t in pairs if f.value is not None and t.value is not None]
        if apart:
            yield Figure(
                "clinic", f"{name}: bias against exact points", float(np.mean(apart)), "points", cases=len(apart)
            )
            yield Figure("clinic", f"{name}: mean absolute error", float(np.mean(np.abs(apart))), "points")
        spreads = [f.spread for f, _ in pairs if f.spread is not None]
        if spreads:
            for words, each in (
                ("one repetition", [one.sdc for one in spreads]),
                ("the means shown", [one.sdc_of_mean for one in spreads]),
            ):
                title = f"{name}: median SDC95 of an examination, {words}"
                yield Figure("clinic", title, float(np.nanmedian(each)), "points")
    healthy = [f.eface.item("eface.nine").value for one, f, _ in scored if one.patient.affected == "none"]
    values = [value for value in healthy if value is not None]
    if values:
        yield Figure(
            "clinic",
            "auto-eFACE of healthy people, mean of nine items",
            float(np.mean(values)),
            "points",
            cases=len(values),
        )
