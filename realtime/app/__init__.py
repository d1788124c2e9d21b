"""The program: the pipeline that wires the whole graph, its nodes, its outputs, and what a run does besides."""
