"""What a URL of Redis becomes, so that all of its clients check the server's certificate."""

import pytest

from recon_runtime.redis_url import with_tls


@pytest.mark.parametrize(
    ("url", "ca_file", "becomes"),
    [
        pytest.param("redis://h:1/0", "/ca.crt", "redis://h:1/0", id="without TLS"),
        pytest.param("rediss://h:1/0", "", "rediss://h:1/0?ssl_cert_reqs=required", id="the system's authorities"),
        pytest.param(
            "rediss://h:1/0",
            "/a b/ca.crt",
            "rediss://h:1/0?ssl_cert_reqs=required&ssl_ca_certs=/a%20b/ca.crt",
            id="a file",
        ),
        pytest.param(
            "rediss://h:1/0?ssl_cert_reqs=none&x=1",
            "",
            "rediss://h:1/0?ssl_cert_reqs=none&x=1",
            id="what it says itself",
        ),
    ],
)
def test_what_a_url_becomes(url: str, ca_file: str, becomes: str) -> None:
    assert with_tls(url, ca_file) == becomes
