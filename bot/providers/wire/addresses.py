"""IP addresses that are no part of the open internet, by name.

Python's own list depends on its version: 3.11.4 knows fewer networks than 3.13.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

# https://www.iana.org/assignments/iana-ipv4-special-registry, and multicast.
SPECIAL_V4 = tuple(
    map(
        ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
            *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24"),
            *("192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
            *("224.0.0.0/4", "240.0.0.0/4"),
        ),
    )
)
# https://www.iana.org/assignments/iana-ipv6-special-registry: those within the one block that is assigned.
SPECIAL_V6 = tuple(
    map(ip_network, ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"))
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_FAKE = (ip_network("198.18.0.0/15"), ip_network("fc00::/18"))
"""Of what Clash, sing-box and others answer to every name, to see the connection: the usual choices. Nobody
else uses the second, https://www.rfc-editor.org/rfc/rfc4193#section-3.2."""


def is_public(address: str) -> bool:
    """Return True if an IP address belongs to the open internet, also if it wraps an IPv4 address."""
    ip = _unwrapped(address)
    if isinstance(ip, IPv6Address):
        return ip in _GLOBAL_UNICAST and not any(ip in network for network in SPECIAL_V6)
    return not any(ip in network for network in SPECIAL_V4)


def is_fake(address: str) -> bool:
    """Return True for an address that a proxy on this machine gives in place of the real one."""
    ip = _unwrapped(address)
    return any(ip in network for network in _FAKE)


def _unwrapped(address: str) -> IPv4Address | IPv6Address:
    ip = ip_address(address)
    if isinstance(ip, IPv6Address):
        if ip in _NAT64:
            return IPv4Address(int(ip) & 0xFFFFFFFF)
        return ip.ipv4_mapped or ip.sixtofour or ip
    return ip
