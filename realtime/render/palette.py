"""Colours (BGR) that people with any common colour blindness tell apart (Okabe and Ito, 2008)."""

Colour = tuple[int, int, int]

LEFT: Colour = (0, 159, 230)  # orange: the patient's left
RIGHT: Colour = (233, 180, 86)  # sky blue: the patient's right
NEUTRAL: Colour = (240, 240, 240)
WARNING: Colour = (66, 228, 240)  # yellow
DIM: Colour = (150, 150, 150)
BOX: Colour = (115, 158, 0)  # bluish green
INK: Colour = (20, 20, 20)
