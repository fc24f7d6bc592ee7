"""Recordings by the hundred: jobs that people and programs leave with the server."""
