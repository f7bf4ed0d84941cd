"""The spec of a job, written by people; immutable once created, but for the fields that say otherwise."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from recon_api import rules
from recon_api.base import ObservedModel
from recon_api.keys import DEFAULT_GPU_CLASS
from recon_api.nesting import is_deeper

MAX_SECONDS = 2**31 - 1
"""The longest time that a field in seconds can name."""

DnsLabel = Annotated[str, StringConstraints(max_length=63), Field(json_schema_extra=rules.validations(rules.IS_LABEL))]
SecretName = Annotated[
    str, StringConstraints(max_length=253), Field(json_schema_extra=rules.validations(rules.IS_SECRET_NAME))
]
RelativePath = Annotated[
    str,
    StringConstraints(min_length=1, max_length=1024),
    Field(json_schema_extra=rules.validations(*rules.RELATIVE_PATH)),
]
Url = Annotated[
    str,
    StringConstraints(max_length=2048),
    Field(json_schema_extra=rules.validations(rules.URL_SCHEME_IS_KNOWN, rules.URL_HAS_NO_PASSWORD)),
]
BucketUrl = Annotated[
    str,
    StringConstraints(max_length=2048),
    Field(json_schema_extra=rules.validations(rules.URL_IS_OF_A_BUCKET)),
]
Duration = Annotated[
    str,
    StringConstraints(max_length=32),
    Field(json_schema_extra=rules.validations(rules.IS_DURATION)),
]
ReasonName = Annotated[
    str, StringConstraints(max_length=64), Field(json_schema_extra=rules.validations(rules.IS_REASON))
]
Manager = Annotated[
    str, StringConstraints(max_length=253), Field(json_schema_extra=rules.validations(rules.IS_MANAGER))
]
Seconds = Annotated[int, Field(ge=1, le=MAX_SECONDS)]
Pattern = Annotated[
    str,
    StringConstraints(min_length=1, max_length=256),
    Field(json_schema_extra=rules.validations(rules.PATTERN_COMPILES)),
]


class Input(ObservedModel):
    """Where the photos are."""

    model_config = ConfigDict(json_schema_extra=rules.validations(rules.ONE_INPUT, rules.SECRET_NEEDS_URL))

    path: RelativePath | None = None
    """A folder or archive (zip, tar), relative to the namespace's own folder in the shared storage."""
    url: Url | None = None
    """The same, elsewhere: an archive at https://, an archive or a prefix at s3:// (gs:// and az:// where the worker's image has their
    plug-ins)."""
    secret_name: SecretName | None = None
    """A Secret of the namespace with credentials for url."""


class Quality(StrEnum):
    """How much time a reconstruction may take for how much detail."""

    DRAFT = "draft"
    STANDARD = "standard"
    HIGH = "high"


class OutputFormat(StrEnum):
    """File formats of the mesh."""

    GLB = "glb"
    PLY = "ply"
    OBJ = "obj"


def _refuse_texture(value: bool) -> bool:  # noqa: FBT001 - pydantic hands it in by place
    if value:
        raise PydanticCustomError("no_texture", rules.NO_TEXTURE_YET.message)
    return value


NoTexture = Annotated[bool, AfterValidator(_refuse_texture)]
"""The parameter `texture` of a model that makes none: true is refused, also where no API server has looked at it."""


MAX_PARAMETERS_BYTES = 65_536
"""How large spec.parameters may be as JSON: a job's status must fit beside them into what the API server stores."""

MAX_PARAMETERS_DEPTH = 50
"""How many objects and lists may lie within each other there: whatever reads JSON ends at some depth."""


class Parameters(ObservedModel):
    """What the model is given. A model documents its own further keys; one that it does not know fails the job.

    As JSON they have 64 KiB and 50 levels at most.
    """

    model_config = ConfigDict(extra="allow", json_schema_extra={"x-kubernetes-preserve-unknown-fields": True})

    quality: Quality = Quality.STANDARD
    """draft, standard or high: time against detail."""
    max_image_size: Annotated[int, Field(ge=320, le=16_384)] | None = None
    """Longest side, in pixels, at which photos are used; they are never enlarged. The quality's own where left out."""
    target_faces: Annotated[int, Field(ge=100, le=20_000_000)] | None = None
    """Number of triangles that the mesh is reduced to; the quality's own where left out."""
    texture: Annotated[bool, Field(json_schema_extra=rules.validations(rules.NO_TEXTURE_YET))] | None = None
    """Not available yet: no model of this version makes a texture, the mesh's vertices carry the colours. false is taken."""
    formats: Annotated[
        tuple[OutputFormat, ...],
        Field(min_length=1, max_length=3, json_schema_extra={"x-kubernetes-list-type": "set"}),
    ] = (OutputFormat.GLB,)
    """File formats of the mesh."""
    require_all_photos: bool | None = None
    """Fail where a photo cannot be placed, instead of leaving it out with a warning; false where left out."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    """Where the model draws random numbers: the same seed gives the same draws."""

    @property
    def size_bytes(self) -> int:
        """How large they are as JSON, where they are not too deep to be written."""
        return len(self.model_dump_json(by_alias=True, exclude_none=True).encode())

    @property
    def is_too_deep(self) -> bool:
        """Whether more than MAX_PARAMETERS_DEPTH objects and lists lie within each other."""
        return is_deeper(self.model_extra or {}, MAX_PARAMETERS_DEPTH - 1)

    def as_payload(self) -> dict[str, Any]:
        """Return what the user set, with the defaults, as the model is given it (camelCase keys)."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class OutputSpec(ObservedModel):
    """Where the result goes."""

    model_config = ConfigDict(json_schema_extra=rules.validations(rules.ONE_OUTPUT, rules.SECRET_NEEDS_URL))

    path: RelativePath | None = None
    """A folder relative to the namespace's own output folder; the job's name where left out."""
    url: BucketUrl | None = None
    """A prefix elsewhere: s3:// (gs:// and az:// where the worker's image has their plug-ins). A volume keeps a copy."""
    secret_name: SecretName | None = None
    """A Secret of the namespace with credentials for url; that of the input where left out."""
    retain: bool = True
    """Whether the files in the storage stay when the job is removed after ttlSecondsAfterFinished; after kubectl delete, and at
    url, they always do."""


class Cancellation(StrEnum):
    """The two steps by which a person cancels a job."""

    REQUESTED = "Requested"
    CONFIRMED = "Confirmed"


class Backoff(ObservedModel):
    """Waiting time between attempts: duration × factor^n, at most maxDuration."""

    model_config = ConfigDict(json_schema_extra=rules.validations(rules.BACKOFF_GROWS_TO_ITS_LIMIT))

    duration: Duration = "10s"
    """Wait before the first retry, such as 10s or 1m30s."""
    factor: Annotated[int, Field(ge=1, le=10)] = 2
    """Each further wait is this many times longer."""
    max_duration: Duration = "10m"
    """The longest wait."""


class RetryStrategy(ObservedModel):
    """How attempts follow each other."""

    backoff: Backoff = Backoff()


class FailureAction(StrEnum):
    """What a failure that matches a rule leads to."""

    FAIL_JOB = "FailJob"
    """The job fails at once."""
    IGNORE = "Ignore"
    """The attempt does not count against backoffLimit."""
    COUNT = "Count"
    """The attempt counts."""


class FailureRule(ObservedModel):
    """One rule: what it matches, and what then happens. A rule that names both must match both."""

    model_config = ConfigDict(json_schema_extra=rules.validations(rules.POLICY_RULE_MATCHES_SOMETHING))

    action: FailureAction
    on_reasons: Annotated[tuple[ReasonName, ...], Field(max_length=20)] = ()
    """Documented reasons, such as CUDAOutOfMemory; one of them must be the attempt's."""
    on_message_patterns: Annotated[tuple[Pattern, ...], Field(max_length=10)] = ()
    """Regular expressions (RE2 syntax); one of them must be found anywhere in the attempt's message."""


class FailurePolicy(ObservedModel):
    """What failures lead to; the first rule that matches wins.

    Where none does: the user's mistakes end the job, what the cluster loses is ignored, all else counts.
    """

    rules: Annotated[tuple[FailureRule, ...], Field(max_length=20)] = ()


IMMUTABLE_FIELDS = (
    "input",
    "model",
    "parameters",
    "output",
    "gpuClass",
    "backoffLimit",
    "retryStrategy",
    "failurePolicy",
    "activeDeadlineSeconds",
    "preRunningDeadlineSeconds",
    "managedBy",
)
"""Fields of the spec that stay as they were at creation."""


class ReconstructionJobSpec(ObservedModel):
    """What a person asks for."""

    model_config = ConfigDict(
        json_schema_extra=rules.validations(
            rules.INPUT_IS_NEEDED, *(rules.immutable(field) for field in IMMUTABLE_FIELDS)
        )
    )

    input: Input | None = None
    """Where the photos are; the model synthetic needs none."""
    model: DnsLabel | None = None
    """multiview (built in), or any installed plug-in; the installation's default where left out."""
    parameters: Parameters = Parameters()
    output: OutputSpec = OutputSpec()
    gpu_class: DnsLabel = DEFAULT_GPU_CLASS
    """Which pool of workers runs the job."""
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    """Higher goes first while queued. Can be changed."""
    suspend: bool = False
    """Hold the job: it is not sent to a worker, or stops and keeps its finished steps. Can be changed."""
    cancellation: Cancellation | None = None
    """Two steps to cancel: Requested, then Confirmed. Can be changed."""
    backoff_limit: Annotated[int, Field(ge=0, le=100)] = 2
    """Retries after failures of the job's own."""
    retry_strategy: RetryStrategy = RetryStrategy()
    failure_policy: FailurePolicy = FailurePolicy()
    active_deadline_seconds: Seconds | None = None
    """Longest running time over all attempts; waiting and suspended time do not count."""
    pre_running_deadline_seconds: Seconds | None = None
    """Longest wait in the queue before the job first runs; suspended time does not count."""
    ttl_seconds_after_finished: Annotated[int, Field(ge=0, le=MAX_SECONDS)] | None = None
    """How long the object stays after its end; the installation's default where left out. Can be changed, then too."""
    managed_by: Manager | None = None
    """Name of another controller, such as example.com/scheduler, that looks after this job; ours then leaves it alone."""

    @property
    def input_secret(self) -> str | None:
        """Name of the Secret for the input's URL."""
        return self.input.secret_name if self.input and self.input.url else None

    @property
    def output_secret(self) -> str | None:
        """Name of the Secret for the output's URL."""
        return (self.output.secret_name or self.input_secret) if self.output.url else None

    @property
    def needs_credentials(self) -> bool:
        """Whether an attempt is given values of Secrets."""
        return bool(self.input_secret or self.output_secret)
