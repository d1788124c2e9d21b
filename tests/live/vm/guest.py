"""What runs inside the machine: `python -m tests.live.vm.guest RESULTS`."""

import signal
import sys
from pathlib import Path

from tests.live.vm import camera, checks, virtual_camera


def main() -> None:
    """Every check, in order."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    checks.prepare()
    check = checks.Checks(Path(sys.argv[1] if len(sys.argv) > 1 else "results.json"))
    virtual_camera.look(check)
    camera.look(check)


if __name__ == "__main__":
    main()
