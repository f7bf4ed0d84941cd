"""Errors of the network and of servers, as those who must act read them."""

import errno

import pytest

from recon_api import reasons
from recon_api.credentials import Credentials
from recon_api.errors import TransientError, UsageError
from recon_worker.remote.addresses import AddressGuard
from recon_worker.remote.locations import RemoteLocation
from recon_worker.remote.remote_file import classify_error

OWN = Credentials(values={"AWS_ACCESS_KEY_ID": "of-the-installation", "AWS_SECRET_ACCESS_KEY": "x"})
PHOTOS = RemoteLocation("input.path", "s3://store/recon/inputs/shop/chair", OWN, storage_path="chair")
RESULT = RemoteLocation("output.path", "s3://store/recon/outputs/shop/chair", OWN, storage_path="chair")


def test_messages_name_the_field_that_the_user_wrote() -> None:
    location = PHOTOS
    missing = classify_error(location, FileNotFoundError(), AddressGuard())
    assert isinstance(missing, UsageError)
    assert missing.reason is reasons.INPUT_NOT_FOUND
    assert missing.message.startswith("input.path 'chair' (s3://store/recon/inputs/shop/chair) does not exist")


@pytest.mark.parametrize(
    ("location", "error"),
    [
        pytest.param(PHOTOS, PermissionError("Access Denied"), id="keys that are not accepted"),
        pytest.param(RESULT, FileNotFoundError("no such bucket"), id="no such bucket"),
        pytest.param(RESULT, OSError(errno.EINVAL, "Bad Request"), id="a token that has expired"),
    ],
)
def test_what_the_administrator_must_set_right_is_no_fault_of_the_job(
    location: RemoteLocation, error: Exception
) -> None:
    move = classify_error(location, error, AddressGuard())
    assert isinstance(move, TransientError)
    assert move.reason is reasons.STORAGE_FAILED
    assert "administrator" in move.message
