import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.egress import Guard

PUBLIC_ONLY = Guard()


@pytest.mark.parametrize(
    "address",
    """0.0.0.0 10.0.0.1 100.64.0.1 127.0.0.1 127.1.2.3 169.254.169.254 172.16.0.1 172.31.255.255 192.168.1.1 198.18.0.1
    224.0.0.1 240.0.0.1 255.255.255.255 ::1 :: ::ffff:127.0.0.1 ::ffff:a9fe:a9fe ::ffff:8.8.8.8 64:ff9b::7f00:1
    64:ff9b::808:808 2002:7f00:1:: 2001:0:4136:e378:8000:63bf:3fff:fdd2 fe80::1 fe80::1%eth0 fc00::1 fd00:ec2::254
    ff02::1 fec0::1 2001:db8::1""".split(),
)
def test_addresses_inside_are_refused(address):
    assert PUBLIC_ONLY.refusal(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "172.32.0.1"])
def test_public_addresses_may_be_reached(address):
    assert PUBLIC_ONLY.refusal(address) is None


def test_what_is_not_an_address_is_refused():
    assert PUBLIC_ONLY.refusal("localhost")


def test_a_deployment_can_allow_a_network_and_nothing_beside_it():
    guard = Guard.allowing(["10.1.2.0/24"], [8080])
    assert guard.refusal("10.1.2.3") is None
    assert guard.refusal("10.1.3.3")
    assert guard.port_refusal(8080) is None
    assert guard.port_refusal(8081) == "URL uses port 8081; webhooks may use 80, 443 and 8080"


def test_ports_are_80_and_443():
    assert PUBLIC_ONLY.port_refusal(80) is None
    assert PUBLIC_ONLY.port_refusal(443) is None
    assert PUBLIC_ONLY.port_refusal(8080) == "URL uses port 8080; webhooks may use 80 and 443"


@given(st.ip_addresses())
def test_the_list_refuses_all_that_pythons_own_registry_calls_private(address):
    inside = address.is_private or address.is_loopback or address.is_link_local or address.is_multicast
    if inside and address not in ipaddress.ip_network("192.0.0.0/24"):
        assert PUBLIC_ONLY.refusal(str(address))
