"""The smallest JSON merge patch (RFC 7396) from one status to another."""

from typing import Any

from recon_api.status import ReconstructionJobStatus

Json = dict[str, Any]


def status_patch(old: ReconstructionJobStatus, new: ReconstructionJobStatus) -> Json:
    """Return what a merge patch must say to turn `old` into `new`; empty where they are the same."""
    return merge_patch(dump(old), dump(new))


def merge_patch(old: Json, new: Json) -> Json:
    """Return the merge patch from one JSON object to another; lists are replaced whole."""
    patch: Json = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            if inner := merge_patch(before, value):
                patch[key] = inner
        elif key not in old or before != value:
            patch[key] = value
    return patch


def dump(status: ReconstructionJobStatus) -> Json:
    """Return a status as the API server keeps it: what has its default is left out."""
    return status.model_dump(mode="json", by_alias=True, exclude_defaults=True)
