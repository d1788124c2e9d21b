"""`python -m realtime` is `facemirror-live`."""

from realtime.cli import entry

if __name__ == "__main__":
    entry()
