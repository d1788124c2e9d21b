"""What the engine itself refuses."""


class GraphError(Exception):
    """The graph is not one that can run; the sentence says which node or edge, and what to change."""
