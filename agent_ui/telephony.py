"""The doors of telephone systems that come over ports of their own, opened and closed with the server.

In: settings, the exchange. Out: what was announced of lines, for those who announce.
Not known here: protocols, calls.
"""

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_network

from agent_ui.settings import Settings
from asr.types import Party
from calls.ingest.announcing import Announcements
from calls.ingest.ari import AriCalls
from calls.ingest.audiosocket_server import (
    AudioSocketOptions,
    AudioSocketServer,
    listening_for_audiosocket,
)
from calls.ingest.digest import Digest
from calls.ingest.exchange import Exchange
from calls.ingest.legs import JoinedCalls
from calls.ingest.peers import Network
from calls.ingest.rtp_ports import RtpPorts
from calls.ingest.rules import CarrierRules
from calls.ingest.sip_doors import listening_for_sip
from calls.ingest.siprec_server import SiprecOptions, SiprecServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Telephony:
    """What is open for telephone systems."""

    announcements: Announcements
    ari: AriCalls | None
    """None where no ports for RTP are set."""
    address: str
    """To which sound is sent."""


@asynccontextmanager
async def open_telephony(settings: Settings, exchange: Exchange) -> AsyncIterator[Telephony]:
    """Listen where the settings say so. Raises `SystemExit`, with a sentence, where a port cannot be had."""
    announcements = Announcements()
    async with AsyncExitStack() as stack:
        if settings.audiosocket_port:
            calls = JoinedCalls(exchange, carrier="audiosocket", rules=_rules(settings, "audiosocket"))
            server = AudioSocketServer(_audiosocket_options(settings), calls, announcements, settings.now)
            try:
                await stack.enter_async_context(listening_for_audiosocket(server))
            except OSError as error:
                raise SystemExit(f"cannot listen for AudioSocket: {error.strerror or error}") from None
        ari = None
        if settings.rtp_ports:
            ports = _rtp_ports(settings)
            ari = AriCalls(exchange, ports, rules=_rules(settings, "ari"), idle_s=settings.rtp_idle_s)
            stack.push_async_callback(ari.close)
            if settings.siprec_port:
                await stack.enter_async_context(_siprec(settings, exchange, ports))
        yield Telephony(announcements=announcements, ari=ari, address=settings.told_address)


@asynccontextmanager
async def _siprec(settings: Settings, exchange: Exchange, ports: RtpPorts) -> AsyncIterator[None]:
    """A recording server. Raises `SystemExit`, with a sentence, where a port cannot be had."""
    options = SiprecOptions(
        address=settings.told_address,
        port=settings.siprec_port,
        networks=_networks(settings),
        idle_s=settings.carrier_idle_s,
        digest=_digest(settings),
    )
    server = SiprecServer(options, exchange, ports, rules=_rules(settings, "siprec"))
    tls = None
    if settings.siprec_tls_port and settings.tls_cert is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(settings.tls_cert, settings.tls_key)
        settings.fit_tls(tls)
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(
                listening_for_sip(
                    server.take,
                    host=settings.telephony_host,
                    port=settings.siprec_port,
                    tls_port=settings.siprec_tls_port,
                    tls=tls,
                )
            )
        except OSError as error:
            raise SystemExit(f"cannot listen for SIP: {error.strerror or error}") from None
        stack.push_async_callback(server.close)
        yield


def _digest(settings: Settings) -> Digest | None:
    if not settings.siprec_user:
        return None
    return Digest(
        user=settings.siprec_user,
        password=settings.siprec_password.get_secret_value(),
        algorithms=settings.siprec_algorithms,
    )


def _rules(settings: Settings, carrier: str) -> CarrierRules:
    return settings.carriers.get(carrier, CarrierRules())


def _networks(settings: Settings) -> list[Network]:
    return [ip_network(peer, strict=False) for peer in settings.telephony_peers]


def _rtp_ports(settings: Settings) -> RtpPorts:
    first, last = settings.rtp_range
    return RtpPorts(host=settings.telephony_host, first=first, last=last, networks=_networks(settings))


def _audiosocket_options(settings: Settings) -> AudioSocketOptions:
    ports = [(settings.audiosocket_port, Party.CITIZEN)]
    if settings.audiosocket_operator_port:
        ports.append((settings.audiosocket_operator_port, Party.OPERATOR))
    return AudioSocketOptions(
        host=settings.telephony_host,
        ports=ports,
        networks=_networks(settings),
        is_announced_only=settings.audiosocket_announced_only,
        idle_s=settings.carrier_idle_s,
    )
