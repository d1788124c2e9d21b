"""Sound: a microphone recorded on the picture's clock, and a tone that follows the face."""
