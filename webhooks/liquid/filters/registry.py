"""The register of filters, and what each takes, so that a template with a wrong call is refused when it is read."""

import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

Function = TypeVar("Function", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Rule:
    """A filter: its function and how many arguments follow the value."""

    apply: Callable[..., object]
    least: int
    most: int
    keywords: frozenset[str]
    wants_context: bool

    def problem(self, count: int, keywords: Collection[str]) -> str | None:
        """What is wrong with a call, as the rest of a sentence, or None."""
        for name in keywords:
            if name not in self.keywords:
                return f"knows no '{name}:'"
        if self.least <= count <= self.most:
            return None
        wanted = str(self.least) if self.least == self.most else f"{self.least} to {self.most}"
        return f"takes {wanted} argument{'' if wanted == '1' else 's'}, not {count}"


FILTERS: dict[str, Rule] = {}


def register(*names: str) -> Callable[[Function], Function]:
    """Make a function a filter under these names. Its first parameter is the value.

    A keyword-only `context` asks for the rendering's context; other keyword-only parameters are named arguments.
    """

    def add(function: Function) -> Function:
        _value, *rest = inspect.signature(function).parameters.values()
        places = [p for p in rest if p.kind is p.POSITIONAL_OR_KEYWORD]
        named = {p.name for p in rest if p.kind is p.KEYWORD_ONLY}
        least = sum(p.default is p.empty for p in places)
        rule = Rule(function, least, len(places), frozenset(named - {"context"}), "context" in named)
        FILTERS.update(dict.fromkeys(names, rule))
        return function

    return add
