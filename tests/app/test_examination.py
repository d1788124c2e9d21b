"""The examination in a run: begun by a page, stored at once, marked, refused in one sentence, and computed again."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from realtime.app.examination import GuidedExamination, Surroundings
from realtime.app.examination_outputs import broken_off_sentence, spoken, without_pictures
from realtime.app.examination_request import ExaminationRequest
from realtime.app.examination_screen import ExaminationScreen, guide_of
from realtime.app.nodes.face_count import FaceCount
from realtime.clinic.input_log import NAME as LOG
from realtime.clinic.input_log import read_inputs
from realtime.clinic.language import words_of
from realtime.clinic.observation import observe
from realtime.clinic.protocol import Protocol, load_protocol
from realtime.clinic.store import read_examination
from realtime.errors import UserInputError
from realtime.files import shell_word
from realtime.session.examination_lock import ExaminationLock
from realtime.types import Analysis, Detection, Detections, FaceObservation, Millimetres, Sides
from tests.clinic.patient import FPS, Patient

SMILE = Protocol("smile", ("rest", "open_smile"), 1)


@dataclass
class Around:
    """A run's surroundings that remember everything."""

    folder: Path | None
    marks: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    cues: list[str] = field(default_factory=list)
    published: list[str] = field(default_factory=list)
    calibrations: int = 0
    ended: int = 0
    claimed: list[str] = field(default_factory=list)

    def make(self) -> Surroundings:
        def calibrate() -> None:
            self.calibrations += 1

        def end() -> None:
            self.ended += 1

        return Surroundings(
            self.folder,
            lambda text, _source, time, sequence: self.marks.append(f"{sequence} {text}"),
            calibrate,
            self.said.append,
            lambda event, _shown: self.cues.append(event),
            lambda message: self.published.append(json.dumps(message, allow_nan=False)),
            end,
            versions={"facemirror-live": "test"},
            claim=self.claimed.append,
        )


def lead(guided: GuidedExamination, *, limit: float = 60.0, until: str = "") -> None:
    """A patient obeys until the end, or until a phase."""
    patient = Patient()
    cue = 0
    for sequence in range(int(limit * FPS)):
        time = sequence / FPS
        guided.seen(patient.look(sequence, time), 360, 640)
        shown = guided.shown
        if shown.cue_number > cue:
            cue = shown.cue_number
            patient.hear(shown.cue, shown.status.movement, time)  # type: ignore[arg-type]
        if until and shown.status.phase == until:
            return


def test_an_examination_begun_on_a_page_is_stored_marked_and_ends(tmp_path: Path) -> None:
    around = Around(tmp_path)
    guided = GuidedExamination(around.make(), ExaminationRequest(protocol=SMILE), begins=False)
    assert not guided.guides
    guided.seen(Patient().look(0, 0.0), 360, 640)
    assert not list(tmp_path.iterdir()), "nothing is stored before it is asked for"
    guided.ask("start", {"person": " Ada ", "affected": "left", "language": "de"})
    assert json.loads(around.published[-1])["language"] == "de"
    lead(guided)
    stored = read_examination(tmp_path)
    assert stored.finished
    assert (stored.person, stored.affected, stored.protocol, stored.scale) == ("Ada", "left", "smile", "iris")
    assert stored.versions == {"facemirror-live": "test"}
    assert [one.outcome for one in stored.repetitions] == ["counted", "counted"]
    names = [mark.split(" ", 1)[1] for mark in around.marks]
    assert names == [
        "examination: begin",
        "rest 1: measured",
        "open_smile 1: onset",
        "open_smile 1: peak",
        "open_smile 1: return",
        "examination: end",
    ]
    smile = stored.repetitions[1]
    assert smile.at_peak is not None
    peak = next(int(mark.split()[0]) for mark in around.marks if "peak" in mark)
    assert abs(peak - smile.at_peak.sequence) <= 1
    assert around.ended == 1
    assert around.claimed == ["Ada"]
    assert "go" in around.cues
    guided.close()
    last = json.loads(around.published[-1])
    assert (last["phase"], last["sentence"], last["done"]) == ("finished", "Fertig. Vielen Dank.", 2)


def test_every_try_is_in_the_file_before_the_next_begins(tmp_path: Path) -> None:
    guided = GuidedExamination(Around(tmp_path).make(), ExaminationRequest("Ada", SMILE), begins=True)
    lead(guided, until="go")
    stored = read_examination(tmp_path)
    assert not stored.finished
    assert [one.movement for one in stored.repetitions] == ["rest"]
    begin, inputs = read_inputs(tmp_path)
    assert (begin.protocol, begin.starts_itself, begin.height, begin.width) == (SMILE, True, 360, 640)
    assert inputs[0].light == 120.0
    guided.close()


def test_what_cannot_be_done_is_one_sentence(tmp_path: Path) -> None:
    guided = GuidedExamination(Around(tmp_path).make(), ExaminationRequest(), begins=False)
    for word, sentence in (("pause", "No examination is running"), ("dance", "does not know 'dance'")):
        with pytest.raises(UserInputError, match=sentence):
            guided.ask(word)
    for changes, sentence in (
        ({}, "needs the person's name"),
        ({"person": "\x07"}, "printable"),
        ({"person": "Ada", "affected": "nose"}, "left, right, both or none"),
        ({"person": "Ada", "protocol": "/etc/passwd"}, "other protocols are named by --protocol"),
        ({"person": "Ada", "language": "tlh"}, "it speaks en, de, es"),
    ):
        with pytest.raises(UserInputError, match=sentence):
            guided.ask("start", changes)
    guided.ask("start", {"person": "Ada", "protocol": "sunnybrook"})
    guided.seen(Patient().look(0, 0.0), 360, 640)
    with pytest.raises(UserInputError, match="running already"):
        guided.ask("start", {"person": "Ada"})
    guided.ask("stop")
    guided.seen(Patient().look(1, 0.1), 360, 640)
    with pytest.raises(UserInputError, match="holds an examination already"):
        guided.ask("start", {"person": "Ada"})
    assert not read_examination(tmp_path).finished
    guided.close()


def test_without_a_folder_there_is_none() -> None:
    with pytest.raises(UserInputError, match="--session DIR"):
        GuidedExamination(Around(None).make(), ExaminationRequest("Ada"), begins=True)


def test_an_examination_that_never_began_says_so_at_the_end(tmp_path: Path) -> None:
    around = Around(tmp_path)
    guided = GuidedExamination(around.make(), ExaminationRequest("Ada", SMILE), begins=True)
    guided.seen(Patient().look(0, 0.0), 360, 640)
    guided.close()
    (sentence,) = around.said
    assert "did not begin" in sentence
    assert "well placed" in sentence


def test_one_key_starts_pauses_and_goes_on(tmp_path: Path) -> None:
    guided = GuidedExamination(Around(tmp_path).make(), ExaminationRequest("Ada", SMILE), begins=True)
    phases = []
    for sequence in range(3):
        guided.ask("toggle")
        guided.seen(Patient().look(sequence, sequence / FPS), 360, 640)
        phases.append(guided.shown.status.phase)
    assert phases == ["instruction", "paused", "instruction"]
    _, inputs = read_inputs(tmp_path)
    assert [one.command for one in inputs if one.command] == ["start", "pause", "continue"]
    guided.close()


def test_one_person_is_examined_once_at_a_time_and_a_kill_is_remembered(tmp_path: Path) -> None:
    with ExaminationLock("Ada", tmp_path) as lock:
        assert lock.broken_off is None
        lock.begin(tmp_path / "session")
        with pytest.raises(UserInputError, match="Ada is being examined by another run"):
            ExaminationLock("Ada", tmp_path)
        with ExaminationLock("Bob", tmp_path):
            pass
    with ExaminationLock("Ada", tmp_path) as lock:
        assert lock.broken_off == tmp_path / "session"
        lock.end()
    with ExaminationLock("Ada", tmp_path) as lock:
        assert lock.broken_off is None


@pytest.mark.parametrize(
    ("word", "posix", "windows"),
    [
        (r"C:\Users\Ada\s1", r"'C:\Users\Ada\s1'", r"C:\Users\Ada\s1"),
        ("Ada Lovelace", "'Ada Lovelace'", '"Ada Lovelace"'),
        ("out/s1", "out/s1", "out/s1"),
        ("", "''", '""'),
    ],
)
def test_a_command_to_copy_is_written_for_the_systems_shell(word: str, posix: str, windows: str) -> None:
    assert (shell_word(word, windows=False), shell_word(word, windows=True)) == (posix, windows)


def test_what_was_broken_off_is_told_and_its_pictures_are_elsewhere(tmp_path: Path) -> None:
    assert "before anything was measured" in broken_off_sentence("Ada", tmp_path)
    guided = GuidedExamination(Around(tmp_path).make(), ExaminationRequest("Ada", SMILE), begins=True)
    lead(guided, until="go")
    guided.close()
    assert "after 1 repetition that counts" in broken_off_sentence("Ada", tmp_path)
    assert f"`examine --person {shell_word('Ada B.')} --resume {shell_word(tmp_path)}`" in broken_off_sentence(
        "Ada B.", tmp_path
    )
    earlier = without_pictures(read_examination(tmp_path).repetitions)
    rest = earlier[0].rest
    assert rest is not None
    assert rest.sequence == -1
    further = tmp_path / "further"
    further.mkdir()
    second = GuidedExamination(Around(further).make(), ExaminationRequest("Ada", SMILE, earlier=earlier), begins=True)
    lead(second)
    stored = read_examination(further)
    assert stored.finished
    assert [one.movement for one in stored.repetitions] == ["rest", "open_smile"]
    assert read_inputs(further)[0].earlier == 1
    second.close()


def test_a_damaged_log_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match="holds no examination"):
        read_inputs(tmp_path)
    for text in ("", "{}\n", '{"format":9}\n', "[1]\n", "x\n", '{"format":1,"protocol":{"movements":["nod"]}}\n'):
        (tmp_path / LOG).write_text(text)
        with pytest.raises(UserInputError, match="damaged"):
            read_inputs(tmp_path)


def test_what_is_said_and_shown(tmp_path: Path) -> None:
    guided = GuidedExamination(Around(tmp_path).make(), ExaminationRequest("Ada", SMILE), begins=True)
    picture = np.full((720, 1280, 3), 77, np.uint8)
    screen = ExaminationScreen(guided, lambda image: image, clock=lambda: 1.0)
    lead(guided, until="hold")
    shown = screen.draw(picture)
    band = (shown.shape[0] - 720) // 2
    assert shown.shape[1] > 1280
    assert abs(shown.shape[1] / shown.shape[0] - 16 / 9) < 0.01, "it fills a screen"
    assert np.array_equal(shown[band : band + 720, :1280], picture), "nothing is drawn over the face"
    upright = screen.draw(np.full((640, 360, 3), 77, np.uint8))
    assert upright.shape[1] == 720, "a small picture is enlarged"
    assert (upright[:1280] == 77).all()
    guide = guide_of(guided.shown)
    assert (guide.title, guide.sentence, guide.amount) == ("Smile with open lips", "Hold it.", 1.0)
    assert spoken("relax", guided.shown) == "Hold it."
    assert spoken("tick", guided.shown) == ""
    guided.close()
    idle = GuidedExamination(Around(tmp_path).make(), ExaminationRequest(), begins=False)
    assert ExaminationScreen(idle, lambda image: image).draw(picture) is picture


def test_the_examination_reads_what_the_rows_hold() -> None:
    points = np.zeros((98, 2), np.float32)
    points[72] = (64.0, 0.0)
    box = np.array([10, 10, 100, 100], np.float32)
    face = FaceObservation(3, box, points, points, 0.91239, True, pose=(1.234, 2.0, 3.0))
    lengths = Millimetres(0.2, "ruler", commissure=Sides(30.12345, 31.0), fai=0.5)
    analysis = Analysis(
        7, 1.5, face, {12: 1.23456}, {12: float("nan")}, neutral="calibrated", millimetres=lengths, faces=2
    )  # fmt: skip
    seen = observe(analysis, 360, 640, 80.0)
    assert (seen.units[12].left, seen.yaw, seen.confidence, seen.width) == (1.235, 1.23, 0.9124, 0.1)
    assert np.isnan(seen.units[12].right)
    assert (seen.lengths["commissure"].left, seen.midline["fai"], seen.scale) == (30.123, 0.5, "ruler")
    assert (seen.faces, seen.calibrated, seen.inside) == (2, True, True)
    withheld = replace(analysis, millimetres=replace(lengths, withheld="turned"))
    assert observe(withheld, 360, 640, None).lengths == {}
    assert observe(replace(analysis, face=None), 360, 640, None).face_id is None


def test_faces_are_counted_in_searches_of_the_whole_picture_only() -> None:
    def found(*widths: float, region: tuple[int, int, int, int] | None = None) -> Detections:
        faces = tuple(
            Detection(np.array([0, 0, width, width], np.float32), 0.9, np.zeros((5, 2), np.float32)) for width in widths
        )
        return Detections(0, 0.0, faces, region)

    count = FaceCount()
    assert count.update(None) is None
    assert count.update(found(100)) == 1
    assert count.update(found(100, 80, region=(0, 0, 9, 9))) == 1
    assert count.update(found(100, 80)) == 2
    assert count.update(None) == 2
    assert count.update(found(100, 20)) == 1, "somebody far away"
    assert count.update(found()) == 0
    count.forget()
    assert count.update(None) is None


@pytest.mark.parametrize("code", ["en", "de", "es"])
def test_the_panel_has_room_for_every_sentence(code: str) -> None:
    from realtime.app.examination_view import Shown
    from realtime.clinic.status import Status
    from realtime.render.guide_panel import with_guide

    words = words_of(code)
    picture = np.zeros((720, 1280, 3), np.uint8)
    for movement in load_protocol("full").movements:
        status = Status("instruction", movement, 1, 3, 3, 0.5, "unsure", 1, 27, 100.0)
        panel = with_guide(picture, guide_of(Shown(status, words)), 1.0)[:, 1280:]
        assert (panel[:, :3] == 28).all(), (movement, "touches the left edge")
        assert (panel[:, -3:] == 28).all(), (movement, "touches the right edge")
