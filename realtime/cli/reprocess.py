"""`facemirror-live reprocess`."""

import argparse

from realtime.openface2.reprocess import reprocess as offline_pass
from realtime.session.manifest import add_to_manifest


def reprocess(options: argparse.Namespace) -> int:
    """The full offline pass; writes beside the session's own files, which stay as they are, and lists it in the manifest."""
    results = offline_pass(options.session)
    add_to_manifest(options.session, [done.output for done in results], "reprocess")
    for done in results:
        print(f"{done.output}: {done.frames} frames, {done.measured} with Action Units")
    return 0
