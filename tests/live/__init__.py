"""The program as a user starts it: real processes, a real sound server, a real browser. Nothing sleeps for a fixed time.

What belongs to the suite takes seconds and runs where PulseAudio is. What takes minutes runs when LIVE_TESTS is set:

LIVE_TESTS=1 pytest tests/live -s
"""
