"""Warnings that were raised: kept, told, and what people do with them."""
