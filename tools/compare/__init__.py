"""How far one model, tier or precision is from another on the same pictures."""
