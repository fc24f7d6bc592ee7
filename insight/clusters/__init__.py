"""Matters without a name: what citizens say, grouped by meaning, place and time, and what of it grows."""
