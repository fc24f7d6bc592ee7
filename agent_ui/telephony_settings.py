"""What can be set for telephone systems that come over ports of their own.

In: variables that begin with `ZHITING_`. Out: a part of `Settings`, checked.
Not known here: who uses which of them.
"""

from ipaddress import ip_network

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings

from agent_ui.origins import is_loopback

CARRIERS_BY_PORT = ("audiosocket",)
"""Carriers that do not come over a websocket."""


class TelephonySettings(BaseSettings):
    """Ports for telephone systems; none is open unless it is set."""

    telephony_host: str = "127.0.0.1"
    """Address on which ports of telephone systems listen; another than loopback needs `telephony_peers`."""
    telephony_peers: list[str] = []
    """Addresses and networks from which telephone systems may come; empty: from everywhere."""
    audiosocket_port: int = Field(default=0, ge=0, le=65535)
    """Port for the citizens' legs of Asterisk's AudioSocket; 0: none."""
    audiosocket_operator_port: int = Field(default=0, ge=0, le=65535)
    """Port for the operators' legs; 0: calls have the citizen's leg alone."""
    audiosocket_announced_only: bool = False
    """Whether only lines are taken that were announced by `POST /v1/telephony/lines`."""

    @model_validator(mode="after")
    def _is_telephony_guarded(self) -> "TelephonySettings":
        for peer in self.telephony_peers:
            try:
                ip_network(peer, strict=False)
            except ValueError:
                raise ValueError(f"telephony_peers: {peer} is no address and no network") from None
        if self.audiosocket_operator_port and self.audiosocket_operator_port == self.audiosocket_port:
            raise ValueError("audiosocket_operator_port must be another than audiosocket_port")
        if self.audiosocket_operator_port and not self.audiosocket_port:
            raise ValueError("audiosocket_operator_port needs audiosocket_port")
        if self.audiosocket_port and not is_loopback(self.telephony_host) and not self.telephony_peers:
            raise ValueError(
                f"refusing to listen on {self.telephony_host} for whoever comes: set ZHITING_TELEPHONY_PEERS"
            )
        return self
