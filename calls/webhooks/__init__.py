"""Events for other systems: kept until each receiver has them, signed, in order."""
