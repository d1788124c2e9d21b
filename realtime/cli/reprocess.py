"""`facemirror-live reprocess`."""

import argparse

from realtime.openface2.reprocess import reprocess as offline_pass


def reprocess(options: argparse.Namespace) -> int:
    """The full offline pass; writes beside the session's own files, which stay as they are."""
    for done in offline_pass(options.session):
        print(f"{done.output}: {done.frames} frames, {done.measured} with Action Units")
    return 0
