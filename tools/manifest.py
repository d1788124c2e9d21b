"""Bring sizes and checksums in weights/manifest.toml up to date: `python -m tools.manifest [--check]`.

Everything else in the manifest is written by hand.
"""

import argparse
import re
import sys
from pathlib import Path

from realtime.files import file_sha256

WEIGHTS = Path(__file__).resolve().parents[1] / "weights"
EMBEDDED_LIMIT_MB = 8.0


def refreshed(text: str, folder: Path) -> str:
    """The manifest's text with the sizes and checksums of the files as they lie in `folder`."""
    parts = re.split(r"(?m)^(?=\[\[model\]\])", text)
    for number, part in enumerate(parts):
        found = re.search(r'(?m)^file = "([^"]+)"', part)
        if not found or not (folder / found[1]).is_file():
            continue
        path = folder / found[1]
        part = re.sub(r'(?m)^sha256 = "[0-9a-f]*"', f'sha256 = "{file_sha256(path)}"', part)
        parts[number] = re.sub(r"(?m)^bytes = \d+", f"bytes = {path.stat().st_size}", part)
    return "".join(parts)


def main() -> int:
    """Exit code 1 with --check when something is out of date or too large."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing")
    arguments = parser.parse_args()
    file = WEIGHTS / "manifest.toml"
    old = file.read_text(encoding="utf-8")
    new = refreshed(old, WEIGHTS)
    if not arguments.check:
        file.write_text(new, encoding="utf-8")
    total = sum(path.stat().st_size for path in WEIGHTS.glob("*.onnx")) / 1e6
    print(f"{total:.2f} MB of models; the manifest {'was up to date' if old == new else 'had to change'}")
    return int(total > EMBEDDED_LIMIT_MB or (arguments.check and old != new))


if __name__ == "__main__":
    sys.exit(main())
