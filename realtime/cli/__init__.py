"""The command line. `main` is the entry point of `facemirror-live`.

Exit codes: 0 fine, 2 the user's words or input are wrong, 3 a device or file failed, 130 interrupted.
"""

import contextlib
import errno
import logging
import os
import signal
import sys
from collections.abc import Sequence

from realtime.cli.terminal import MessageHandler, messages, prepare_streams
from realtime.errors import FacemirrorError
from realtime.files import described, shortened
from realtime.privacy import restrict_new_files

__all__ = ["entry", "main"]

INTERRUPTED = 130
_LETTING_GO_SECONDS = 1.0
_MESSAGES_SECONDS = 2.0
_WRONG_NAMES = (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[MessageHandler()])
    try:
        from realtime.cli.parser import build_parser  # takes part of a second, in which Ctrl-C may come

        options = build_parser().parse_args(arguments)
        return int(options.command(options))
    except FacemirrorError as error:
        messages.say(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        messages.say("interrupted.")
        return INTERRUPTED
    except OSError as error:
        messages.say(described(error))
        return 2 if error.errno in _WRONG_NAMES else 3
    except MemoryError as error:
        messages.say(described(error))
        return 3
    except ImportError as error:
        why = " ".join(str(error).split())
        messages.say(
            f"A part of the program cannot be loaded ({why}): the installation is not whole, or memory is short."
        )
        return 3
    except RuntimeError as error:
        if "can't start new thread" not in str(error):
            raise
        messages.say(
            "The system gives this process no more threads (ulimit -u, or a container's limit): raise the limit."
        )
        return 3
    except UnicodeEncodeError as error:
        messages.say(f"{shortened(error.object)} cannot be used: it is no UTF-8.")
        return 2
    finally:
        messages.flush(_MESSAGES_SECONDS)


def _interrupt_once() -> None:
    """Ctrl-C raises KeyboardInterrupt the first time; more of them do not disturb what it ends."""
    interrupted = False

    def handle(_number: int, _frame: object) -> None:
        nonlocal interrupted
        if not interrupted:
            interrupted = True
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, handle)


def _unraisable(found: "sys.UnraisableHookArgs") -> None:
    """Without descriptors asyncio cannot open a loop, which is told; that it cannot close the half of it either is not."""
    if getattr(found.object, "__qualname__", "") != "BaseEventLoop.__del__":
        sys.__unraisablehook__(found)


def entry() -> None:
    """Console script."""
    output = prepare_streams()
    sys.unraisablehook = _unraisable
    _interrupt_once()
    restrict_new_files()
    try:
        code = main()
    except SystemExit as ended:  # argparse's, after --help and --version or about wrong words
        code = ended.code if isinstance(ended.code, int) else 0
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the default's would come back at the interpreter's end
    output.flush()
    if output.failure:
        messages.say(f"What was printed could not be written ({output.failure}).")
        messages.flush(_MESSAGES_SECONDS)
        code = code or 3
    if not messages.flush(0.0):
        # Nobody reads what the thread is writing; the interpreter would wait for it at its end.
        os._exit(code)
    media = sys.modules.get("realtime.media.decoder_thread")
    if media is not None and not media.wait_for_readers(_LETTING_GO_SECONDS):
        # A thread that libav keeps cannot be ended; taking the interpreter down under it would end in an abort.
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
