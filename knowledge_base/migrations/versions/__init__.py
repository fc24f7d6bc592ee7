"""The versions, in order; each knows only the one before it."""
