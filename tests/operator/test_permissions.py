"""The operator asks for what it uses, and for nothing that would let it do more."""

from recon_operator.permissions import PERMISSIONS


def test_nothing_is_deleted_but_jobs_and_nothing_created_but_events() -> None:
    rights = {(resource, verb) for each in PERMISSIONS for resource in each.resources for verb in each.verbs}
    changing = {right for right in rights if right[1] in {"create", "delete", "deletecollection", "update", "*"}}
    assert changing == {("events", "create"), ("reconstructionjobs", "delete")}


def test_no_rule_has_a_wildcard() -> None:
    assert not any("*" in (each.api_group, *each.resources, *each.verbs) for each in PERMISSIONS)


def test_a_rule_is_written_as_rbac_reads_it() -> None:
    assert PERMISSIONS[1].to_rule() == {
        "apiGroups": ["reconstruction.dev"],
        "resources": ["reconstructionjobs/status"],
        "verbs": ["patch"],
    }
