"""After the call: what an operator would have typed, drafted from what was said."""
