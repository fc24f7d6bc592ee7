"""The form of a call: what is drafted of it, what people make of that, and the order that comes of it."""
