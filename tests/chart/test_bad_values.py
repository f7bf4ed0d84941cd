"""Wrong values are refused before anything is installed, with their path and what to do."""

from typing import Any

import pytest

from tests.support.chart import EXTERNAL_REDIS, Values, refusal

EXTERNAL = EXTERNAL_REDIS["redis"]


def pools(*pools: dict[str, Any]) -> Values:
    return {"worker": {"pools": list(pools)}}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        pytest.param({"operators": {}}, "at '': additional properties 'operators' not allowed", id="an unknown part"),
        pytest.param(
            {"operator": {"replica": 3}},
            "at '/operator': additional properties 'replica' not allowed",
            id="a name that is almost right",
        ),
        pytest.param(
            {"operator": {"replicas": "two"}}, "at '/operator/replicas': got string, want integer", id="a wrong type"
        ),
        pytest.param(
            {"operator": {"replicas": 0}}, "at '/operator/replicas': minimum: got 0, want 1", id="no operator"
        ),
        pytest.param({"storage": None}, "at '': missing property 'storage'", id="a part that is taken away"),
        pytest.param(
            {"storage": {"claim": {"size": "much"}}}, "at '/storage/claim/size': 'much' does not match", id="an amount"
        ),
        pytest.param(
            {"storage": {"claim": {"accessModes": ["Shared"]}}},
            "at '/storage/claim/accessModes/0': value must be one of 'ReadWriteMany', 'ReadWriteOnce'",
            id="an access mode",
        ),
        pytest.param(
            {"storage": {"url": "s3://store", "existingClaim": "photos"}}, "storage: there are two.", id="two storages"
        ),
        pytest.param(
            {"storage": {"url": "s3://store"}},
            "storage.secretName: the bucket of storage.url needs keys.",
            id="a bucket that lies open",
        ),
        pytest.param(
            {"storage": {"url": "s3://store", "subPath": "recon"}},
            "storage.subPath: names a folder in a volume, and storage.url is a bucket.",
            id="a folder of a bucket",
        ),
        pytest.param(
            {"storage": {"secretName": "store"}},
            "storage.secretName: holds credentials for storage.url, which is empty.",
            id="credentials for no bucket",
        ),
        pytest.param(
            {"storage": {"url": "https://store"}}, "at '/storage/url': 'https://store' does not match", id="no bucket"
        ),
        pytest.param(pools(), "at '/worker/pools': minItems: got 0, want 1", id="no pool"),
        pytest.param(pools({"gpus": 1}), "at '/worker/pools/0': missing property 'name'", id="a pool without a name"),
        pytest.param(
            pools({"name": "a", "gpuclass": "x"}),
            "at '/worker/pools/0': additional properties 'gpuclass' not allowed",
            id="a wrong name in a pool",
        ),
        pytest.param(pools({"name": "A_B"}), "at '/worker/pools/0/name': 'A_B' does not match", id="a pool's name"),
        pytest.param(
            pools({"name": "a"}, {"name": "a"}),
            "worker.pools[1].name: there are two pools named a.",
            id="two pools of one name",
        ),
        pytest.param(
            pools({"name": "a", "stopGraceSeconds": 600}),
            "worker.pools[0].terminationGracePeriodSeconds: 600 s are too few",
            id="a grace period that is too short",
        ),
        pytest.param(
            pools({"name": "a", "weights": {"existingClaim": "w", "volume": {"emptyDir": {}}}}),
            "worker.pools[0].weights: set existingClaim or volume, not both.",
            id="weights from two places",
        ),
        pytest.param(
            {"redis": {"external": {"host": "redis"}}},
            "redis: there are two. For the external one set redis.builtIn.enabled=false",
            id="both kinds of Redis",
        ),
        pytest.param(
            {"redis": {"builtIn": {"enabled": False}}},
            "redis: there is none. Set redis.builtIn.enabled=true, or redis.external.host",
            id="no Redis",
        ),
        pytest.param(
            {"redis": {**EXTERNAL, "auth": {"existingSecret": ""}}},
            "redis.auth.existingSecret: an external Redis needs a Secret",
            id="an external Redis without passwords",
        ),
        pytest.param(
            {"keda": {"enabled": True}}, "keda.prometheusAddress: KEDA reads the length of the queue", id="KEDA alone"
        ),
        pytest.param(
            {
                "keda": {"enabled": True, "prometheusAddress": "http://p"},
                **pools({"name": "a"}, {"name": "b", "gpuClass": "any"}),
            },
            "worker.pools[1].gpuClass: KEDA would count the jobs of gpuClass any twice",
            id="two scaled pools of one gpuClass",
        ),
        pytest.param(
            {"watchNamespaces": ["a"], "test": {"namespace": "b"}},
            "test.namespace: nobody looks after jobs in b",
            id="a test where nobody looks",
        ),
        pytest.param(
            {"operator": {"settings": {"logLevel": "x"}}},
            "at '/operator/settings': additional properties 'logLevel' not allowed",
            id="a setting that is no variable",
        ),
        pytest.param(
            pools({"name": "a", "settings": {"GPU_CLASS": "x"}}),
            "worker.pools[0].settings: GPU_CLASS has a value of its own in this chart; set that instead.",
            id="a setting that has a value of its own",
        ),
        pytest.param({"jobs": {"synthetic": "maybe"}}, "at '/jobs/synthetic': got string, want boolean", id="a switch"),
    ],
)
def test_it_is_refused(values: Values, said: str) -> None:
    assert said in refusal(values)
