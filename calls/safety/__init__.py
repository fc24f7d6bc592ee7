"""Safety: what must not wait is recognised while the citizen still speaks."""
