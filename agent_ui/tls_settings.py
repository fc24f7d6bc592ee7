"""What can be set of encryption on the wire: HTTPS, and SIP over TLS.

In: variables that begin with `ZHITING_`. Out: a part of `Settings`, checked; contexts that keep to it.
Not known here: certificates, who listens.
"""

import ssl
from typing import Literal

from pydantic import field_validator
from pydantic_settings import BaseSettings

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Forward secrecy and authenticated encryption alone. TLS 1.3 has no others anyway."""


class TlsSettings(BaseSettings):
    """Fields of `Settings`."""

    tls_min: Literal["1.2", "1.3"] = "1.2"
    """The oldest version of TLS that is spoken."""
    tls_ciphers: str = CIPHERS
    """Cipher suites of TLS 1.2, in OpenSSL's words."""

    @field_validator("tls_ciphers")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).set_ciphers(value)
        except ssl.SSLError:
            raise ValueError("none of these cipher suites is known to the OpenSSL of this Python") from None
        return value

    def fit_tls(self, context: ssl.SSLContext) -> None:
        """Have a server's context keep to the settings."""
        context.minimum_version = ssl.TLSVersion.TLSv1_3 if self.tls_min == "1.3" else ssl.TLSVersion.TLSv1_2
        context.set_ciphers(self.tls_ciphers)
