"""`python -m tools.profile --trace FILE` or `--summary FILE`: component, total, share, mean per call, calls."""

import argparse
import json
from pathlib import Path
from typing import Any

from realtime.errors import UserInputError
from tools.command import guarded
from tools.profile import session


def read(path: Path) -> Any:
    """A JSON file. Raises UserInputError when it is missing, cut off or no JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserInputError(f"{path} cannot be read: {error.strerror}.") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise UserInputError(
            f"{path.name} is cut off or no JSON; was the run ended before it wrote the file?"
        ) from None


def main(arguments: list[str] | None = None) -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m tools.profile", description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--trace", type=Path, help="what `facemirror-live run --trace` wrote: every call")
    source.add_argument("--summary", type=Path, help="what `facemirror-live run --summary` wrote: medians")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    values = read(options.trace or options.summary)
    profile = session.from_trace(values) if options.trace else session.from_summary(values)
    print(session.text(profile))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(profile.as_values(), indent=2), encoding="utf-8")


if __name__ == "__main__":
    guarded(main)
