"""How deep values of JSON are nested, found without recursion: they may be deeper than Python calls can be."""

from typing import Any


def is_deeper(value: Any, levels: int) -> bool:
    """Say whether an object or a list lies more than so many levels below a value."""
    level = [value]
    for _ in range(levels + 1):
        level = [inner for each in level for inner in _containers(each)]
    return bool(level)


def _containers(value: Any) -> list[Any]:
    """Return the objects and lists right within an object or a list."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [each for each in inner if isinstance(each, dict | list)]
