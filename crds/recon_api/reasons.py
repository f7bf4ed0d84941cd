"""Every reason that a condition, an attempt or an event of a job can name. A reason is part of the API.

Each constant carries, in its docstring's place, a sentence that tells a reader of `kubectl describe` what it means, without a full stop, as messages are;
`docs/reference/reasons.md` is generated from this file.
"""

from dataclasses import dataclass
from enum import StrEnum


class Blame(StrEnum):
    """Who can do something about a failure, and so what happens next."""

    USER = "User"
    """The job fails at once; its owner must change something."""
    JOB = "Job"
    """Counts against `backoffLimit`."""
    INFRASTRUCTURE = "Infrastructure"
    """Tried again without counting: the cluster lost the attempt, not the job."""
    NOBODY = "Nobody"
    """Not a failure."""


@dataclass(frozen=True)
class Reason:
    """A CamelCase constant of the API, what it means, and who can do something about it."""

    name: str
    meaning: str
    blame: Blame = Blame.NOBODY


# --- the life of a job -------------------------------------------------------------------------------------------
PENDING = Reason("Pending", "No operator has seen the job yet")
PROGRESSING = Reason("Progressing", "The job has not ended yet")
QUEUED = Reason("Queued", "The job waits for a worker")
NO_WORKERS = Reason("NoWorkers", "No worker of the job's gpuClass is connected; the job waits for one")
DISPATCHED = Reason("Dispatched", "An attempt was sent to the workers")
NOT_SENT = Reason("NotSent", "Redis does not take the attempt; sending it is tried again")
STARTED = Reason("Started", "A worker runs the job")
COMPLETED = Reason("Completed", "The mesh and its previews are published")
SUSPENDED = Reason("Suspended", "The job is held by spec.suspend")
SUSPENDING = Reason("Suspending", "The job is being suspended: its attempt stops and keeps its finished steps")
RESUMED = Reason("Resumed", "The job was held and goes on")
RETRYING = Reason("Retrying", "The next attempt waits for its backoff")
RESTORED = Reason(
    "Restored",
    "The job was restored from a backup without its status and may have finished before; its owner says whether it runs again",
)
STATUS_CORRECTED = Reason(
    "StatusCorrected",
    "The status knew of fewer attempts than were sent, as after a restore; the operator has set it right",
)
STATUS_NOT_WRITTEN = Reason(
    "StatusNotWritten", "The API server refuses what the operator writes about the job, which is tried again"
)
OTHER_OPERATOR = Reason(
    "OtherOperator",
    "Another installation of the operator manages the job; two of them work in its namespace",
)
NAMESPACE_MISSING = Reason(
    "NamespaceMissing",
    "The operator cannot read the jobs of a namespace that it is to watch, and goes on without them",
)

PHOTOS_LEFT_OUT = Reason("PhotosLeftOut", "Files of the input are not used")

# --- cancellation ------------------------------------------------------------------------------------------------
AWAITING_CONFIRMATION = Reason("AwaitingConfirmation", "A cancellation is requested; it stops the job once confirmed")
CANCELLATION_CONFIRMED = Reason("CancellationConfirmed", "The cancellation is confirmed; it stops the job")
CANCELLATION_EXPIRED = Reason("CancellationExpired", "The cancellation was not confirmed in time; the job goes on")
CANCELLATION_WITHDRAWN = Reason("CancellationWithdrawn", "The request for cancellation was withdrawn")
CANCELLED = Reason("Cancelled", "The job was cancelled by its owner")
DELETED = Reason("Deleted", "The job was deleted; its attempt is being stopped")

# --- the user's move ---------------------------------------------------------------------------------------------
INVALID_SPEC = Reason("InvalidSpec", "The job's spec cannot be read", Blame.USER)
INPUT_NOT_FOUND = Reason("InputNotFound", "The input does not exist", Blame.USER)
INPUT_REJECTED = Reason("InputRejected", "The input is not a usable set of photos", Blame.USER)
INPUT_UNREADABLE = Reason("InputUnreadable", "The input exists but may not be read by the workers", Blame.USER)
TOO_FEW_PHOTOS = Reason("TooFewPhotos", "The input has fewer photos than a reconstruction needs", Blame.USER)
INSUFFICIENT_OVERLAP = Reason(
    "InsufficientOverlap", "Too few photos could be placed relative to each other", Blame.USER
)
UNCONNECTED_PHOTOS = Reason(
    "UnconnectedPhotos",
    "The photos fall into groups that show nothing in common, such as different things",
    Blame.USER,
)
UNUSABLE_PHOTOS = Reason(
    "UnusablePhotos", "Too many photos are too dark, too bright, without detail or hidden by masks", Blame.USER
)
CAMERA_DID_NOT_MOVE = Reason(
    "CameraDidNotMove",
    "All photos were taken from one spot, where the camera only turned, so they show no depth",
    Blame.USER,
)
PHOTOS_NOT_PLACED = Reason(
    "PhotosNotPlaced",
    "Some photos could not be placed and are not in the model; the job fails only where parameters.requireAllPhotos is set",
    Blame.USER,
)
IMPLAUSIBLE_CAMERAS = Reason(
    "ImplausibleCameras",
    "The photos fit together only with focal lengths or distortions that no camera has",
    Blame.USER,
)
NOT_PINHOLE_PHOTOS = Reason(
    "NotPinholePhotos", "The photos are panoramas, which show more than a camera with a plane picture can", Blame.USER
)
SURFACE_NOT_MEASURED = Reason(
    "SurfaceNotMeasured",
    "The photos were placed, but what they show could not be measured well enough for a model",
    Blame.USER,
)
GROUND_NOT_FOUND = Reason(
    "GroundNotFound",
    "parameters.ground is remove, but the photos show no level ground; nothing was removed",
    Blame.USER,
)
UNKNOWN_MODEL = Reason("UnknownModel", "No worker has a model of that name", Blame.USER)
PARAMETERS_REJECTED = Reason("ParametersRejected", "The model does not take these parameters", Blame.USER)
WEIGHTS_NOT_FOUND = Reason("WeightsNotFound", "The model's weights are not mounted", Blame.USER)
ACCESS_DENIED = Reason("AccessDenied", "The server of input.url or output.url refuses access", Blame.USER)
ADDRESS_NOT_ALLOWED = Reason(
    "AddressNotAllowed", "The URL leads to an address that jobs may not reach, such as a private one", Blame.USER
)
SECRET_NOT_FOUND = Reason("SecretNotFound", "The Secret that the job names does not exist in its namespace", Blame.USER)
SECRET_REJECTED = Reason("SecretRejected", "The Secret that the job names has not the keys that are needed", Blame.USER)
NOT_SUPPORTED = Reason("NotSupported", "This installation cannot do what the spec asks", Blame.USER)

# --- the job's own failures --------------------------------------------------------------------------------------
CUDA_OUT_OF_MEMORY = Reason("CUDAOutOfMemory", "The GPU's memory did not suffice", Blame.JOB)
OUT_OF_MEMORY = Reason("OutOfMemory", "The worker's memory did not suffice", Blame.JOB)
RECONSTRUCTION_FAILED = Reason("ReconstructionFailed", "A step of the reconstruction failed unexpectedly", Blame.JOB)
REMOTE_UNAVAILABLE = Reason(
    "RemoteUnavailable", "The server of input.url or output.url, or of the storage, does not serve", Blame.JOB
)
STORAGE_FAILED = Reason("StorageFailed", "The storage could not be read or written", Blame.JOB)
WORKER_CRASHED = Reason("WorkerCrashed", "The process that ran the attempt died", Blame.JOB)

# --- the infrastructure's ----------------------------------------------------------------------------------------
WORKER_LOST = Reason("WorkerLost", "The worker of the attempt is gone", Blame.INFRASTRUCTURE)
WORKER_STOPPED = Reason("WorkerStopped", "The worker was asked to shut down during the attempt", Blame.INFRASTRUCTURE)
WORKER_DISCONNECTED = Reason("WorkerDisconnected", "The worker lost Redis for too long", Blame.INFRASTRUCTURE)
CREDENTIALS_LOST = Reason(
    "CredentialsLost", "The attempt's credentials were gone before its worker could take them", Blame.INFRASTRUCTURE
)
SUPERSEDED = Reason("Superseded", "A later attempt of the job took over", Blame.INFRASTRUCTURE)

# --- the end -----------------------------------------------------------------------------------------------------
BACKOFF_LIMIT_EXCEEDED = Reason("BackoffLimitExceeded", "The job failed more often than backoffLimit allows")
IGNORED_LIMIT_EXCEEDED = Reason(
    "IgnoredLimitExceeded", "More attempts were lost, or ignored by a rule, than the installation allows"
)
DEADLINE_EXCEEDED = Reason("DeadlineExceeded", "The job ran longer than activeDeadlineSeconds")
QUEUE_DEADLINE_EXCEEDED = Reason("QueueDeadlineExceeded", "The job waited longer than preRunningDeadlineSeconds")

ALL_REASONS: dict[str, Reason] = {value.name: value for value in list(globals().values()) if isinstance(value, Reason)}
"""Every reason above, by name."""


def reason_of(name: str) -> Reason:
    """Return the documented reason of that name; an unknown name is the job's own failure."""
    return ALL_REASONS.get(name, Reason(name, "Not documented in this version", Blame.JOB))
