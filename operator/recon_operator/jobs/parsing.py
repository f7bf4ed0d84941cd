"""Reading a job as the API server shows it, also where this version cannot read all of it.

What cannot be read is left out: a spec or a status written under a newer definition.
"""

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from recon_api.resource import ReconstructionJob
from recon_api.spec import MAX_PARAMETERS_BYTES, MAX_PARAMETERS_DEPTH

Json = dict[str, Any]

PARTS = ("spec", "status")

SOMEBODY_ELSE = "unknown/controller"
"""Stands for a spec.managedBy that cannot be read: whoever that is, it is not this operator."""


@dataclass(frozen=True)
class Shown:
    """One version of a job."""

    job: ReconstructionJob
    """What can be read of it."""
    spec_problem: str = ""
    """What of the spec cannot be used, as a sentence; empty where all of it can."""


def read_job(body: Json) -> Shown:
    """Return a job as far as it can be read. Raises ValidationError where not even its metadata can."""
    try:
        job = ReconstructionJob.model_validate(body)
        return Shown(job, _problem_of_size(job))
    except ValidationError as error:
        return _read_in_part(body, error)


def _read_in_part(body: Json, error: ValidationError) -> Shown:
    spec_problem = ""
    readable = body
    while True:
        spec_problem = spec_problem or _problem_of_spec(error)
        readable = _without(readable, error)
        try:
            job = ReconstructionJob.model_validate(readable)
        except ValidationError as next_error:
            error = next_error
        else:
            return Shown(job, spec_problem)


def _without(body: Json, error: ValidationError) -> Json:
    """Return the job without the fields that the error names; raise it where it names others than the spec's or status'."""
    unreadable = _unreadable(error)
    if not any(unreadable.values()):
        raise error
    kept = {
        part: {name: value for name, value in (body.get(part) or {}).items() if name not in unreadable[part]}
        for part in PARTS
    }
    if "managedBy" in unreadable["spec"]:
        kept["spec"]["managedBy"] = SOMEBODY_ELSE
    return {**body, **kept}


def _unreadable(error: ValidationError) -> dict[str, set[str]]:
    """Return the fields right below spec and status in which something cannot be read."""
    found: dict[str, set[str]] = {part: set() for part in PARTS}
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        place = problem["loc"]
        if len(place) > 1 and place[0] in PARTS:
            found[str(place[0])].add(str(place[1]))
    return found


def _problem_of_spec(error: ValidationError) -> str:
    for problem in error.errors(include_url=False, include_input=False):
        if problem["loc"][0] == "spec":
            field = ".".join(str(part) for part in problem["loc"])
            return (
                f"{field} cannot be read by this version of the operator: {_lower_first(problem['msg'])}; "
                "create the job anew, or upgrade the operator"
            )
    return ""


def _problem_of_size(job: ReconstructionJob) -> str:
    if job.spec.parameters.is_too_deep:
        return f"spec.parameters has more than {MAX_PARAMETERS_DEPTH} levels; create another job, with fewer"
    size_bytes = job.spec.parameters.size_bytes
    if size_bytes <= MAX_PARAMETERS_BYTES:
        return ""
    return (
        f"spec.parameters has {size_bytes} bytes as JSON, and {MAX_PARAMETERS_BYTES} are allowed; "
        "create another job, with what is large in its input"
    )


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
