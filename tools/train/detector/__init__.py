"""Training of the face detector on composites, with the official network as the teacher."""
