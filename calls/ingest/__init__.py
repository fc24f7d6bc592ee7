"""Doors for sound: each module turns one carrier's protocol into openings, bytes and hang-ups."""
