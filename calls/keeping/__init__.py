"""How long calls are kept, what keeps them longer, and how they go."""
