"""Kills a server at random moments, again and again, and looks for what was lost or doubled.

`zhiting try kills` runs it. What was found: docs/faults.md.
"""
