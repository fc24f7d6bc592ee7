"""Remembers: files become articles, articles become passages, passages become a published version."""
