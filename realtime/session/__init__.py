"""What a session leaves behind: its folder, one CSV row per captured frame, and session.json."""
