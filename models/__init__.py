"""Weights: a manifest of pinned, hashed files, resolved into folders of a local cache."""
