"""CEL rules of the custom resource: each a condition, the sentence that a person reads, and the field it speaks of.

The API server runs them (Kubernetes, "Validation rules"). A rule that names `oldSelf` holds for changes only; one with
`optional_old_self` also sees the creation of an object.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rule:
    """One entry of `x-kubernetes-validations`."""

    rule: str
    message: str
    field_path: str = ""
    optional_old_self: bool = False

    def to_schema(self) -> dict[str, Any]:
        """Return the entry as the API server reads it."""
        entry: dict[str, Any] = {"rule": self.rule, "message": self.message}
        if self.field_path:
            entry["fieldPath"] = self.field_path
        if self.optional_old_self:
            entry["optionalOldSelf"] = True
        return entry


def validations(*rules: Rule) -> dict[str, Any]:
    """Return the schema extension that carries the rules."""
    return {"x-kubernetes-validations": [rule.to_schema() for rule in rules]}


def immutable(field: str) -> Rule:
    """Return the rule of a spec that this optional field stays as it was at creation."""
    return Rule(
        f"has(self.{field}) == has(oldSelf.{field}) && (!has(self.{field}) || self.{field} == oldSelf.{field})",
        f"spec.{field} can't be changed once the job exists; create another job instead",
        f".{field}",
    )


RELATIVE_PATH = (
    Rule(
        "!self.startsWith('/')", "must be relative to the namespace's own folder in the storage, without a leading '/'"
    ),
    Rule("!self.split('/').exists(part, part == '..')", "must stay inside the namespace's folder: '..' is not allowed"),
    Rule(
        r"!self.matches('[\\x00-\\x1f\\x7f\\\\]')",
        "must not have control characters or backslashes; '/' separates folders",
    ),
)
"""Rules of a path within a namespace's folder."""

URL_SCHEME_IS_KNOWN = Rule(
    r"self.matches('^(https|s3|gs|az)://[^\\s/]\\S*$')",
    "must be a URL that starts with https://, s3://, gs:// or az://",
)

URL_HAS_NO_PASSWORD = Rule(
    r"!self.matches('^[a-z0-9]+://[^/?#]*@')",
    "must not hold a user or a password, which everybody could read here; put them into a Secret and name it in secretName",
)

URL_IS_OF_A_BUCKET = Rule(
    r"self.matches('^(s3|gs|az)://[^\\s/@]+(/\\S*)?$')",
    "must be a URL that starts with s3://, gs:// or az://",
)

IS_LABEL = Rule(
    "self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
    "must be lower-case letters, digits and '-', and start and end with a letter or a digit",
)

IS_SECRET_NAME = Rule(
    "self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",
    "must be the name of a Secret: lower-case letters, digits, '-' and '.', starting and ending with a letter or a digit",
)

IS_MANAGER = Rule(
    "self.matches('^[a-z0-9.-]+/[A-Za-z0-9._-]+$')",
    "must name a controller by its domain and its name, such as example.com/scheduler",
)

IS_REASON = Rule("self.matches('^[A-Z][A-Za-z0-9]*$')", "must be the name of a reason, such as CUDAOutOfMemory")

DURATION = (
    r"^([0-9]{1,6}(\\.[0-9]{1,3})?h)?([0-9]{1,6}(\\.[0-9]{1,3})?m)?([0-9]{1,6}(\\.[0-9]{1,3})?s)?([0-9]{1,6}ms)?$"
)
"""Each unit once, from the longest to the shortest; 116 years at most, which CEL and Python can both reckon with."""

IS_DURATION = Rule(f"self != '' && self.matches('{DURATION}')", "must be a duration such as 10s, 1m30s or 1h")

ONE_INPUT = Rule(
    "has(self.path) != has(self.url)",
    "name one input: set either path (a folder or archive in the shared storage) or url",
)

SECRET_NEEDS_URL = Rule(
    "!has(self.secretName) || has(self.url)",
    "secretName holds credentials for url; a path in the storage needs none, so remove secretName",
    ".secretName",
)

INPUT_IS_NEEDED = Rule(
    "has(self.input) || (has(self.model) && self.model == 'synthetic')",
    "name the photos: set spec.input.path (in the shared storage) or spec.input.url",
    ".input",
)

NO_TEXTURE_YET = Rule(
    "oldSelf.hasValue() || !self",
    "must be false or left out: no model of this version makes a texture; the mesh's vertices carry the colours",
    optional_old_self=True,
)
"""At creation only: a job that an earlier version took can still be finished and removed."""

ONE_OUTPUT = Rule("!(has(self.path) && has(self.url))", "name one place for the output: either path or url, not both")

BACKOFF_GROWS_TO_ITS_LIMIT = Rule(
    "[self.duration, self.maxDuration].exists(each, each == '' || !each.matches('" + DURATION + "'))"
    " || duration(self.duration) <= duration(self.maxDuration)",
    "duration (10s where left out) must not be longer than maxDuration (10m where left out)",
    ".duration",
)

POLICY_RULE_MATCHES_SOMETHING = Rule(
    "size(self.onReasons) > 0 || size(self.onMessagePatterns) > 0",
    "a rule needs something to match: name onReasons, onMessagePatterns or both",
)

PATTERN_COMPILES = Rule(
    "''.matches(self) || !''.matches(self)",
    "must be a regular expression in RE2 syntax, such as CUDA.*memory",
)

CANCELLATION_STARTS_WITH_REQUEST = Rule(
    "oldSelf.hasValue() || !has(self.spec.cancellation) || self.spec.cancellation != 'Confirmed'",
    "a job can't be created with a confirmed cancellation; leave spec.cancellation out",
    ".spec.cancellation",
    optional_old_self=True,
)

CONFIRMATION_NEEDS_REQUEST = Rule(
    "!has(self.spec.cancellation) || self.spec.cancellation != 'Confirmed' || has(oldSelf.spec.cancellation)",
    "a cancellation takes two steps: set spec.cancellation to Requested first, then to Confirmed",
    ".spec.cancellation",
)

CONFIRMATION_IS_FINAL = Rule(
    "!has(oldSelf.spec.cancellation) || oldSelf.spec.cancellation != 'Confirmed'"
    " || (has(self.spec.cancellation) && self.spec.cancellation == 'Confirmed')",
    "the cancellation is confirmed and can't be taken back; create another job instead",
    ".spec.cancellation",
)

EXPIRED_REQUEST_IS_NOT_CONFIRMED = Rule(
    "!has(self.spec.cancellation) || self.spec.cancellation != 'Confirmed'"
    " || !has(oldSelf.spec.cancellation) || oldSelf.spec.cancellation == 'Confirmed'"
    " || !has(self.status) || !has(self.status.cancellation) || self.status.cancellation.state != 'Expired'",
    "the request for cancellation has expired; set spec.cancellation to null, then to Requested, and confirm in time",
    ".spec.cancellation",
)

EXPIRED_REQUEST_IS_WITHDRAWN_FIRST = Rule(
    "has(oldSelf.spec.cancellation) || !has(self.spec.cancellation)"
    " || !has(self.status) || !has(self.status.cancellation) || self.status.cancellation.state != 'Expired'",
    "the last request has expired and its withdrawal is not noted yet; try again in a moment",
    ".spec.cancellation",
)

FINISHED = "['Succeeded', 'Failed', 'Cancelled']"
HAS_ENDED = f"has(oldSelf.status) && has(oldSelf.status.phase) && oldSelf.status.phase in {FINISHED}"

ENDED_JOB_IS_NOT_CANCELLED = Rule(
    f"!({HAS_ENDED}) || !has(self.spec.cancellation)"
    " || (has(oldSelf.spec.cancellation) && self.spec.cancellation == oldSelf.spec.cancellation)",
    "the job has ended and can't be cancelled any more; its phase says how it ended",
    ".spec.cancellation",
)

ENDED_JOB_IS_NOT_SUSPENDED = Rule(
    f"!({HAS_ENDED}) || !has(self.spec.suspend) || !self.spec.suspend"
    " || (has(oldSelf.spec.suspend) && oldSelf.spec.suspend)",
    "the job has ended and can't be suspended any more; its phase says how it ended",
    ".spec.suspend",
)

IS_FINAL = "c.status == 'True' && c.type in ['Complete', 'Failed', 'Cancelled']"

END_IS_WHOLE = Rule(
    f"has(self.phase) && self.phase in {FINISHED}"
    f" ? has(self.completionTime) && has(self.conditions) && self.conditions.exists_one(c, {IS_FINAL})"
    " && self.conditions.exists(c, c.status == 'True' && c.type == (self.phase == 'Succeeded' ? 'Complete' : self.phase))"
    f" : !has(self.conditions) || !self.conditions.exists(c, {IS_FINAL})",
    "a job ends by its phase, the one condition of that phase and completionTime together, or it does not end",
    ".phase",
)

END_STAYS = Rule(
    f"!has(oldSelf.phase) || !(oldSelf.phase in {FINISHED}) || (has(self.phase) && self.phase == oldSelf.phase"
    " && has(self.completionTime) && (!has(oldSelf.completionTime) || self.completionTime == oldSelf.completionTime))",
    "a finished job stays as it ended",
    ".phase",
)

ATTEMPT_NUMBER_STAYS = Rule(
    "!has(oldSelf.executionAttempts)"
    " || (has(self.executionAttempts) && self.executionAttempts >= oldSelf.executionAttempts)",
    "the number of an attempt never goes back: it tells the latest attempt from those before it",
    ".executionAttempts",
)

ATTEMPTS_FIT_THEIR_NUMBER = Rule(
    "!has(self.attempts) || size(self.attempts) == 0"
    " ? !has(self.executionAttempts) || self.executionAttempts == 0"
    " : has(self.executionAttempts) && self.attempts[size(self.attempts) - 1].number == self.executionAttempts"
    " && self.attempts.exists_one(a, a.number == self.executionAttempts)"
    " && self.attempts.all(a, a.number == self.executionAttempts"
    " || (a.number < self.executionAttempts && has(a.endTime)))",
    "the last of attempts is number executionAttempts, and those before it have ended",
    ".attempts",
)
