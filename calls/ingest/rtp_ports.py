"""UDP ports on which RTP is received: a leg has one, from a range that the house names.

In: a range. Out: ports, each with what arrives there; RTCP, one port above, is taken and thrown away.
Not known here: RTP, calls.

A port listens to one sender: the first that comes, or another one after that was silent for half a second, or
at once where it was said that there will be another one.
"""

import asyncio
import itertools
import socket
from collections.abc import Callable, Sequence
from functools import partial

from calls.ingest.peers import Network, may_come
from calls.types import HouseFull

Arrived = Callable[[bytes, float], None]
"""(datagram, moment of its arrival)"""

_SILENT_S = 0.5
_BUFFER_BYTES = 1_000_000
"""Kept by the system while this process is busy; it may allow less."""


class RtpPort(asyncio.DatagramProtocol):
    """One port; `close` gives it back."""

    def __init__(self, port: int, networks: Sequence[Network], arrived: Arrived):
        self.port = port
        self.strangers = 0
        """Datagrams from elsewhere."""
        self._networks = networks
        self._arrived = arrived
        self._sender: tuple[str, int] | None = None
        self._heard_s = 0.0
        self._is_another_expected = False
        self._transports: list[asyncio.BaseTransport] = []

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Take a datagram of the sender that this port listens to."""
        now_s = asyncio.get_running_loop().time()
        if addr[:2] != self._sender:
            is_taken = self._sender is not None and now_s - self._heard_s < _SILENT_S
            if is_taken and not self._is_another_expected:
                self.strangers += 1
                return
            if not may_come(addr[0], self._networks):
                self.strangers += 1
                return
            self._sender = (addr[0], addr[1])
            self._is_another_expected = False
        self._heard_s = now_s
        self._arrived(data, now_s)

    def expect_another(self) -> None:
        """The next sender that is a new one is taken at once."""
        self._is_another_expected = self._sender is not None

    def keep(self, transport: asyncio.BaseTransport) -> None:
        """What is closed with the port."""
        self._transports.append(transport)

    def close(self) -> None:
        """Listen no more."""
        for transport in self._transports:
            transport.close()


class RtpPorts:
    """The range."""

    def __init__(self, *, host: str, first: int, last: int, networks: Sequence[Network] = ()):
        self._host = host
        self._networks = networks
        self._ports = itertools.cycle(range(first + first % 2, last + 1, 2))
        self._count = max(0, (last - first - first % 2) // 2 + 1)

    async def open(self, arrived: Arrived) -> RtpPort:
        """A port that is free, and the one above it. Raises `HouseFull` where none is."""
        loop = asyncio.get_running_loop()
        for port in itertools.islice(self._ports, self._count):
            one = RtpPort(port, self._networks, arrived)
            try:
                rtp, _ = await loop.create_datagram_endpoint(partial(_same, one), (self._host, port))
                one.keep(rtp)
                rtp.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
                rtcp, _ = await loop.create_datagram_endpoint(
                    asyncio.DatagramProtocol, (self._host, port + 1)
                )
                one.keep(rtcp)
            except OSError:
                one.close()
                continue
            return one
        raise HouseFull("RTP 端口已用完，请增大 ZHITING_RTP_PORTS。")


def _same(port: RtpPort) -> RtpPort:
    return port
