"""Where OBS is and with which password: the address's form, the environment, OBS's own settings file, a prompt.

Never the command line: other users of the machine can read it.
"""

import configparser
import getpass
import json
import os
import sys
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from realtime.errors import UserInputError
from realtime.files import home_folder

VARIABLE = "FACEMIRROR_OBS_PASSWORD"
# OBS 30 and later, and OBS 28 and 29.
_SETTINGS = Path("obs-studio", "plugin_config", "obs-websocket", "config.json")
_OLD_SETTINGS = Path("obs-studio", "global.ini")
_LARGEST = 1 << 20


def check_address(url: str) -> str:
    """Refuse what is no ws://HOST:PORT.

    Returns:
        The address, with the port 4455 where it names none.

    Raises:
        UserInputError: it is another kind of address, or holds a password.
    """
    wanted = f"--obs reads ws://HOST:PORT, such as ws://127.0.0.1:4455, not {url[:100]!r}."
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UserInputError(wanted) from None
    if "@" in parts.netloc:
        raise UserInputError(f"--obs takes no password: others could read it there; set {VARIABLE} instead.")
    if parts.scheme not in ("ws", "wss") or not parts.hostname or parts.path not in ("", "/") or parts.query:
        raise UserInputError(wanted)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{4455 if port is None else port}"


def is_this_machine(url: str) -> bool:
    """Tell whether an address is one of the loopback's."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def find_password(
    url: str,
    environment: Mapping[str, str] | None = None,
    folders: tuple[Path, ...] | None = None,
) -> str | None:
    """Look in the environment, then, for an OBS of this machine, in its own settings file.

    Args:
        url: of OBS.
        environment: default: the process's.
        folders: where OBS keeps its settings; default: of this system.

    Returns:
        The password; None: there is none.
    """
    given = (os.environ if environment is None else environment).get(VARIABLE)
    if given is not None:
        return given
    if not is_this_machine(url):
        return None
    for folder in _settings_folders() if folders is None else folders:
        found = _from_settings(folder / _SETTINGS) or _from_old_settings(folder / _OLD_SETTINGS)
        if found is not None:
            return found
    return None


def ask_for_password(url: str, read: Callable[[str], str] = getpass.getpass) -> str | None:
    """Ask on the terminal, without showing what is typed.

    Args:
        url: of OBS.
        read: asks on the terminal.

    Returns:
        The password; None where there is no terminal, or nothing was typed.
    """
    if not sys.stdin.isatty():
        return None
    return read(f"Password of the OBS at {url}: ") or None


def _from_settings(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            settings = json.loads(file.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(settings, dict) or settings.get("auth_required") is False:
        return None
    found = settings.get("server_password")
    return found if isinstance(found, str) and found else None


def _from_old_settings(path: Path) -> str | None:
    settings = configparser.RawConfigParser(strict=False)
    try:
        settings.read_string(path.read_text(encoding="utf-8-sig"))
        if not settings.getboolean("OBSWebSocket", "AuthRequired", fallback=True):
            return None
        return settings.get("OBSWebSocket", "ServerPassword", fallback=None) or None
    except (OSError, ValueError, configparser.Error):
        return None


def _settings_folders() -> tuple[Path, ...]:
    home = home_folder()
    if sys.platform == "win32":
        return (Path(os.environ.get("APPDATA", home / "AppData" / "Roaming")),)
    if sys.platform == "darwin":
        return (home / "Library" / "Application Support",)
    flatpak = home / ".var" / "app" / "com.obsproject.Studio" / "config"
    return (Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config"), flatpak)
