"""Whether an address is one of those from which telephone systems may come.

In: an address as a socket gives it, networks. Out: yes or no. Not known here: sockets, protocols.
"""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

Network = IPv4Network | IPv6Network


def may_come(address: str, networks: Sequence[Network]) -> bool:
    """Without networks everybody may; an IPv4 address may be written as an IPv6 one."""
    if not networks:
        return True
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    plain = getattr(found, "ipv4_mapped", None) or found
    return any(plain in network for network in networks)
