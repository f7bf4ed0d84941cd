"""What a Secret of a namespace holds for one attempt, sealed on its way from the operator to the worker that runs it.

The operator seals it with the key that only operator and workers know, for one attempt by name: in the place of another
attempt's it cannot be opened. It is in no task, log, status or event.
"""

import base64
import binascii
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import BaseModel, ConfigDict, Field, ValidationError

KNOWN_KEYS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "endpointURL",
    "username",
    "password",
    "token",
)
"""Keys of a Secret that are used; others are left where they are."""

TOGETHER = (("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), ("username", "password"))
"""Keys of which one is of no use without the other."""


class CredentialsError(Exception):
    """The values cannot be used; the message names keys, never values."""


class Credentials(BaseModel):
    """The known keys of one Secret."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    values: Mapping[str, str] = Field(default_factory=dict, repr=False)

    def get(self, key: str) -> str | None:
        """Return the value of a known key, nothing where the Secret does not have it."""
        return self.values.get(key)


class AttemptCredentials(BaseModel):
    """All that one attempt is given."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    task: str
    """Task id of the attempt that may use them."""
    input: Credentials | None = Field(default=None, repr=False)
    output: Credentials | None = Field(default=None, repr=False)


def credentials_of(data: Mapping[str, str]) -> Credentials:
    """Return the known keys of a Secret's `data`. Raises CredentialsError naming what is missing."""
    values = {key: _decoded(key, data[key]) for key in KNOWN_KEYS if data.get(key)}
    if not values:
        raise CredentialsError(f"has none of the keys {', '.join(KNOWN_KEYS)}")
    for pair in TOGETHER:
        have = [key for key in pair if key in values]
        if len(have) == 1:
            (missing,) = set(pair) - set(have)
            raise CredentialsError(f"has the key {have[0]} but not {missing}")
    return Credentials(values=values)


def seal(key: str, credentials: AttemptCredentials) -> bytes:
    """Return the credentials, readable only with the key."""
    return _fernet(key).encrypt(credentials.model_dump_json().encode())


def unseal(key: str, sealed: bytes, task: str) -> AttemptCredentials:
    """Return what was sealed for this attempt. Raises CredentialsError."""
    try:
        found = AttemptCredentials.model_validate_json(_fernet(key).decrypt(sealed))
    except (InvalidToken, ValidationError) as error:
        raise CredentialsError("operator and worker do not have the same CREDENTIALS_KEY") from error
    if found.task != task:
        raise CredentialsError("these credentials are another attempt's")
    return found


def checked_key(key: str) -> str:
    """Return the key, or keys, as given; raise ValueError, which does not show it, where one is none."""
    try:
        _fernet(key)
    except (ValueError, binascii.Error):
        raise ValueError("must be a Fernet key: 32 bytes in URL-safe base64") from None
    return key


def _fernet(key: str) -> MultiFernet:
    """Return what seals with the first of the keys, and opens with any: so a key can be replaced while jobs run."""
    return MultiFernet([Fernet(each.strip()) for each in key.split(",")])


def _decoded(key: str, value: str) -> str:
    try:
        return base64.b64decode(value).decode().strip()
    except (ValueError, binascii.Error):
        raise CredentialsError(f"has a value of {key} that is no text") from None
