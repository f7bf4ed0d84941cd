"""Free ports of the tests' servers."""

from recon_dev.ports import ReservedPort

_RESERVED: list[ReservedPort] = []
"""All that were drawn: other tests run at the same time, and must not draw them before their server has started."""


def free_port() -> int:
    """Return a port that no other program uses, or draws as long as this process runs."""
    _RESERVED.append(ReservedPort())
    return _RESERVED[-1].number
