"""What comes in and goes out: cameras, files, streams and the demo; recording, virtual camera, preview window."""
