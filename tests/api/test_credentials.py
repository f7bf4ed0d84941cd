"""What of a Secret is handed on, and that only the attempt that it is for can open it."""

import base64

import pytest
from cryptography.fernet import Fernet

from recon_api.credentials import (
    AttemptCredentials,
    Credentials,
    CredentialsError,
    checked_key,
    credentials_of,
    seal,
    unseal,
)

KEY, OTHER = (Fernet.generate_key().decode() for _ in range(2))
VALUE = "s3cret"


def data(**values: str) -> dict[str, str]:
    return {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}


def test_known_keys_are_handed_on_and_others_stay() -> None:
    found = credentials_of(data(token=VALUE + "\n", other="x"))
    assert dict(found.values) == {"token": VALUE}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        pytest.param({}, "none of the keys", id="nothing"),
        pytest.param(data(other=VALUE), "none of the keys", id="other keys"),
        pytest.param(data(username=VALUE), "username but not password", id="a user without a password"),
        pytest.param(data(AWS_SECRET_ACCESS_KEY=VALUE), "but not AWS_ACCESS_KEY_ID", id="half a pair"),
        pytest.param({"token": base64.b64encode(b"\xff\xfe").decode()}, "token that is no text", id="bytes"),
    ],
)
def test_what_is_of_no_use(values: dict[str, str], words: str) -> None:
    with pytest.raises(CredentialsError, match=words) as raised:
        credentials_of(values)
    assert VALUE not in str(raised.value)


def attempt(task: str) -> AttemptCredentials:
    return AttemptCredentials(task=task, input=Credentials(values={"token": VALUE}))


def test_what_was_sealed_is_opened_by_its_attempt() -> None:
    sealed = seal(KEY, attempt("u.1"))
    assert VALUE.encode() not in sealed
    assert unseal(KEY, sealed, "u.1") == attempt("u.1")


@pytest.mark.parametrize(
    ("key", "task"),
    [pytest.param(KEY, "u.2", id="another attempt"), pytest.param(OTHER, "u.1", id="another key")],
)
def test_nobody_else_opens_it(key: str, task: str) -> None:
    with pytest.raises(CredentialsError):
        unseal(key, seal(KEY, attempt("u.1")), task)


def test_a_key_is_replaced_while_jobs_run() -> None:
    before = seal(KEY, attempt("u.1"))
    assert unseal(f"{OTHER},{KEY}", before, "u.1") == attempt("u.1")
    assert unseal(OTHER, seal(f"{OTHER},{KEY}", attempt("u.1")), "u.1") == attempt("u.1")


def test_no_value_is_ever_shown() -> None:
    assert VALUE not in repr(attempt("u.1"))
    with pytest.raises(ValueError, match="Fernet key") as raised:
        checked_key(VALUE)
    assert VALUE not in str(raised.value)
