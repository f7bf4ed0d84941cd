"""Names and numbers that operator and worker must agree on."""

import pytest

from recon_api import keys, reasons
from recon_api.errors import UsageError
from recon_api.payload import AttemptResult, Outcome, ProgressMeta, TaskPayload
from recon_api.reasons import ALL_REASONS, Blame, reason_of
from recon_api.resource import MANAGED_BY_US, ReconstructionJob
from recon_api.status import Phase
from recon_api.steps import Step


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (keys.attempt_key("u"), "attempt:u"),
        (keys.claim_key("u", 2), "claim:u.2"),
        (keys.lease_key("u", 2), "lease:u.2"),
        (keys.result_key("u", 2), "result:u.2"),
        (keys.worker_key("w"), "worker:w"),
        (keys.cancel_request_key("u"), "cancel_request:u"),
        (keys.cancel_key("u"), "cancel:u"),
        (keys.discard_key("u"), "discard:u"),
        (keys.discarded_key("u"), "discarded:u"),
        (keys.progress_key("u", 2), "celery-task-meta-u.2"),
        (keys.queue_name("h200"), "reconstruction.h200"),
    ],
)
def test_keys_are_named_as_documented(key: str, expected: str) -> None:
    assert key == expected


def test_a_task_id_reads_back() -> None:
    assert keys.parse_task_id(keys.task_id("a-b.c", 7)) == ("a-b.c", 7)


@pytest.mark.parametrize("foreign", ["", "plain", "a.b", ".1"])
def test_a_foreign_task_id_is_refused(foreign: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        keys.parse_task_id(foreign)


@pytest.mark.parametrize(
    ("step", "start", "end"),
    [
        (Step.LOADING, 0, 10),
        (Step.PREPROCESSING, 10, 20),
        (Step.RECONSTRUCTION, 20, 60),
        (Step.POST_PROCESSING, 60, 80),
        (Step.PREVIEWS, 80, 90),
        (Step.FINALIZING, 90, 100),
    ],
)
def test_each_step_goes_on_where_the_last_one_ended(step: Step, start: int, end: int) -> None:
    assert (step.start_percentage, step.end_percentage) == (start, end)


@pytest.mark.parametrize("name", sorted(ALL_REASONS))
def test_a_reason_is_a_camel_case_constant_with_a_sentence(name: str) -> None:
    reason = ALL_REASONS[name]
    assert name[0].isupper()
    assert name.isalnum()
    assert not reason.meaning.endswith(".")


def test_an_unknown_reason_is_the_jobs_own_failure() -> None:
    assert reason_of("NeverHeardOf").blame == Blame.JOB


def test_an_error_names_its_reason_and_what_to_change() -> None:
    error = UsageError(reasons.INPUT_NOT_FOUND, "put the photos there")
    assert str(error) == "InputNotFound: put the photos there"


@pytest.mark.parametrize(
    ("phase", "finished"), [(phase, phase in {"Succeeded", "Failed", "Cancelled"}) for phase in Phase]
)
def test_three_phases_are_final(phase: Phase, finished: bool) -> None:
    assert phase.finished is finished


def test_a_newer_sender_may_add_fields() -> None:
    result = AttemptResult.model_validate({"outcome": "completed", "attempt": 1, "invented": True})
    assert result.outcome is Outcome.COMPLETED


def test_the_task_has_the_plans_default_model() -> None:
    assert TaskPayload(job_id="u", namespace="n", name="j", attempt=1).model_type == "reconviagen"


def test_progress_names_one_of_the_six_steps() -> None:
    meta = ProgressMeta.model_validate({"progress": 42.5, "step": "Running reconstruction"})
    assert meta.step is Step.RECONSTRUCTION


def test_a_job_is_read_as_the_api_server_sends_it() -> None:
    body = {
        "apiVersion": "reconstruction.dev/v1",
        "kind": "ReconstructionJob",
        "metadata": {"name": "chair", "namespace": "n", "uid": "u", "resourceVersion": "5", "generation": 2},
        "spec": {"input": {"path": "chair"}, "gpuClass": "any", "parameters": {"quality": "draft", "own": 1}},
        "status": {"phase": "Pending"},
    }
    job = ReconstructionJob.model_validate(body)
    assert (job.key, job.uid, job.metadata.generation) == ("n/chair", "u", 2)
    assert job.spec.parameters.as_payload() == {"quality": "draft", "formats": ["glb"], "seed": 0, "own": 1}
    assert job.spec.backoff_limit == 2


def at_work(status: dict[str, object], **spec: object) -> ReconstructionJob:
    """Return a job with this status."""
    metadata = {"name": "chair", "namespace": "studio", "uid": "uid-1"}
    return ReconstructionJob.model_validate(
        {"metadata": metadata, "spec": {"model": "synthetic"} | spec, "status": status}
    )


OPEN, ENDED = {"number": 1}, {"number": 1, "endTime": "2026-11-22T12:00:00Z"}


@pytest.mark.parametrize(
    ("job", "no_attempt", "occupies"),
    [
        pytest.param(at_work({}), True, False, id="before any attempt"),
        pytest.param(at_work({"attempts": [OPEN]}), False, True, id="an attempt is sent"),
        pytest.param(at_work({"attempts": [ENDED]}), True, False, id="between attempts"),
        pytest.param(at_work({"attempts": [ENDED], "phase": "Failed"}), False, False, id="it has ended"),
        pytest.param(at_work({"attempts": [OPEN], "phase": "Failed"}), False, False, id="it was ended while it ran"),
        pytest.param(at_work({}, managedBy="example.com/other"), False, False, id="another controller's"),
        pytest.param(at_work({}, managedBy=MANAGED_BY_US), True, False, id="ours by name"),
    ],
)
def test_what_a_job_occupies(job: ReconstructionJob, no_attempt: bool, occupies: bool) -> None:
    assert (job.has_no_attempt, job.occupies_worker) == (no_attempt, occupies)


def test_only_a_final_condition_that_holds_says_how_a_job_ended() -> None:
    said = {"reason": "X", "lastTransitionTime": "2026-11-22T12:00:00Z"}
    conditions = [
        {"type": "Complete", "status": "False"} | said,
        {"type": "Running", "status": "True"} | said,
        {"type": "Failed", "status": "True"} | said,
    ]
    assert [c.type for c in at_work({"conditions": conditions}).status.final_conditions] == ["Failed"]
