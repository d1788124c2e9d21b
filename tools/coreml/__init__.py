"""The networks as Core ML packages for a Mac's Neural Engine. Converts on every system; runs on a Mac only."""
