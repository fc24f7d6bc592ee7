"""Which language model is asked.

In: nothing; this module imports no other module of the project. Out: `EndpointOptions`.
Not known here: how it is asked.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointOptions:
    """Where the model is, and how much of it is wanted."""

    url: str
    """Up to and with `/v1`."""
    model: str
    key: str = field(default="", repr=False)
    timeout_s: float = 20.0
    answer_tokens: int = 1_200

    def __post_init__(self) -> None:
        if self.timeout_s <= 0 or self.answer_tokens < 1:
            raise ValueError("timeout_s and answer_tokens must be positive")
