"""Sessions in the browser: their recording frame by frame with what was measured drawn over it, curves, markers and labels.

`service` is the server of `facemirror-live open`; `routes` are the same pages, for a dashboard to take in.
"""
