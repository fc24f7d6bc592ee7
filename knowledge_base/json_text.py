"""JSON as this project writes it: Chinese stays Chinese, the same value is always the same text.

In: values that JSON can hold.
Out: compact text, and the way back.
Not known here: who stores it.
"""

import json
from typing import Any


def dumps(value: Any) -> str:
    """Write the value on one line, keys in order, characters unescaped."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)


def loads(text: str) -> Any:
    """Read the value again."""
    return json.loads(text)
