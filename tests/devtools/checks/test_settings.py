"""The check of settings: what reads one, and what does not."""

import ast

import pytest
from pydantic import BaseModel

from recon_dev.checks.settings import findings


class Limits(BaseModel):
    photos: int = 3


class Side(BaseModel):
    port: int = 0
    limits: Limits = Limits()


PORT = ["Side.port: a setting that no code reads"]
LIMITS = "settings.limits.photos\n"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("settings.port, settings.limits.photos", [], id="all are read"),
        pytest.param("make(memo.settings.port, worker_settings().limits.photos)", [], id="from wherever settings lie"),
        pytest.param(LIMITS + "server.port", PORT, id="another thing's attribute of that name is none"),
        pytest.param(
            "settings.port, settings.limits", ["Side.photos: a setting that no code reads"], id="one in a part"
        ),
        pytest.param(
            LIMITS + "class SideSettings:\n    def address(self):\n        return self.port",
            [],
            id="a method reads one",
        ),
        pytest.param(
            LIMITS
            + "class SideSettings:\n    @field_validator('port')\n    def _check(self):\n        return self.port",
            PORT,
            id="a check of it reads none",
        ),
        pytest.param(
            LIMITS + "class Server:\n    def address(self):\n        return self.port",
            PORT,
            id="another class's own is none",
        ),
    ],
)
def test_what_reads_a_setting(source: str, expected: list[str]) -> None:
    assert findings(Side, [ast.parse(source)]) == expected
