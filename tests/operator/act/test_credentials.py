"""What becomes of an attempt whose job names a Secret that the operator cannot hand out."""

from typing import Any, cast

import pytest
from cryptography.fernet import Fernet

from recon_api.credentials import unseal
from recon_api.payload import Outcome
from recon_operator.act.credentials import CredentialsProvider, CredentialsRefusedError
from recon_operator.clients.kubernetes_api import GoneError, RefusedError, UnavailableError
from tests.operator.builders import make_job

KEY = Fernet.generate_key().decode()


class Api:
    """Answers as the API server would."""

    def __init__(self, answer: dict[str, str] | Exception) -> None:
        self.answer, self.asked = answer, list[tuple[str, str]]()

    async def get_secret_data(self, namespace: str, name: str) -> dict[str, str]:
        self.asked.append((namespace, name))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Keys:
    """Keeps what is put."""

    def __init__(self) -> None:
        self.put: dict[tuple[str, int], bytes] = {}

    async def put_credentials(self, uid: str, attempt: int, sealed: bytes) -> None:
        self.put[uid, attempt] = sealed


def provider(answer: dict[str, str] | Exception, key: str | None = KEY) -> tuple[CredentialsProvider, Api, Keys]:
    api, keys = Api(answer), Keys()
    return CredentialsProvider(cast("Any", api), cast("Any", keys), key), api, keys


JOB = make_job(input={"url": "https://example.com/a.zip", "secretName": "mine"})


async def test_values_are_sealed_for_one_attempt() -> None:
    provides, api, keys = provider({"token": "czNjcmV0", "other": "eA=="})
    await provides.provide(JOB, 2)
    assert api.asked == [(JOB.metadata.namespace, "mine")]
    found = unseal(KEY, keys.put[JOB.uid, 2], f"{JOB.uid}.2")
    assert found.input
    assert dict(found.input.values) == {"token": "s3cret"}


async def test_a_job_without_a_secret_needs_nothing() -> None:
    provides, api, keys = provider(RefusedError("no"), key=None)
    await provides.provide(make_job(), 1)
    assert (api.asked, keys.put) == ([], {})


@pytest.mark.parametrize(
    ("answer", "key", "reason"),
    [
        pytest.param(GoneError("404"), KEY, "SecretNotFound", id="there is none"),
        pytest.param({"other": "eA=="}, KEY, "SecretRejected", id="it has none of the keys"),
        pytest.param(RefusedError("403"), KEY, "NotSupported", id="the operator may not read it"),
        pytest.param({"token": "eA=="}, None, "NotSupported", id="the installation hands none out"),
    ],
)
async def test_an_attempt_that_cannot_be_sent_has_failed(answer: Any, key: str | None, reason: str) -> None:
    provides, _, keys = provider(answer, key)
    with pytest.raises(CredentialsRefusedError) as raised:
        await provides.provide(JOB, 1)
    refusal = raised.value.as_result(1)
    assert (refusal.outcome, refusal.attempt, refusal.reason) == (Outcome.FAILED, 1, reason)
    assert keys.put == {}


async def test_an_api_server_that_is_away_is_asked_again() -> None:
    provides, _, _ = provider(UnavailableError("gone"))
    with pytest.raises(UnavailableError):
        await provides.provide(JOB, 1)
