"""How the tests read an example's README, and compare what a command prints with what it shows."""

from pathlib import Path

import pytest

from tests.support.examples import Command, commands, matches, settings

README = """\
# An example

```console
make down
EXPIRY_S=15 make up
kubectl get rj
```

```text
NAME   AGE
```

Text.

```console
kubectl patch rj chair -p '{"spec": 1}'  # refused
```

```python
print("no command")
```
"""


def test_a_readme_says_what_to_run_and_how_to_start_the_cluster(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(README)
    patch = """kubectl patch rj chair -p '{"spec": 1}'  # refused"""
    assert commands(readme) == [Command("kubectl get rj", "NAME   AGE\n"), Command(patch)]
    assert [command.refused for command in commands(readme)] == [False, True]
    assert commands(readme)[1].arguments == ["kubectl", "patch", "rj", "chair", "-p", '{"spec": 1}']
    assert settings(readme) == {"EXPIRY_S": "15"}


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        pytest.param("NAME   PHASE\n", "NAME PHASE \n\n", True, id="widths of columns and empty lines don't matter"),
        pytest.param("a  Queued\n", "a  Running\n", False, id="words do"),
        pytest.param("attempts 2\n", "attempts 3\n", False, id="so do whole numbers"),
        pytest.param("3.002 s\n", "15 s\n", True, id="any measured seconds will do"),
        pytest.param("3.002 s\n", "? s\n", False, id="but they must be some"),
        pytest.param("due at 11:40:53 UTC\n", "due at 05:00:00 UTC\n", True, id="any time of day"),
        pytest.param("at 2026-11-24T11:40:53Z\n", "at 2027-01-01T00:00:00Z\n", True, id="any time"),
        pytest.param("a  22s\n", "a  1m2s\n", True, id="any age"),
        pytest.param("a … d\n", "a b c d\n", True, id="an ellipsis is anything"),
        pytest.param("a … d\n", "a b\nc d\n", False, id="of one line"),
        pytest.param("a\n…\nd\n", "a\nb\nc\nd\n", True, id="alone on its line it is any lines"),
        pytest.param("a\n…\n", "a\n", True, id="or none"),
        pytest.param("a\n", "a\nb\n", False, id="a line more is another output"),
        pytest.param("a.b\n", "a-b\n", False, id="what is shown is no pattern"),
    ],
)
def test_what_is_shown_matches_what_is_printed(shown: str, printed: str, same: bool) -> None:
    assert matches(shown, printed) is same
