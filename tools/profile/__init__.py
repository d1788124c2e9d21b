"""Where a session's time went, in the shape of a profiler's table."""
