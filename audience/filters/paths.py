"""Paths into nested attributes and properties: `a.b`, `list[].name`, `list[0]`, `"odd.name".b`."""

import re
from enum import Enum

MAX_DEPTH = 5
_STEP = re.compile(r'"((?:[^"\\]|\\.)*)"|([^.\[\]"]+)')
_INDEX = re.compile(r"\[(\d{0,4})\]")


class Each(Enum):
    """The step `[]`: any element of a list."""

    ELEMENT = "[]"


Step = str | int | Each
Path = tuple[Step, ...]


class InvalidPath(ValueError):
    """The text is no path; the message shows where reading stopped."""


def parse(text: str) -> Path:
    """Read a path. Raises InvalidPath."""
    steps: list[Step] = []
    position = 0
    while position < len(text):
        if index := _INDEX.match(text, position):
            steps.append(int(index[1]) if index[1] else Each.ELEMENT)
            position = index.end()
            continue
        start = position + 1 if steps and text[position] == "." else position
        step = _STEP.match(text, start)
        if not step or (steps and start == position):
            raise InvalidPath(text[:position] + "⟨" + text[position:] + "⟩")
        steps.append(re.sub(r"\\(.)", r"\1", step[1]) if step[1] is not None else step[2])
        position = step.end()
    return tuple(steps)


def depth(path: Path) -> int:
    """How many names deep the path goes."""
    return sum(isinstance(step, str) for step in path)
