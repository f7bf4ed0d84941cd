"""The rules of `recon_api.rules` on cancellation and final statuses, for a store that runs no CEL."""

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
    final = final_conditions(old)
    if final and old.get("phase") in FINISHED and new.get("phase") != old["phase"]:
        return rules.FINISHED_PHASE_STAYS.message
    if not final <= final_conditions(new):
        return rules.FINAL_CONDITIONS_STAY.message
    return ""
