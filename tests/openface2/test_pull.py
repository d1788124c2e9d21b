"""Installing: the licence first, everything checked, all or nothing."""

from pathlib import Path

import pytest

from realtime.errors import DeviceError, ModelFileError, UserInputError
from realtime.files import file_sha256
from realtime.openface2 import load, pull
from tests.openface2 import synthetic


def yes(text: str) -> bool:
    assert "NON-COMMERCIAL" in text
    return True


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


def test_from_a_folder(installation: Path, tmp_path: Path) -> None:
    done = pull.install(yes, from_folder=installation, to=tmp_path / "models" / "openface2")
    assert done.folder == tmp_path / "models" / "openface2"
    assert len(done.files) == 2 + 17 + 18
    assert done.occurrences
    assert load(done.folder).intensity.aus == load(installation).intensity.aus
    assert (done.folder / "installed.json").is_file()
    assert [p.name for p in done.folder.parent.iterdir()] == ["openface2"], "nothing left lying about"


def test_refusing_the_licence_installs_nothing(installation: Path, tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match="not accepted"):
        pull.install(lambda text: False, from_folder=installation, to=tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_licence_file_of_the_installation_is_shown(tmp_path: Path) -> None:
    folder = synthetic.write_installation(tmp_path)
    (folder / "Copyright.txt").write_text("the installation's own words")
    shown = []
    pull.install(lambda text: shown.append(text) is None, from_folder=folder, to=tmp_path / "to")
    assert "the installation's own words" in shown[0]


def test_incomplete_folder_is_refused_before_any_question(tmp_path: Path) -> None:
    def never(text: str) -> bool:
        raise AssertionError("asked in vain")

    with pytest.raises(UserInputError, match="no complete set"):
        pull.install(never, from_folder=tmp_path)


def test_damaged_model_leaves_the_old_installation(installation: Path, tmp_path: Path) -> None:
    target = tmp_path / "to"
    pull.install(yes, from_folder=installation, to=target)
    before = contents(target)
    broken = tmp_path / "broken"
    broken.mkdir()
    synthetic.write_installation(broken)
    (broken / "svr_combined" / "AU_1_dynamic_intensity_comb.dat").write_bytes(b"not a model")
    with pytest.raises(ModelFileError, match="11 bytes"):
        pull.install(yes, from_folder=broken, to=target)
    assert contents(target) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["broken", "to"]


def repository(folder: Path, asked: list[str]) -> pull.Fetch:
    def fetch(url: str) -> bytes | None:
        asked.append(url)
        assert url.startswith(pull.BASE)
        path = folder / url.removeprefix(pull.BASE + pull.MODELS)
        return path.read_bytes() if path.is_file() else None

    return fetch


def test_download(installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    known = installation / "svr_combined" / "AU_12_static_intensity_comb.dat"
    monkeypatch.setattr(pull, "KNOWN_SHA256", {known.name: file_sha256(known)})
    done = pull.install(yes, to=tmp_path / "to", fetch=repository(installation, asked))
    assert len(done.files) == 37
    assert sum("AU_20_dynamic" in url for url in asked) == 3, "with and without _comb, and the classifier"


def test_download_with_another_checksum(installation: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="checksum"):
        pull.install(yes, to=tmp_path / "to", fetch=repository(installation, []))
    assert not (tmp_path / "to").exists()


def test_download_of_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=r"has no .*use --from"):
        pull.install(yes, to=tmp_path / "to", fetch=lambda url: None)


def test_default_folder_follows_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FACEMIRROR_CACHE", str(tmp_path))
    assert pull.default_folder() == tmp_path / "openface2"


def test_the_real_set_installs(real_folder: Path, tmp_path: Path) -> None:
    shown: list[str] = []
    done = pull.install(lambda text: shown.append(text) is None, from_folder=real_folder, to=tmp_path / "to")
    assert done.occurrences
    assert "Carnegie Mellon" in shown[0]
