"""The page of phases: it comes from the operator's own policies, and leaves none of them out."""

from typing import get_args

import pytest

from recon_api.status import Phase
from recon_dev.generate.phases import page, scenarios
from recon_dev.generate.phases.rows import ENDINGS, ORDERS, ROWS
from recon_dev.generate.phases.situations import ENDS, RUN, SITUATIONS
from recon_dev.generate.phases.situations import Situation as Column
from recon_dev.generate.phases.world import settle
from recon_operator import decide
from recon_operator.decide import Policy
from recon_operator.decide.context import Situation
from recon_operator.decide.decision import AssertRequest, Decision, Effect, ForgetJob, WithdrawRequest

ALL = {situation.title: situation for situation in (*SITUATIONS, *ENDS)}
SCENARIOS = {row.title: row for row in ROWS}


def test_every_policy_has_a_say(monkeypatch: pytest.MonkeyPatch) -> None:
    names, said = {policy.__name__ for policy in decide.POLICIES}, set[str]()

    def heard(policy: Policy) -> Policy:
        def listen(situation: Situation) -> Situation | Decision:
            outcome = policy(situation)
            if outcome is not situation:
                said.add(policy.__name__)
            return outcome

        return listen

    monkeypatch.setattr(decide, "POLICIES", tuple(map(heard, decide.POLICIES)))
    page._courses.cache_clear()
    page.render()
    assert said == names


def test_every_effect_has_a_word_that_is_used() -> None:
    unnamed = {AssertRequest, WithdrawRequest, ForgetJob}
    assert set(get_args(Effect)) - unnamed == set(page.WORDS)
    cells = page._phases()
    assert all(word in cells for word, _ in page.WORDS.values())


def test_every_phase_has_a_column() -> None:
    assert {situation.phase for situation in ALL.values()} == set(Phase)
    assert all(situation.reach({}) for situation in ALL.values())


def test_every_scenario_has_a_row() -> None:
    listed = {row.scenario for row in ROWS}
    assert {*ENDINGS.values(), *ORDERS.values(), *RUN} <= listed
    defined = {value for value in vars(scenarios).values() if getattr(value, "__module__", "") == scenarios.__name__}
    assert {value for value in defined if not value.__name__.startswith("_")} == listed


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.title)
def test_a_finished_phase_is_never_left(end: Column) -> None:
    for row in ROWS:
        world = end.reach(dict(row.spec))
        after = world and row.scenario(world)
        assert after is None or settle(after).phases == (end.phase,)


@pytest.mark.parametrize(
    ("situation", "scenario", "cell"),
    [
        pytest.param("Pending", "the operator sees it", "Queued", id="a new phase"),
        pytest.param("Queued", "a worker will be free for it", "✓ (send)", id="the same phase, and what is done"),
        pytest.param("Running", "`suspend: true`", "✓ (hold)", id="an order to an attempt"),
        pytest.param("Running, told to stop", "`suspend: false`", "✓", id="what the status alone tells"),
        pytest.param("Running", "Redis does not answer", "", id="nothing changes"),
        pytest.param("Suspended", "a worker takes the attempt", "–", id="what cannot happen"),
        pytest.param("Queued, sent", "`kubectl delete`", "Cancelling → gone (stop, discard)", id="several phases"),
    ],
)
def test_a_cell_says(situation: str, scenario: str, cell: str) -> None:
    assert page._cell(SCENARIOS[scenario], ALL[situation]) == cell
