"""What can be set of how often somebody may ask.

In: variables that begin with `ZHITING_`. Out: fields of `Settings`, and the limits they make.
Not known here: who keeps them.
"""

from pydantic import Field
from pydantic_settings import BaseSettings

from agent_ui.limits import Kind, RateLimits


class RateSettings(BaseSettings):
    """Fields of `Settings`."""

    rate_reads: int = Field(default=1200, ge=0)
    """Requests of one person that change nothing, a minute, and at most so many at once; 0: no limit."""
    rate_changes: int = Field(default=600, ge=0)
    """The same for requests that change something, and for what a screen does over its socket."""
    rate_heavy: int = Field(default=120, ge=0)
    """The same for uploads, exports, reports and searches over calls."""
    rate_sockets: int = Field(default=300, ge=0)
    """The same for opening sockets."""
    rate_token_factor: int = Field(default=20, ge=1)
    """How many times as much a program with a token may do as a person."""
    rate_address_factor: int = Field(default=100, ge=0)
    """How many times as much may come from one network address, whoever asks; 0: no limit."""

    @property
    def rate_limits(self) -> RateLimits:
        """All of it together."""
        return RateLimits(
            per_minute={
                Kind.READ: self.rate_reads,
                Kind.CHANGE: self.rate_changes,
                Kind.HEAVY: self.rate_heavy,
                Kind.SOCKET: self.rate_sockets,
            },
            token_factor=self.rate_token_factor,
            address_factor=self.rate_address_factor,
        )
