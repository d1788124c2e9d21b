"""The files that pages are made of, read once. Only what is in this table can be served, so no path leads anywhere else."""

import json
from dataclasses import dataclass
from importlib.resources import files

from realtime.action_units.names import NAMES
from realtime.clinic.language import languages
from realtime.clinic.protocol import BUILT_IN
from realtime.render import palette
from realtime.render.face_diagram import EXPRESSIONS, FOLDS, LEAST_FOLD, LIPS, SKIN, shapes
from realtime.types import F32

_TYPES = {
    "html": "text/html",
    "css": "text/css",
    "js": "text/javascript",
    "txt": "text/plain",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
}
PAGES = {"/": "dashboard.html", "/overlay": "overlay.html", "/examine": "examine.html"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file's content and its media type.

    Attributes:
        content: bytes.
        media_type: for the header.
    """

    content: bytes
    media_type: str


def assets_of(package: str) -> dict[str, Asset]:
    """The files of a package's folder `assets`, by file name.

    Args:
        package: its full name.
    """
    return {
        entry.name: Asset(entry.read_bytes(), _TYPES[entry.name.rsplit(".", 1)[1]])
        for entry in files(package).joinpath("assets").iterdir()
        if entry.name.rsplit(".", 1)[-1] in _TYPES
    }


def load_assets() -> dict[str, Asset]:
    """Everything that the dashboard's pages are made of, by file name."""
    found = assets_of("realtime.dashboard")
    found["palette.css"] = Asset(palette_css().encode(), "text/css")
    found["guide.js"] = Asset(guide_js().encode(), _TYPES["js"])
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


def guide_js() -> str:
    """What the page of the examination draws and says: the drawn face, protocols, and the labels of every language."""
    drawn = {
        movement: {
            name: [_rounded(shapes(movement, peak=False)[name]), _rounded(shapes(movement, peak=True)[name])]
            for name in shapes(movement, peak=False)
        }
        for movement in EXPRESSIONS
    }
    colours = {"skin": _css(SKIN), "lips": _css(LIPS), "white": _css(palette.NEUTRAL), "ink": _css(palette.INK)}
    labels = {code: dict(words.labels) for code, words in languages().items()}
    parts = {
        "SHAPES": drawn,
        "COLOURS": colours,
        "LEAST_FOLD": LEAST_FOLD,
        "FOLDS": FOLDS,
        "LABELS": labels,
        "PROTOCOLS": BUILT_IN,
    }
    return "".join(f"export const {name} = {json.dumps(value)};\n" for name, value in parts.items())


def _rounded(points: F32) -> list[list[float]]:
    return [[round(float(x), 3), round(float(y), 3)] for x, y in points]


def _css(colour: palette.Colour) -> str:
    return f"rgb({colour[2]}, {colour[1]}, {colour[0]})"
