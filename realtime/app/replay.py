"""A recorded session run again: the raw frames through the same networks, with the live run's decisions.

What depended on time (which frames were analysed, which detections entered when, what was shown or dropped and how old its
result was) is taken from the decision log. What was measured is computed again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from realtime.action_units.baseline import Baseline
from realtime.app.face_pipeline import FacePath, open_for_program
from realtime.app.nodes.action_units import Measure
from realtime.app.nodes.detect_track import analysis_of
from realtime.app.nodes.millimetres import MeasureLengths
from realtime.app.nodes.people import MeasurePeople
from realtime.app.reexamine import reexamination_of
from realtime.config import Config
from realtime.config.layers import nested
from realtime.errors import DeviceError, ModelFileError, UserInputError
from realtime.face.people import Observed, PeopleTracker
from realtime.files import open_private, open_regular, private_folder, reason
from realtime.media import lossless
from realtime.session import decision_log
from realtime.session.decision_log import read_decisions
from realtime.session.folder import FRAMES
from realtime.session.hidden_column import tells_hidden
from realtime.session.length_columns import LengthColumns, columns_of_file
from realtime.session.manifest import session_of
from realtime.session.schema import FrameRow, RowFormat, column_names
from realtime.types import U8, Analysis, Detections, Frame, TrackedFrame

Decision = Mapping[str, Any]
_NAMED = 10


class Replayed(NamedTuple):
    """What came of a replay.

    Attributes:
        same: the rows are those of the session, byte for byte, as far as both go.
        rows: how many were written.
        sentence: for the user.
    """

    same: bool
    rows: int
    sentence: str


def replay_session(session: Path, out: Path, *, weights: Path | None = None) -> Replayed:
    """Write out/frames.csv and compare it with the session's.

    A frame that was analysed live and is missing from the raw pictures gets a row without measures; the sentence names it.

    Args:
        session: its folder.
        out: folder for the rows.
        weights: another folder with the same models.

    Raises:
        UserInputError: it is no raw session.
        ModelFileError: the models are others than then.
        DeviceError: the rows cannot be written.
    """
    described = session_of(session)
    config = _configuration(described, weights)
    decisions = list(read_decisions(session / decision_log.NAME))
    pictures = Pictures(decisions, lossless.read_raw(session / lossless.NAME))
    height, width = pictures.size
    path = open_for_program(config, height, width, stored_baseline=_stored_neutral(decisions))
    _same_models(described, path)
    target = out / FRAMES
    again = reexamination_of(session)
    examined = (lambda _analysis: None) if again is None else again.seen
    try:
        private_folder(out)
        with open_private(target, "x", newline="") as file:
            lengths, several = _length_columns(session, config), config.people > 1
            hidden = tells_hidden(session / FRAMES)
            file.write(",".join(column_names(several=several, millimetres=lengths, hidden=hidden)) + "\n")
            rows = RowFormat(several=several, millimetres=lengths, hidden=hidden)
            count = 0
            missing: list[int] = []
            for row in rerun(decisions, pictures, path, missing.append, examined):
                file.write(rows.line(row))
                count += 1
    except FileExistsError:
        raise UserInputError(f"{target} exists already; choose another folder with --out.") from None
    except OSError as error:
        raise DeviceError(f"{target} cannot be written ({reason(error)}).") from None
    found = compare(session / FRAMES, target, count, missing)
    if again is None:
        return found
    same, sentence = again.write(out)
    return Replayed(found.same and same, found.rows, f"{found.sentence} {sentence}")


def rerun(
    decisions: list[Decision],
    pictures: "Pictures",
    path: FacePath,
    on_missing: Callable[[int], None],
    on_measured: Callable[[Analysis], None] = lambda _analysis: None,
) -> Iterator[FrameRow]:
    """The rows, in the order in which they were written, up to the last picture.

    Args:
        decisions: the live run's.
        pictures: the raw frames.
        path: the networks, fresh.
        on_missing: called with the number of each frame that was analysed live and is not among the pictures. Its row holds
            no measures, and what follows is computed without it.
        on_measured: called with each analysis, in order.

    Raises:
        DeviceError: the decisions contradict themselves.
    """
    missing: set[int] = set()
    several = isinstance(path.tracker, PeopleTracker)
    measure = MeasurePeople(path.measures, path.another) if several else Measure(path.measures)
    lengths = None if path.meter is None else MeasureLengths(path.meter)
    passes = {decision["n"]: decision for decision in decisions if decision["kind"] == "detect"}
    detections: dict[int, Detections] = {}
    tracked: dict[int, TrackedFrame] = {}
    measured: dict[int, Analysis] = {}
    for decision in decisions:
        kind, number = decision["kind"], int(decision.get("n", -1))
        if kind == "reset":
            path.tracker.reset()
        elif kind == "track":
            frame = None
            for seen in pictures.up_to(number):
                if seen.sequence in passes:
                    detections[seen.sequence] = _detect(passes[seen.sequence], seen, path)
                frame = seen
            if frame is None or frame.sequence != number:
                if pictures.ended:
                    return
                missing.add(number)
                on_missing(number)
                continue
            # A missing frame's detections are missing, too.
            entering = detections.get(decision["detections"])
            tracked[number] = TrackedFrame(analysis_of(frame, _observed(decision, frame, entering, path)), frame)
            for old in [n for n in detections if n < number - 600]:
                del detections[old]
        elif kind == "measure":
            if decision["calibrate"]:
                path.measures.ask_for_calibration()
            if number in missing:
                continue
            result = measure.process(tracked.pop(number))
            measured[number] = (result if lengths is None else lengths.process(result)).analysis
            on_measured(measured[number])
        elif kind == "row":
            found = measured.pop(number, None)
            if decision["measured"] and found is None and number not in missing:
                raise DeviceError(
                    f"{decision_log.NAME} is damaged: frame {number} has a result, but was never measured."
                )
            yield FrameRow(
                number,
                decision["t"],
                decision["shown"],
                decision["cause"],
                decision["age"],
                found if decision["measured"] else None,
            )


def _observed(decision: Decision, frame: Frame, entering: Detections | None, path: FacePath) -> Observed:
    """Who was looked at on this frame."""
    next_face = bool(decision.get("next", False))
    if not isinstance(path.tracker, PeopleTracker):
        return Observed(path.tracker.update(frame, entering, next_face=next_face))
    every, chosen = decision.get("every", 1), decision.get("chosen")
    place = None if chosen is None else (float(chosen[0]), float(chosen[1]))
    wait = bool(decision.get("wait", False))
    return path.tracker.update(
        frame, entering, next_face=next_face, chosen=place, others_every=float(every), others_wait=wait
    )


def _detect(decision: Decision, frame: Frame, path: FacePath) -> Detections:
    detector = path.coarse if decision["coarse"] else path.detector
    region = decision["region"]
    if region is not None and (region[2] > frame.image.shape[1] or region[3] > frame.image.shape[0]):
        raise UserInputError(
            f"{decision_log.NAME} is damaged: frame {frame.sequence} was searched outside its picture."
        )
    return detector.detect(frame, None if region is None else tuple(region))


@dataclass(slots=True)
class Pictures:
    """The raw frames in capture order, read one by one.

    Args:
        decisions: of the live run.
        images: (H, W, 3) uint8 BGR, in order.

    Raises:
        UserInputError: there is no picture.
    """

    size: tuple[int, int]
    _known: Iterator[Decision]
    _images: Iterator[U8]
    _ahead: Frame | None

    def __init__(self, decisions: list[Decision], images: Iterator[U8]) -> None:
        self._known = (decision for decision in decisions if decision["kind"] == "raw")
        self._images = images
        self._ahead = self._next()
        if self._ahead is None:
            raise UserInputError("The raw recording holds no picture, so there is nothing to replay.")
        height, width = self._ahead.image.shape[:2]
        self.size = height, width

    @property
    def ended(self) -> bool:
        """Every frame was given."""
        return self._ahead is None

    def up_to(self, sequence: int) -> Iterator[Frame]:
        """The frames not given yet, up to and including this one."""
        while self._ahead is not None and self._ahead.sequence <= sequence:
            yield self._ahead
            self._ahead = self._next()

    def _next(self) -> Frame | None:
        known, image = next(self._known, None), next(self._images, None)
        return None if known is None or image is None else Frame(image, known["n"], known["t"])


def _length_columns(session: Path, config: Config) -> LengthColumns:
    """Those of the recording: a version before may have had fewer."""
    if config.millimetres.scale == "off":
        return False
    return columns_of_file(session / FRAMES, config.examination.affected) or True


def compare(recorded: Path, replayed: Path, rows: int, missing: Sequence[int] = ()) -> Replayed:
    """Compare byte for byte, as far as both go: a killed session's files may break off at different frames.

    Args:
        recorded: the session's rows.
        replayed: the rows made now.
        rows: how many were made.
        missing: numbers of the frames that could not be computed again; their rows are not compared.

    Raises:
        DeviceError: a file cannot be read.
    """
    try:
        with open_regular(recorded) as was, open_regular(replayed) as became:
            there, here = was.read(), became.read()
    except OSError as error:
        raise DeviceError(f"{error.filename} cannot be read ({reason(error)}).") from None
    without = _about_missing(missing)
    if there == here and not missing:
        return Replayed(True, rows, f"The replay gives the same {rows:,} rows, byte for byte.")
    skipped = {b"%d" % number for number in missing}
    for number, (a, b) in enumerate(zip(there.splitlines(), here.splitlines(), strict=False)):
        cut = number == there.count(b"\n") and not there.endswith(b"\n")
        if a != b and not cut and a.partition(b",")[0] not in skipped:
            words = there.partition(b"\n")[0].decode("utf-8", "replace").strip().split(",")
            cells = [name for name, x, y in zip(words, a.split(b","), b.split(b","), strict=False) if x != y]
            first = cells[0] if cells else "its length"
            return Replayed(False, rows, f"The replay gives another row {number} (first in {first}).{without}")
    both = min(there.count(b"\n"), here.count(b"\n")) - 1
    if missing:
        return Replayed(
            False, rows, f"The replay gives the same rows but for the missing ones, byte for byte.{without}"
        )
    return Replayed(True, rows, f"The replay gives the same rows, byte for byte, as far as both go ({both:,} rows).")


def _about_missing(missing: Sequence[int]) -> str:
    """A sentence that names the frames, the first few of many."""
    if not missing:
        return ""
    named = ", ".join(map(str, missing[:_NAMED])) + (
        f" and {len(missing) - _NAMED:,} more" if len(missing) > _NAMED else ""
    )
    several = len(missing) > 1
    return (
        f" Frame{'s' if several else ''} {named} {'were' if several else 'was'} analysed live, but the raw recording does not "
        f"hold {'them' if several else 'it'}: nothing is measured there, and later rows may differ for want of "
        f"{'them' if several else 'it'}."
    )


def _configuration(described: Mapping[str, Any], weights: Path | None) -> Config:
    try:
        values = {name: entry["value"] for name, entry in described["configuration"].items()}
        config = Config.model_validate(nested(values))
    except (KeyError, TypeError, AttributeError, ValidationError):
        raise UserInputError("session.json is damaged: its configuration cannot be read.") from None
    return config if weights is None else config.model_copy(update={"weights": weights})


def _same_models(described: Mapping[str, Any], path: FacePath) -> None:
    then = {entry["name"]: entry["sha256"] for entry in described.get("models", [])}
    for spec in path.models:
        if then.get(spec.name) != spec.sha256:
            raise ModelFileError(
                f"The session was made with another model than {spec.name} as it is here; give the folder with --weights."
            )


def _stored_neutral(decisions: list[Decision]) -> Baseline | None:
    return next((Baseline.from_json(d) for d in decisions if d["kind"] == "neutral"), None)
