"""What goes out comes back: every format, with awkward annotations; what a format cannot hold is said."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings

from realtime.errors import UserInputError
from realtime.exchange import (
    Annotations,
    Code,
    Exclusion,
    Label,
    Point,
    annotations_of,
    as_json,
    bids_events,
    boris_project,
    boris_table,
    elan,
)
from realtime.exchange.film import Film
from realtime.exchange.notes import shifted
from tests.exchange.drawn import annotations

FILM = Film(Path("video.mp4"), 60.0, 30.0, 1800, (640, 480), "h264")
few = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@few
@given(made=annotations())
def test_our_file_holds_everything(made: Annotations) -> None:
    assert annotations_of(as_json(made)) == made
    assert shifted(shifted(made, 250), -250) == made


@few
@given(made=annotations())
def test_elan_holds_everything(made: Annotations, tmp_path: Path) -> None:
    path = tmp_path / "a.eaf"
    exported = elan.write_eaf(made, film=FILM)
    path.write_bytes(exported.content)
    assert elan.read_eaf(path) == (made, [])
    assert exported.notes == []


def nameable(made: Annotations) -> bool:
    """Whether no code is called as a marker or an exclude range would be; the other case is refused."""
    try:
        boris_project.write_project(made, "s1")
    except UserInputError:
        return False
    return True


def test_a_code_that_is_called_as_a_marker_would_be_is_refused_in_one_sentence() -> None:
    for name, more in (
        ("exclude (range)", {"exclusions": [Exclusion(0, 1)]}),
        ("(marker)", {"points": [Point(0, "")]}),
    ):
        with pytest.raises(UserInputError, match="rename the code"):
            boris_project.write_project(Annotations(codes=[Code(name)], **more), "s1")


@few
@given(made=annotations())
def test_a_boris_project_holds_everything(made: Annotations, tmp_path: Path) -> None:
    if not nameable(made):
        return
    path = tmp_path / "a.boris"
    for film in (None, FILM):
        path.write_bytes(boris_project.write_project(made, "s1", film=film).content)
        assert boris_project.read_project(path) == (made, [])


@few
@given(made=annotations())
def test_a_boris_table_holds_the_events_and_says_what_it_lacks(made: Annotations, tmp_path: Path) -> None:
    if not nameable(made):
        return
    path = tmp_path / "a.tsv"
    exported = boris_table.write_events(made, "s1", film=FILM)
    path.write_bytes(exported.content)
    found = boris_table.read_events(path).annotations
    assert (found.labels, found.points, found.exclusions) == (made.labels, made.points, made.exclusions)
    assert found.codes == made.codes or "code list" in exported.notes[0]
    assert found.coder == made.coder or "coder" in exported.notes[-1]


@few
@given(made=annotations())
@example(made=Annotations("", [], [], [], [Exclusion(0, 1, '"')]))
@example(made=Annotations("", [Code('"a" b')], [Label(0, 5, '"a" b', '"')], []))
def test_bids_holds_everything_but_its_own_word_for_nothing(made: Annotations, tmp_path: Path) -> None:
    path = tmp_path / "a_events.tsv"
    exported = bids_events.write_events(made)
    path.write_bytes(exported.content)
    path.with_suffix(".json").write_bytes(bids_events.write_sidecar(made).content)
    found = bids_events.read_events(path)
    assert found.notes == []
    if exported.notes:
        assert "n/a" in exported.notes[0]
        assert "n/a" in str(made)
    else:
        assert found.annotations == made


def test_pympi_reads_the_elan_file_and_what_it_saves_is_read(tmp_path: Path) -> None:
    pympi = pytest.importorskip("pympi")
    made = Annotations(
        "Ada", [Code("smile", "voluntary"), Code("blink")], [Label(0, 900, "smile", "weak"), Label(500, 950, "smile")]
    )
    path = tmp_path / "a.eaf"
    path.write_bytes(elan.write_eaf(made, film=FILM).content)
    found = pympi.Eaf(str(path))
    assert found.get_annotation_data_for_tier("labels") == [(0, 900, "smile")]
    assert found.get_annotation_data_for_tier("labels 2") == [(500, 950, "smile")]
    assert found.get_annotation_data_for_tier("labels comment") == [(0, 900, "weak", "smile")]
    assert found.get_linked_files()[0]["RELATIVE_MEDIA_URL"] == "./video.mp4"
    assert found.get_cv_entries("codes")["code1"][0] == [("smile", "und", "voluntary")]
    found.to_file(str(tmp_path / "b.eaf"))
    assert elan.read_eaf(tmp_path / "b.eaf") == (made, [])


def test_faces_are_participants_in_elan_subjects_in_boris_and_a_column_in_bids(tmp_path: Path) -> None:
    made = Annotations(
        "",
        [Code("smile")],
        [
            Label(0, 900, "smile"),
            Label(0, 900, "smile", "", 3),
            Label(500, 950, "smile", "weak", 3),
            Label(5, 9, "smile", "", 12),
        ],
    )
    eaf = elan.write_eaf(made).content.decode()
    assert 'TIER_ID="labels face 3"' in eaf
    assert 'TIER_ID="labels face 3 overlap 2" LINGUISTIC_TYPE_REF="label" PARTICIPANT="face 3"' in eaf
    table = boris_table.write_events(made, "s1").content.decode().splitlines()
    column = table[0].split("\t").index("Subject")
    assert {row.split("\t")[column] for row in table[1:]} == {"", "face 3", "face 3 overlap 2", "face 12"}
    project = boris_project.write_project(made, "s1").content.decode()
    assert "whom a label is about: face_id 3; where labels of one code overlap" in project
    rows = bids_events.write_events(made).content.decode().splitlines()
    assert sorted(row.split("\t")[-1] for row in rows) == ["12", "3", "3", "face_id", "n/a"]
    theirs = tmp_path / "theirs_events.tsv"
    theirs.write_text("onset\tduration\ttrial_type\tface_id\n1\t2\tgo\tFace A\n3\t1\tgo\t7\n")
    found = bids_events.read_events(theirs).annotations.labels
    assert found == (Label(1000, 3000, "go", "face_id=Face A"), Label(3000, 4000, "go", "", 7))


def test_an_elan_file_of_somebody_else_is_read(tmp_path: Path) -> None:
    pympi = pytest.importorskip("pympi")
    theirs = pympi.Eaf(author="Bea")
    theirs.remove_tier("default")
    theirs.add_controlled_vocabulary("mouth")
    theirs.add_language("und", None, None)
    theirs.add_cv_entry("mouth", "c1", [("open", "und", "lips part")])
    theirs.add_linguistic_type("coded", param_dict=None)
    theirs.linguistic_types["coded"]["CONTROLLED_VOCABULARY_REF"] = "mouth"
    theirs.add_linguistic_type("refers", "Symbolic_Association", timealignable=False)
    theirs.add_tier("mouth", "coded")
    theirs.add_tier("speech")
    theirs.add_tier("gloss", "refers", parent="speech")
    theirs.add_annotation("mouth", 100, 200, "open")
    theirs.add_annotation("speech", 150, 400, "hello\nthere")
    theirs.add_ref_annotation("gloss", "speech", 200, "greeting")
    theirs.to_file(str(tmp_path / "theirs.eaf"))
    found = elan.read_eaf(tmp_path / "theirs.eaf")
    assert found.annotations.coder == "Bea"
    assert found.annotations.labels == (
        Label(100, 200, "open"),
        Label(150, 400, "gloss", "greeting"),
        Label(150, 400, "speech", "hello there"),
    )
    assert found.annotations.codes[0] == Code("open", "lips part")
    assert [note.split()[0] for note in found.notes] == ["1", "1"]


@pytest.mark.parametrize("cells", ["1e400\t1", "0\t1e308", "nan\t0", "-inf\t0"])
def test_a_time_that_no_recording_has_is_one_sentence(tmp_path: Path, cells: str) -> None:
    path = tmp_path / "a_events.tsv"
    path.write_text(f"onset\tduration\ttrial_type\n{cells}\tsmile\n")
    with pytest.raises(UserInputError, match="damaged"):
        bids_events.read_events(path)
