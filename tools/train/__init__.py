"""Training of the embedded models; needs the tools extra and the development material."""
