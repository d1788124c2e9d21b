"""Text cells that no spreadsheet runs as a formula, and that are read back as they were typed.

Excel, LibreOffice and Google Sheets run a cell that begins with =, +, - or @ (also in their full-width forms), and some of
them skip blanks, tabs and line ends before it. An apostrophe in front makes it text there. A cell is also cut at
semicolons and tabs where the user's system separates columns by them, so the same holds after each of those, and after a
line end inside the text.
"""

import re

_PLACE = r"(^|[;\t\r\n])"
_FORMULA = r"(?=[^\S\t\r\n]*[=+\-@＝＋－＠])"
_RISKY = re.compile(rf"\A('*)(?=[\t\r\n])|{_PLACE}('*){_FORMULA}")
_GUARDED = re.compile(rf"\A'('*)(?=[\t\r\n])|{_PLACE}'('*){_FORMULA}")


def guarded(text: str) -> str:
    """The text with an apostrophe wherever a spreadsheet would begin a formula; `as_typed` takes them out again."""
    return _RISKY.sub(lambda found: f"{found[2] or ''}'{found[1] or found[3] or ''}", text)


def as_typed(cell: str) -> str:
    """What `guarded` was given. A cell that it would not have changed comes back as it is."""
    return _GUARDED.sub(lambda found: f"{found[2] or ''}{found[1] or found[3] or ''}", cell)
