"""Where OBS's password comes from, and which addresses are taken."""

import json
import os
from pathlib import Path

import pytest

from realtime.errors import UserInputError
from realtime.obs.password import check_address, find_password

HERE = "ws://127.0.0.1:4455"


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("ws://localhost", "ws://localhost:4455"),
        ("ws://192.168.0.7:4460/", "ws://192.168.0.7:4460"),
        ("wss://[::1]:1", "wss://[::1]:1"),
    ],
)
def test_addresses(given: str, taken: str) -> None:
    assert check_address(given) == taken


@pytest.mark.parametrize("given", ["localhost:4455", "http://x", "ws://", "ws://h:99999", "ws://h/path", "ws://[::1"])
def test_other_words_are_no_address(given: str) -> None:
    with pytest.raises(UserInputError, match="reads ws://HOST:PORT"):
        check_address(given)


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(UserInputError, match="FACEMIRROR_OBS_PASSWORD") as caught:
        check_address("ws://user:secret@localhost:4455")
    assert "secret" not in str(caught.value)


def test_the_environment_comes_first_then_obs_own_settings(tmp_path: Path) -> None:
    new = tmp_path / "obs-studio" / "plugin_config" / "obs-websocket"
    new.mkdir(parents=True)
    old = tmp_path / "obs-studio" / "global.ini"
    assert find_password(HERE, {}, (tmp_path,)) is None
    old.write_text("\ufeff[General]\nX=1\n[OBSWebSocket]\nAuthRequired=true\nServerPassword=old%1\n", "utf-8")
    assert find_password(HERE, {}, (tmp_path,)) == "old%1"
    (new / "config.json").write_text(json.dumps({"auth_required": True, "server_password": "new"}), "utf-8")
    assert find_password(HERE, {}, (tmp_path,)) == "new"
    assert find_password(HERE, {"FACEMIRROR_OBS_PASSWORD": "own"}, (tmp_path,)) == "own"
    assert find_password("ws://192.168.0.7:4455", {}, (tmp_path,)) is None, "this machine's is not another machine's"


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", '{"server_password": 3}', '{"auth_required": false, "server_password": "x"}']
)
def test_damaged_settings_are_no_password(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "obs-studio" / "plugin_config" / "obs-websocket"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(text, "utf-8")
    (tmp_path / "obs-studio" / "global.ini").write_text("[OBSWebSocket\nx", "utf-8")
    assert find_password(HERE, {}, (tmp_path,)) is None


@pytest.mark.skipif(os.name == "nt", reason="Windows knows every user's folder")
def test_a_user_without_a_home_has_no_password_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    import pwd

    def nobody(number: int) -> None:
        raise KeyError(number)

    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    assert find_password(HERE, {}) is None
