"""The program as a user starts it: real processes, a real sound server, a real browser. Nothing sleeps for a fixed time.

What belongs to the suite takes seconds and runs where PulseAudio is. What takes minutes runs when FACEMIRROR_LIVE is set:

FACEMIRROR_LIVE=1 pytest tests/live -s
"""
