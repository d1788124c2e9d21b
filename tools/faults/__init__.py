"""Fault injection: the whole program in a process of its own, under limits and failures of the machine."""
