"""Training of the 98-point network on photographs and rendered heads."""
