"""Where a job's URL may lead to, and where not, however the address is written."""

import ipaddress
import socket

import pytest

from recon_worker.remote.addresses import AddressGuard, AddressRefusedError, is_public


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.1.1"),
        *("127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3"),  # noqa: S104 - an address that must be refused
        pytest.param("169.254.169.254", id="the metadata of most clouds"),
        pytest.param("168.63.129.16", id="Azure's, at a public address"),
        pytest.param("100.100.100.200", id="Alibaba's, in the range of carriers"),
        *("100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1"),
        *("224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1", "2001:db8::1"),
        pytest.param("::ffff:10.0.0.1", id="IPv4 in IPv6"),
        pytest.param("::10.0.0.1", id="IPv4 in IPv6, the old way"),
        pytest.param("64:ff9b::a00:1", id="10.0.0.1 by NAT64"),
        pytest.param("64:ff9b:1::1", id="local NAT64"),
        pytest.param("2002:a00:1::", id="10.0.0.1 by 6to4"),
        pytest.param("2001:0:a00:1::", id="Teredo"),
    ],
)
def test_not_for_jobs(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(AddressRefusedError):
        AddressGuard().open((family, socket.SOCK_STREAM, 6, "", (address, 443)))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_for_everybody(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))
