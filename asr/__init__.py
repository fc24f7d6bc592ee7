"""Hears: bytes become audio frames, utterances and at last segments of readable text."""
