"""Keeps: what happened on every call, in order and durably, before anybody is shown it."""
