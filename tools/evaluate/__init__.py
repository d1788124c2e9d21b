"""Figures of the committed models, from the committed files."""
