"""The command line. `main` is the entry point of `facemirror-live`.

Exit codes: 0 fine, 2 the user's words or input are wrong, 3 a device or file failed, 130 interrupted.
"""

import contextlib
import logging
import os
import sys
from collections.abc import Sequence

from realtime.errors import FacemirrorError
from realtime.privacy import restrict_new_files

INTERRUPTED = 130
_LETTING_GO_SECONDS = 1.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    from realtime.cli.parser import build_parser

    logging.basicConfig(level=logging.WARNING, format="facemirror-live: %(message)s", stream=sys.stderr)
    options = build_parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except FacemirrorError as error:
        print(f"facemirror-live: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("facemirror-live: interrupted.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe went away (`| head`): nothing to say, and nobody to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def entry() -> None:
    """Console script."""
    restrict_new_files()
    code = main()
    media = sys.modules.get("realtime.media.decoder_thread")
    if media is not None and not media.wait_for_readers(_LETTING_GO_SECONDS):
        # A thread that libav keeps cannot be ended; taking the interpreter down under it would end in an abort.
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
