"""`facemirror-live open`: one session or two, in the browser."""

import argparse
import asyncio
import os

from realtime.dashboard.security import TOKEN_VARIABLE, make_token
from realtime.errors import UserInputError


def open_sessions(options: argparse.Namespace) -> int:
    """Serve the viewer until Ctrl-C, and print its link.

    Raises:
        UserInputError: a folder is no session, or is being recorded right now.
    """
    from realtime.viewer.service import Viewer

    folders = [options.session, *([] if options.second is None else [options.second])]
    if len(folders) == 2 and folders[0].resolve() == folders[1].resolve():
        raise UserInputError(f"{folders[0]} is named twice; name two sessions, or one.")
    viewer = Viewer(folders, options.port, make_token(os.environ.get(TOKEN_VARIABLE)), options.video)

    def ready() -> None:
        print(f"Viewer: {viewer.url}", flush=True)
        print("Open this link in a browser on this machine; Ctrl-C ends.", flush=True)

    try:
        asyncio.run(viewer.run(ready))
    except KeyboardInterrupt:
        return 0
    return 0
