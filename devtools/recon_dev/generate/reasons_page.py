"""The reference page of all reasons."""

from recon_api.reasons import ALL_REASONS, Blame
from recon_dev.generate.markdown import page, table

HEADINGS = {
    Blame.USER: ("For you to change", "The job is `Failed` at once and is not tried again."),
    Blame.JOB: ("Failures of the job's own", "Tried again, at most `spec.backoffLimit` times."),
    Blame.INFRASTRUCTURE: ("Failures of the cluster", "Tried again without counting: the job is not to blame."),
    Blame.NOBODY: ("Everything else", "No failures, but where a job stands or how it ended."),
}

INTRODUCTION = """\
A reason is the one word with which a condition, an attempt or an event of a job says why. It is part of the API: it
is not renamed within a version. `spec.failurePolicy` can match it and change what follows from it."""


def render() -> str:
    """Return the page: a table of reasons for each answer to "whose move is it?"."""
    return page("Reasons", INTRODUCTION, *(_section(blame) for blame in HEADINGS))


def _section(blame: Blame) -> str:
    title, consequence = HEADINGS[blame]
    rows = [(f"`{reason.name}`", f"{reason.meaning}.") for reason in ALL_REASONS.values() if reason.blame == blame]
    return f"## {title}\n\n{consequence}\n\n{table(('Reason', 'Meaning'), rows)}"
