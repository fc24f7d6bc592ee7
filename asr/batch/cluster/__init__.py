"""The same recordings by many machines: who gets which file, what is kept where all can see it."""
