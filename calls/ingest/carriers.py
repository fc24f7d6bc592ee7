"""Every carrier whose lines end here over a websocket, and who reads it.

In: a carrier's name. Out: a reader for one connection. Not known here: protocols, sockets.
"""

from collections.abc import Callable, Mapping

from calls.ingest import l16, twilio
from calls.ingest.audiohook import AudioHookReader
from calls.ingest.chan_websocket import AsteriskReader
from calls.ingest.l16 import L16Reader
from calls.ingest.rules import CarrierRules
from calls.ingest.signals import Reader
from calls.ingest.twilio import TwilioReader

MakeReader = Callable[[str, CarrierRules, Mapping[str, str]], Reader]
"""(carrier, rules of the house, what stands in the address) → who reads one connection."""

_READERS: dict[str, MakeReader] = dict.fromkeys(
    twilio.CARRIERS, lambda carrier, rules, query: TwilioReader(carrier, rules)
)

_READERS["audiohook"] = lambda carrier, rules, query: AudioHookReader(rules)
_READERS |= dict.fromkeys(l16.CARRIERS, L16Reader)

_READERS["asterisk"] = lambda carrier, rules, query: AsteriskReader(query)

CARRIERS = tuple(_READERS)
LEG_CARRIERS = ("asterisk", *l16.CARRIERS)
"""Those that can bring each voice over a connection of its own."""


def reader_of(carrier: str, rules: CarrierRules, query: Mapping[str, str]) -> Reader:
    """Who reads one connection of that carrier. Raises `KeyError` where nobody knows it."""
    return _READERS[carrier](carrier, rules, query)


def brings_a_leg(carrier: str, query: Mapping[str, str]) -> bool:
    """Whether a connection brings one voice of a call that others bring the rest of, by its address."""
    return carrier == "asterisk" or (carrier in LEG_CARRIERS and "party" in query)
