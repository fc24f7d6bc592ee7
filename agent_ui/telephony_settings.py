"""What can be set for telephone systems that come over ports of their own.

In: variables that begin with `ZHITING_`. Out: a part of `Settings`, checked.
Not known here: who uses which of them.
"""

from ipaddress import ip_network
from typing import Literal

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings

from agent_ui.origins import is_loopback

CARRIERS_BY_PORT = ("audiosocket", "ari", "siprec")
"""Carriers that do not come over a websocket."""


class TelephonySettings(BaseSettings):
    """Ports for telephone systems; none is open unless it is set."""

    telephony_host: str = "127.0.0.1"
    """Address on which ports of telephone systems listen; another than loopback needs `telephony_peers`."""
    telephony_peers: list[str] = []
    """Addresses and networks from which telephone systems may come; empty: from everywhere."""
    telephony_address: str = ""
    """Address that telephone systems are told to send sound to; empty: `telephony_host`."""
    rtp_ports: str = ""
    """UDP ports for sound, as `40000-40999`: two for each leg; empty: none."""
    rtp_idle_s: float = Field(default=60.0, ge=1)
    """Seconds without a packet after which a call is over that ends by no word: ARI's."""
    audiosocket_port: int = Field(default=0, ge=0, le=65535)
    """Port for the citizens' legs of Asterisk's AudioSocket; 0: none."""
    audiosocket_operator_port: int = Field(default=0, ge=0, le=65535)
    """Port for the operators' legs; 0: calls have the citizen's leg alone."""
    audiosocket_announced_only: bool = False
    """Whether only lines are taken that were announced by `POST /v1/telephony/lines`."""

    siprec_port: int = Field(default=0, ge=0, le=65535)
    """Port, UDP and TCP, on which a SIPREC recording server answers; 0: none. Needs `rtp_ports`."""
    siprec_tls_port: int = Field(default=0, ge=0, le=65535)
    """Port for SIP over TLS, with `tls_cert`; 0: none."""
    siprec_user: str = ""
    """Name with which recording clients must begin sessions, with `siprec_password`; empty: without."""
    siprec_password: SecretStr = SecretStr("")
    siprec_algorithms: list[Literal["SHA-256", "MD5"]] = ["SHA-256", "MD5"]
    """In which clients may prove that they know the password, the better one first."""

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
        if self.rtp_ports:
            first, last = self.rtp_range
            if not 1024 <= first < last <= 65_535:
                raise ValueError("rtp_ports must be two ports from 1024 on, as 40000-40999")
        if self.siprec_port and not self.rtp_ports:
            raise ValueError("siprec_port needs rtp_ports: there is nowhere to send sound to")
        if bool(self.siprec_user) != bool(self.siprec_password.get_secret_value()):
            raise ValueError("siprec_user and siprec_password go together")
        if not self.siprec_algorithms:
            raise ValueError("siprec_algorithms must name one at least")
        if self.siprec_tls_port and not self.siprec_port:
            raise ValueError("siprec_tls_port needs siprec_port")
        is_listening = self.audiosocket_port or self.rtp_ports
        if is_listening and not is_loopback(self.telephony_host) and not self.telephony_peers:
            raise ValueError(
                f"refusing to listen on {self.telephony_host} for whoever comes: set ZHITING_TELEPHONY_PEERS"
            )
        if self.rtp_ports and self.telephony_host in ("0.0.0.0", "::") and not self.telephony_address:  # noqa: S104
            raise ValueError("rtp_ports on all addresses needs telephony_address: nobody knows where to send")
        return self

    @property
    def rtp_range(self) -> tuple[int, int]:
        """First and last port for sound. Raises `ValueError`."""
        first, _, last = self.rtp_ports.partition("-")
        try:
            return int(first), int(last)
        except ValueError:
            raise ValueError("rtp_ports must be two ports from 1024 on, as 40000-40999") from None

    @property
    def told_address(self) -> str:
        """Where telephone systems are told to send sound."""
        return self.telephony_address or self.telephony_host
