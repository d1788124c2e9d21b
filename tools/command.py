"""What every offline command does at its edge: one sentence for a user's mistake, and the exit code it has elsewhere too."""

import sys
from collections.abc import Callable
from importlib.util import find_spec

from realtime.errors import FacemirrorError, UserInputError


def guarded(main: Callable[[], None]) -> None:
    """Run a command; a FacemirrorError becomes one line on stderr and its exit code."""
    try:
        main()
    except FacemirrorError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def require(*packages: str) -> None:
    """Raises UserInputError with what to install when a package of the tools extra is missing."""
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise UserInputError(
            f"this needs {' and '.join(missing)}, not installed here; install with: pip install 'facemirror-live[tools]'"
        )
