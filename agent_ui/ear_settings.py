"""What can be set about where calls are recognised.

In: variables that begin with `ZHITING_`. Out: a part of `Settings`, checked.
Not known here: who uses which of them.
"""

from typing import Literal

from pydantic import model_validator
from pydantic_settings import BaseSettings


class EarSettings(BaseSettings):
    """In this process, unless it is set otherwise."""

    ears: Literal["local", "ray"] = "local"
    """Where calls are recognised: `local`, in this process, or `ray`, by machines that run `zhiting ears`."""
    ray_address: str = "auto"
    """Address of Ray's head, as `10.0.0.1:6379`; `auto`: the Ray that this machine has joined."""
    ears_fallback: bool = False
    """Whether this process recognises by itself while no such machine can be reached; needs its memory."""

    @model_validator(mode="after")
    def _is_ray_named(self) -> "EarSettings":
        if self.ears == "ray" and not self.ray_address:
            raise ValueError("ears=ray needs ray_address: auto, or the address of Ray's head")
        return self
