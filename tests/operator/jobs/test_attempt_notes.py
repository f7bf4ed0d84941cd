"""What the operator remembers of what it did about an attempt."""

from recon_api.payload import AttemptResult, Outcome
from recon_operator.jobs.attempt_notes import AttemptNotes

REFUSAL = AttemptResult(outcome=Outcome.FAILED, attempt=1, reason="SecretNotFound")


def test_an_attempt_is_unsent_until_its_message_has_left() -> None:
    notes = AttemptNotes()
    assert not notes.is_unsent("a", 1)
    notes.sending("a", 1)
    assert notes.is_unsent("a", 1)
    assert not notes.is_unsent("a", 2)
    notes.sent("a")
    assert not notes.is_unsent("a", 1)


def test_a_refusal_holds_for_its_attempt_alone() -> None:
    notes = AttemptNotes()
    notes.sending("a", 1)
    notes.refused("a", REFUSAL)
    assert notes.is_unsent("a", 1)
    assert [notes.refusal("a", number) for number in (1, 2)] == [REFUSAL, None]
    notes.sending("a", 1)
    assert notes.refusal("a", 1) == REFUSAL, "it is tried again before the end was written"
    notes.sending("a", 2)
    assert notes.refusal("a", 1) is None


def test_each_message_that_is_sent_is_another_one() -> None:
    notes = AttemptNotes()
    sends = [notes.latest_send("a")]
    for uid in ("a", "b", "a"):
        notes.sent(uid)
        sends.append(notes.latest_send("a"))
    assert sends[0] is None
    assert sends[1] == sends[2] != sends[3]
    assert None not in sends[1:]


def test_nothing_of_a_job_that_is_done_stays() -> None:
    notes = AttemptNotes()
    notes.sent("a")
    notes.sending("a", 2)
    notes.refused("a", REFUSAL.model_copy(update={"attempt": 2}))
    notes.forget("a")
    assert (notes.is_unsent("a", 2), notes.refusal("a", 2), notes.latest_send("a")) == (False, None, None)
