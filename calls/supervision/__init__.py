"""Supervision: which work orders somebody has to look after."""
