"""Addresses that administrators type: which of them may be spoken to."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connections.addresses import NotAllowedAddress, check_address, is_public

PRIVATE = [
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.8.8.8", "169.254.169.254", "172.16.0.1", "172.31.255.255",
    "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::",
    "2002:808:808::1", "3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%lo", "fec0::1", "ff02::1", "4000::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "100.63.0.1", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.169.0.1", "198.20.0.1",
    "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808",
]  # fmt: skip


def test_which_addresses_are_public() -> None:
    assert [address for address in PRIVATE if is_public(address)] == []
    assert [address for address in PUBLIC if not is_public(address)] == []
    assert not is_public("") and not is_public("localhost") and not is_public("1.1.1")


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_what_python_calls_private_is_never_public(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    # The exceptions are public addresses inside another notation, which Python lists as reserved.
    if is_public(str(address)) and "ff9b" not in str(address) and "ffff:" not in str(address)[:7]:
        assert address.is_global and not address.is_multicast


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/x\r\nHost: inner", "https://shop.example/\x00", "https://u@shop.example/",
        "https://shop.example:0/", "https://shop.example:99999/", "https:///x", "shop.example", "javascript:alert(1)",
        "file:///etc/passwd", "https://[fe80::1%25lo]/", "https://10.0.0.1/", "https://" + "a" * 2000,
    ],
)  # fmt: skip
def test_addresses_that_nobody_may_type(url: str) -> None:
    with pytest.raises(NotAllowedAddress):
        check_address(url)


@pytest.mark.parametrize(
    "url", ["https://shop.example/hook?a=b", "https://shop.example:8443/", "https://münchen.example/", "https://8.8.8.8/"]
)  # fmt: skip
def test_addresses_that_may_be_typed(url: str) -> None:
    check_address(url)


def test_exceptions_are_named_by_the_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESUPPORT_HOOK_HOSTS", "shop.internal, 10.0.0.7, [fd00::7]")
    for url in (
        "http://shop.internal/",
        "https://SHOP.internal.:8443/",
        "http://10.0.0.7/",
        "https://[fd00::7]/",
    ):
        check_address(url)
    for url in (
        "http://shop.example/",
        "https://10.0.0.8/",
        "ftp://shop.internal/",
        "http://u@shop.internal/",
    ):
        with pytest.raises(NotAllowedAddress):
            check_address(url)
