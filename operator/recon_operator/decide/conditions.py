"""How a condition follows the one before it."""

from recon_api.status import Condition


def following(old: Condition | None, new: Condition) -> Condition:
    """Return the new condition, whose transition time moves only when its status does.

    Where nothing but the observed generation differs, the old one stays: it is not worth a write.
    """
    if old is None:
        return new
    if old.status is new.status:
        new = new.model_copy(update={"last_transition_time": old.last_transition_time})
    return old if old.model_copy(update={"observed_generation": new.observed_generation}) == new else new
