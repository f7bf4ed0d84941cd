"""The jobs that the operator knows, as the API server last showed them."""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator

from recon_api.resource import FINISHED_LABEL, ReconstructionJob
from recon_operator.jobs.installation import Installation
from recon_operator.jobs.other_installations import OtherInstallations
from recon_operator.jobs.parsing import Shown

REMEMBERED_REMOVALS = 20_000
"""How many removed jobs are remembered, so that a late event does not bring one back."""


class Jobs:
    """Jobs by UID; of two versions of one job the newer stays, in whatever order they come.

    Finished jobs that carry their label are not kept: the watch leaves them out too. Nor are those of another installation:
    what is not kept is neither looked at, nor queued, nor counted.
    """

    def __init__(self, installation: Installation | None = None, others: OtherInstallations | None = None) -> None:
        """Keep the jobs of `installation`, by default of all; those of others are recorded in `others`."""
        self._installation = installation or Installation()
        self.others = others or OtherInstallations()
        self._jobs: dict[str, ReconstructionJob] = {}
        self._spec_problems: dict[str, str] = {}
        self._removed: OrderedDict[str, int] = OrderedDict()
        self._let_go: set[str] = set()
        self._vanished: dict[str, ReconstructionJob] = {}
        self._without_attempt: defaultdict[str, set[str]] = defaultdict(set)
        self._occupying: defaultdict[str, set[str]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._jobs)

    def __iter__(self) -> Iterator[ReconstructionJob]:
        return iter(list(self._jobs.values()))

    def get(self, uid: str) -> ReconstructionJob | None:
        """Return the job of that UID, if it is known."""
        return self._jobs.get(uid)

    def spec_problem(self, uid: str) -> str:
        """Return what of a job's spec cannot be read; empty where all of it can."""
        return self._spec_problems.get(uid, "")

    def gpu_classes(self) -> set[str]:
        """Return the gpuClasses of all known jobs that have not finished."""
        return {name for group in (self._without_attempt, self._occupying) for name, uids in group.items() if uids}

    def without_attempt(self, gpu_class: str) -> list[ReconstructionJob]:
        """Return the jobs of a gpuClass of which no attempt is sent or runs."""
        return [self._jobs[uid] for uid in self._without_attempt[gpu_class]]

    def occupying(self, gpu_class: str | None = None) -> list[ReconstructionJob]:
        """Return the jobs, of a gpuClass or of all, of which an attempt is sent or runs."""
        groups = [self._occupying[gpu_class]] if gpu_class is not None else list(self._occupying.values())
        return [self._jobs[uid] for group in groups for uid in group]

    def apply(self, shown: Shown) -> bool:
        """Record a version of a job; return whether it was news."""
        uid, version = shown.job.uid, _version(shown.job.metadata.resource_version)
        known = self._jobs.get(uid)
        newest = _version(known.metadata.resource_version) if known else self._removed.get(uid, -1)
        if version <= newest:
            return False
        self._take(shown)
        return True

    def remove(self, uid: str, resource_version: str = "", last: ReconstructionJob | None = None) -> None:
        """Forget a job that is gone as of this version, or that finished; `last` is how it was last shown, if not as it is known."""
        known = self._jobs.get(uid)
        if known and uid not in self._let_go and (last or known).occupies_worker:
            self._vanished[uid] = last or known
        self.others.forget(uid)
        self._drop(uid, resource_version)

    def let_go(self, uid: str) -> None:
        """Record that this operator removes the finalizer of a job, which may be shown as gone before the answer comes."""
        self._let_go.add(uid)

    def take_vanished(self, uid: str) -> ReconstructionJob | None:
        """Return, once, a job that went while an attempt of it was open, and that this operator has not let go.

        The API server can delete an object that has just got a finalizer, and anyone who may write the object can remove it.
        """
        return self._vanished.pop(uid, None)

    def _drop(self, uid: str, resource_version: str) -> None:
        """Keep nothing of a job but this version, so that an earlier one does not bring it back."""
        self._sort_out(uid)
        self._let_go.discard(uid)
        job = self._jobs.pop(uid, None)
        self._spec_problems.pop(uid, None)
        self._removed[uid] = max(_version(resource_version), _version(job.metadata.resource_version) if job else 0)
        self._removed.move_to_end(uid)
        while len(self._removed) > REMEMBERED_REMOVALS:
            self._removed.popitem(last=False)

    def replace(self, listed: Iterable[Shown], resource_version: str, namespace: str | None = None) -> set[str]:
        """Take over a whole list, of a namespace or of all, made at this version; return the UIDs of what was news or has gone."""
        uids: set[str] = set()
        changed: set[str] = set()
        for shown in listed:
            uids.add(shown.job.uid)
            if self.apply(shown):
                changed.add(shown.job.uid)
        horizon = _version(resource_version)
        gone = [
            uid
            for uid, job in self._jobs.items()
            if uid not in uids
            and namespace in (None, job.metadata.namespace)
            and _version(job.metadata.resource_version) <= horizon
        ]
        for uid in gone:
            self.remove(uid, resource_version)
        for uid, other in self.others:
            if uid not in uids and namespace in (None, other.namespace):
                self.others.forget(uid)
        return changed | set(gone)

    def _take(self, shown: Shown) -> None:
        """Keep this version of a job."""
        job = shown.job
        if _is_over(job):
            self.others.forget(job.uid)
            self._drop(job.uid, job.metadata.resource_version)
            return
        if not self._installation.manages(job):
            self._drop(job.uid, job.metadata.resource_version)
            self.others.record(job)
            return
        self.others.forget(job.uid)
        self._sort_out(job.uid)
        self._let_go.discard(job.uid)
        self._jobs[job.uid] = job
        if shown.spec_problem:
            self._spec_problems[job.uid] = shown.spec_problem
        else:
            self._spec_problems.pop(job.uid, None)
        self._sort_in(job)

    def _sort_in(self, job: ReconstructionJob) -> None:
        if job.has_no_attempt:
            self._without_attempt[job.spec.gpu_class].add(job.uid)
        if job.occupies_worker:
            self._occupying[job.spec.gpu_class].add(job.uid)

    def _sort_out(self, uid: str) -> None:
        if job := self._jobs.get(uid):
            self._without_attempt[job.spec.gpu_class].discard(uid)
            self._occupying[job.spec.gpu_class].discard(uid)


def _is_over(job: ReconstructionJob) -> bool:
    """Say whether nothing is left to do: finished and labelled so, or deleted with nobody left who holds it."""
    metadata = job.metadata
    labelled = job.status.phase.finished and FINISHED_LABEL in metadata.labels and not metadata.finalizers
    return labelled or (metadata.deletion_timestamp is not None and not metadata.finalizers)


def _version(text: str) -> int:
    """Return a resourceVersion as a number; within one kind they are ordered (Kubernetes 1.35 and, in practice, before)."""
    return int(text) if text.isdigit() else 0
