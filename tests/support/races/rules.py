"""The rules of `recon_api.rules` on cancellation, ends and attempts, for a store that runs no CEL."""

from recon_api import rules
from tests.support.races.store import Json

FINISHED = ("Succeeded", "Failed", "Cancelled")
FINAL = ("Complete", "Failed", "Cancelled")


def refusal(old: Json | None, new: Json) -> str:
    """Return the sentence with which a change is refused; empty where it is not."""
    after = new["spec"].get("cancellation")
    if old is None:
        return rules.CANCELLATION_STARTS_WITH_REQUEST.message if after == "Confirmed" else ""
    before = old["spec"].get("cancellation")
    expired = new.get("status", {}).get("cancellation", {}).get("state") == "Expired"
    if after == "Confirmed" and before is None:
        return rules.CONFIRMATION_NEEDS_REQUEST.message
    if before == "Confirmed" and after != "Confirmed":
        return rules.CONFIRMATION_IS_FINAL.message
    if after == "Confirmed" and before != "Confirmed" and expired:
        return rules.EXPIRED_REQUEST_IS_NOT_CONFIRMED.message
    if before is None and after is not None and expired:
        return rules.EXPIRED_REQUEST_IS_WITHDRAWN_FIRST.message
    return _refusal_of_status(old.get("status", {}), new.get("status", {}))


def final_conditions(status: Json) -> set[str]:
    """Return the types of the conditions that say how a job ended."""
    return {c["type"] for c in status.get("conditions", ()) if c["status"] == "True" and c["type"] in FINAL}


def _refusal_of_status(old: Json, new: Json) -> str:
    if not _ends_whole(new):
        return rules.END_IS_WHOLE.message
    if old.get("phase") in FINISHED and any(old.get(key) != new.get(key) for key in ("phase", "completionTime")):
        return rules.END_STAYS.message
    if new.get("executionAttempts", 0) < old.get("executionAttempts", 0):
        return rules.ATTEMPT_NUMBER_STAYS.message
    if not _attempts_fit(new):
        return rules.ATTEMPTS_FIT_THEIR_NUMBER.message
    return ""


def _ends_whole(status: Json) -> bool:
    phase = status.get("phase")
    if phase not in FINISHED:
        return not final_conditions(status)
    kind = "Complete" if phase == "Succeeded" else phase
    return "completionTime" in status and final_conditions(status) == {kind}


def _attempts_fit(status: Json) -> bool:
    number, attempts = status.get("executionAttempts", 0), status.get("attempts") or []
    if not attempts:
        return not number
    *earlier, latest = attempts
    return latest["number"] == number and all(a["number"] < number and "endTime" in a for a in earlier)
