"""Which addresses a job's URL may lead to: public ones, and the hosts that the administrator has named.

The check is on the address that the connection is made to, when it is made: a name that resolves to something else the next time,
a redirect, or an address written as a number changes nothing about it. The name in the certificate and in the `Host` header stay
the URL's.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from aiohttp import TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
AddressInfo = tuple[Any, Any, int, str, tuple[Any, ...]]
Lookup = Callable[[str, int, socket.AddressFamily], Awaitable[list[ResolveResult]]]

NOT_FOR_JOBS = tuple(
    map(
        ipaddress.ip_network,
        (
            "168.63.129.16/32",  # Azure's own services, at a public address
            "::/96",  # IPv4-compatible, long out of use
            "64:ff9b:1::/48",  # local NAT64
            "2001::/32",  # Teredo: another address inside
            "2002::/16",  # 6to4: likewise
            "fec0::/10",  # site-local, long out of use
        ),
    )
)
"""Addresses that `ipaddress` may call global, and that lead into somebody's own network all the same."""

NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""How a cluster with IPv6 alone reaches IPv4: the last 32 bits are the address."""


class AddressRefusedError(OSError):
    """A connection was not made, for where it would lead."""


def is_public(address: Address) -> bool:
    """Say whether anybody may connect there: it is neither private, local, shared, multicast nor reserved."""
    if isinstance(address, ipaddress.IPv6Address):
        inside = address.ipv4_mapped or (ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else None)
        if inside is not None:
            return is_public(inside)
    odd = address.is_multicast or address.is_reserved or address.is_unspecified
    return address.is_global and not odd and not any(address in network for network in NOT_FOR_JOBS)


async def system_lookup(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    """Ask the system where a host is."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
    return [
        ResolveResult(
            hostname=host, host=str(address[0]), port=port, family=kind, proto=proto, flags=socket.AI_NUMERICHOST
        )
        for kind, _, proto, _, address in found
    ]


@dataclass
class AddressGuard(AbstractResolver):
    """Through which every connection of one URL goes: looks names up, and opens sockets to allowed addresses only."""

    allowed_hosts: Collection[str] = ()
    """Names, or addresses, that may be private."""
    lookup: Lookup = system_lookup
    refusal: str = field(default="", init=False)
    """Why a connection was refused last, as a sentence."""
    _allowed: set[Address] = field(default_factory=set, init=False)
    """Addresses of the allowed hosts, as they were looked up."""

    def connector(self) -> TCPConnector:
        """Return a connector of aiohttp's for this guard; within a running loop."""
        return TCPConnector(resolver=self, socket_factory=self.open, use_dns_cache=False, force_close=True)

    def begin(self) -> None:
        """Forget the addresses that were allowed: a host that may be private vouches for none that it leads on to."""
        self._allowed.clear()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return where a host is; what is refused is refused when the connection is opened."""
        found = await self.lookup(host, port, family)
        if host.lower() in self.allowed_hosts:
            self._allowed |= {_address(each["host"]) for each in found}
        return found

    async def close(self) -> None:
        """Nothing is kept open."""

    def open(self, info: AddressInfo) -> socket.socket:
        """Return a socket for an address. Raises AddressRefusedError."""
        family, kind, protocol, _, where = info
        address = _address(str(where[0]))
        if not (is_public(address) or address in self._allowed or str(address) in self.allowed_hosts):
            self.refusal = f"{address} is not a public address"
            raise AddressRefusedError(self.refusal)
        self.refusal = ""  # a host may have a private address beside its public one
        opened = socket.socket(family, kind, protocol)
        opened.setblocking(False)  # noqa: FBT003 - the system's own interface
        return opened


def _address(text: str) -> Address:
    return ipaddress.ip_address(text.partition("%")[0])
