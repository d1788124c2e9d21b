"""Thin wrappers: where the graph meets cameras, networks and mathematics. Each calls one thing and keeps no rules of its own."""
