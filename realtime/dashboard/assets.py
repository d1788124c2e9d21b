"""The files that pages are made of, read once. Only what is in this table can be served, so no path leads anywhere else."""

import json
from dataclasses import dataclass
from importlib.resources import files

from realtime.action_units.names import NAMES
from realtime.render import palette

_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "txt": "text/plain", "svg": "image/svg+xml"}
PAGES = {"/": "dashboard.html", "/overlay": "overlay.html"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file's content and its media type."""

    content: bytes
    media_type: str


def load_assets() -> dict[str, Asset]:
    """By file name."""
    found = {
        entry.name: Asset(entry.read_bytes(), _TYPES[entry.name.rsplit(".", 1)[1]])
        for entry in files("realtime.dashboard").joinpath("assets").iterdir()
        if entry.name.rsplit(".", 1)[-1] in _TYPES
    }
    found["palette.css"] = Asset(palette_css().encode(), "text/css")
    found["names.js"] = Asset(names_js().encode(), _TYPES["js"])
    return found


def palette_css() -> str:
    """The picture's colours for the pages."""
    named = {"left": palette.LEFT, "right": palette.RIGHT, "warning": palette.WARNING, "good": palette.BOX}
    lines = [f"  --{name}: rgb({r}, {g}, {b});" for name, (b, g, r) in named.items()]
    return ":root {\n" + "\n".join(lines) + "\n}\n"


def names_js() -> str:
    """The Action Units' names and muscles as a module for the pages: {unit: [name, muscle]}."""
    return f"export const NAMES = {json.dumps({unit: list(name) for unit, name in NAMES.items()})};\n"
