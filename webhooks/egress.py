"""The egress guard: which addresses and ports webhooks may reach. Pure; the transport asks it before each connection.

One list of refused networks, from the IANA special-purpose address registries (RFC 6890 and its updates), plus the
ranges that embed an IPv4 address in an IPv6 one. Metadata services (169.254.169.254, fd00:ec2::254) lie inside it.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

REFUSED: tuple[tuple[IPNetwork, str], ...] = tuple(
    (ipaddress.ip_network(network), word)
    for network, word in [
        ("0.0.0.0/8", "this host"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "carrier-grade NAT"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "protocol assignments"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("::ffff:0:0/96", "IPv4-mapped"),
        ("::/96", "IPv4-compatible"),
        ("64:ff9b::/96", "NAT64"),
        ("64:ff9b:1::/48", "NAT64"),
        ("100::/64", "discard"),
        ("2001::/23", "protocol assignments"),  # Teredo (2001::/32) is inside
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4"),
        ("3fff::/20", "documentation"),
        ("5f00::/16", "segment routing"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
    ]
)


@dataclass(frozen=True)
class Guard:
    """The deployment's policy: `networks` are exceptions from the refused ones, `ports` all that may be used."""

    networks: tuple[IPNetwork, ...] = ()
    ports: frozenset[int] = field(default_factory=lambda: frozenset({80, 443}))

    @classmethod
    def allowing(cls, networks: Iterable[str] = (), ports: Iterable[int] = ()) -> "Guard":
        """A guard with exceptions, as the settings give them. Raises ValueError for what is not a network."""
        return cls(tuple(ipaddress.ip_network(n) for n in networks), frozenset({80, 443, *ports}))

    def refusal(self, address: str) -> str | None:
        """Why this IP address may not be connected to, in words; None if it may."""
        return _refusal(address, self.networks)

    def port_refusal(self, port: int) -> str | None:
        """Why this port may not be used, in words; None if it may."""
        if port in self.ports:
            return None
        return f"URL uses port {port}; webhooks may use {_words(sorted(self.ports))}"


@lru_cache(maxsize=4096)
def _refusal(address: str, networks: Sequence[IPNetwork]) -> str | None:
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return f"{address} is not an IP address"
    if any(ip in network for network in networks if network.version == ip.version):
        return None
    for network, word in REFUSED:
        if network.version == ip.version and ip in network:
            return f"{address} is a {word} address; WEBHOOK_ALLOWED_NETWORKS can allow it"
    return None


def _words(ports: Sequence[int]) -> str:
    *first, last = (str(port) for port in ports)
    return f"{', '.join(first)} and {last}" if first else last
