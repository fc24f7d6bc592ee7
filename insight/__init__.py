"""Counts what the city calls about: early warnings, and later the hall and its reports."""
