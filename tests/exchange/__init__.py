"""Exchange: annotations, formats of other programs, alignment and agreement."""
