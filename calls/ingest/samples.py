"""The order of bytes in linear samples.

In: 16-bit samples. Out: the same, little-endian. Not known here: where they came from.
"""

import numpy as np


def little_endian(data: bytes) -> bytes:
    """Network order (RFC 3551, L16) as the house keeps it; a torn last sample stays as it is."""
    whole = len(data) - len(data) % 2
    return np.frombuffer(data[:whole], ">i2").astype("<i2").tobytes() + data[whole:]
