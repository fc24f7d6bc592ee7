"""Recordings by the file: from one to a year of them, each once and none lost."""
