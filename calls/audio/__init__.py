"""The sound of ended calls: compressed, sealed, and read again from any place."""
