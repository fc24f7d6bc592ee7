"""The second engine of drafts: a language model behind an OpenAI-compatible endpoint."""
