"""What expressions are once read: constants, variables, attributes, ranges, filter chains and loops.

These are the hot path. Names that are missing are None, never an exception; paths of constants are plain tuples.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeAlias

from liquid.builtin.expressions import LoopExpression
from liquid.exceptions import LiquidError, LiquidInterrupt
from liquid.expression import Expression
from liquid.token import Token

from . import times
from .context import Context
from .errors import Aborted, Fault, Postponed
from .limits import LIMITS
from .values import exact, items, member

Segment: TypeAlias = "str | int | Expression"
LONGEST_RANGE = 10**12  # nothing is made of it yet; loops and filters have their own, lower limits


class Constant(Expression):
    __slots__ = ("value",)

    def __init__(self, token: Token, value: object) -> None:
        super().__init__(token)
        self.value = value

    def evaluate(self, context: Context) -> object:
        return self.value

    def children(self) -> Iterable[Expression]:
        return []

    def __str__(self) -> str:
        return repr(self.value)


class Path(Expression):
    """A value and the way down from it."""

    __slots__ = ("is_fixed", "name", "path")

    def __init__(self, token: Token, name: str, path: Iterable[Segment]) -> None:
        super().__init__(token)
        self.name = name
        self.path = tuple(path)
        self.is_fixed = not any(isinstance(part, Expression) for part in self.path)

    def children(self) -> Iterable[Expression]:
        return [part for part in self.path if isinstance(part, Expression)]

    def down(self, value: object, path: Iterable[Segment], context: Context) -> object:
        for key in path:
            if type(value) is dict and type(key) is str and key in value:
                value = value[key]
            else:
                value = member(value, key.evaluate(context) if isinstance(key, Expression) else key)
            if value is None:
                return None
        if type(value) is dict and "$time" in value:
            return times.from_nested(value) or value
        return value

    def _trail(self) -> str:
        return "".join(f"[{part}]" if isinstance(part, Expression) else f"[{part!r}]" for part in self.path)


class Variable(Path):
    """A local variable, or `now`, `today` and `event_name`."""

    __slots__ = ()

    def evaluate(self, context: Context) -> object:
        value = context.scope.find(self.name)
        if value is None or (not self.path and type(value) is not dict):
            return value
        return self.down(value, self.path, context)

    def __str__(self) -> str:
        return self.name + self._trail()


class Namespace(Variable):
    """A namespace without its `${}`: `context.seat`, or the whole of `context`. A variable of its name comes first."""

    __slots__ = ()

    def evaluate(self, context: Context) -> object:
        if context.has_local(self.name):
            return super().evaluate(context)
        if self.path and isinstance(self.path[0], str):
            return self.down(context.roots[self.name](self.path[0]), self.path[1:], context)
        return self.down(context.data.whole(self.name), self.path, context)


class Attribute(Path):
    """`${name}` or `namespace.${name}`: found in the message's data, never in a variable."""

    __slots__ = ("namespace",)

    def __init__(self, token: Token, namespace: str, name: str, path: Iterable[Segment] = ()) -> None:
        super().__init__(token, name, path)
        self.namespace = namespace

    def evaluate(self, context: Context) -> object:
        value = context.roots[self.namespace](self.name)
        if value is None or (not self.path and type(value) is not dict):
            return value
        return self.down(value, self.path, context)

    def __str__(self) -> str:
        return f"{self.namespace}.${{{self.name}}}{self._trail()}".lstrip(".")


class ContentBlock(Expression):
    """`content_blocks.${name}`: the block's text, rendered in the scope of its place."""

    __slots__ = ("name",)

    def __init__(self, token: Token, name: str) -> None:
        super().__init__(token)
        self.name = name

    def evaluate(self, context: Context) -> str:
        return context.block(self.name, self.token)

    def children(self) -> Iterable[Expression]:
        return []

    def __str__(self) -> str:
        return f"content_blocks.${{{self.name}}}"


class Range(Expression):
    """`(1..5)`: both ends included; text counts as its number, everything else as 0."""

    __slots__ = ("start", "stop")

    def __init__(self, token: Token, start: Expression, stop: Expression) -> None:
        super().__init__(token)
        self.start = start
        self.stop = stop

    def evaluate(self, context: Context) -> range:
        start = int(exact(self.start.evaluate(context)))
        stop = int(exact(self.stop.evaluate(context)))
        if stop - start > LONGEST_RANGE:
            raise Fault("this range is too long", self.token)
        return range(start, stop + 1) if stop >= start else range(0)

    def children(self) -> Iterable[Expression]:
        return [self.start, self.stop]

    def __str__(self) -> str:
        return f"({self.start}..{self.stop})"


class Call:
    """One filter with its arguments. Arguments that are all constant are read once."""

    __slots__ = ("apply", "args", "fixed", "keywords", "name", "token", "wants_context")

    def __init__(
        self,
        token: Token,
        apply: Callable[..., object],
        args: list[Expression],
        keywords: dict[str, Expression],
        wants_context: bool,
    ) -> None:
        self.token = token
        self.name = token.value
        self.apply = apply
        self.args = args
        self.keywords = keywords
        self.wants_context = wants_context
        is_fixed = not keywords and all(isinstance(arg, Constant) for arg in args)
        self.fixed = tuple(arg.value for arg in args if isinstance(arg, Constant)) if is_fixed else None

    def on(self, value: object, context: Context) -> object:
        """The filter's result. Raises Fault, at this filter's place, for whatever goes wrong in it."""
        try:
            args = self.fixed
            if args is None:
                args = tuple([arg.evaluate(context) for arg in self.args])
            if self.wants_context:
                result = self.apply(value, *args, context=context)
            elif self.keywords:
                named = {name: arg.evaluate(context) for name, arg in self.keywords.items()}
                result = self.apply(value, *args, **named)
            else:
                result = self.apply(value, *args)
        except Fault as fault:
            fault.token = fault.token or self.token
            raise
        except (Aborted, Postponed, LiquidError, LiquidInterrupt):
            raise
        except Exception as error:
            raise Fault(f"'{self.name}' cannot be applied to this value: {error}", self.token) from error
        if type(result) is str and len(result) > LIMITS.value:
            raise Fault(f"'{self.name}' makes text that is too long", self.token)
        return result


class Filtered(Expression):
    """A value and the filters it goes through."""

    __slots__ = ("calls", "left")

    def __init__(self, left: Expression, calls: list[Call]) -> None:
        super().__init__(left.token)
        self.left = left
        self.calls = calls

    def evaluate(self, context: Context) -> object:
        context.budget.check()
        value = self.left.evaluate(context)
        for call in self.calls:
            value = call.on(value, context)
        return value

    def children(self) -> Iterable[Expression]:
        yield self.left
        for call in self.calls:
            yield from call.args
            yield from call.keywords.values()

    def __str__(self) -> str:
        return " | ".join([str(self.left), *(call.name for call in self.calls)])


class Loop(LoopExpression):
    """What a `for` or `tablerow` goes over. `limit` and `offset` cut first, `reversed` turns what is left.

    `label` is the loop's name in `forloop.name`, under which `offset:continue` finds where the last one stopped.
    """

    __slots__ = ("label",)

    def __init__(self, token: Token, identifier: str, iterable: Expression, **options: Any) -> None:
        super().__init__(token, identifier, iterable, **options)
        self.label = f"{identifier}-{iterable}"

    def evaluate(self, context: Context) -> tuple[Iterator[object], int]:
        whole = _sequence(self.iterable.evaluate(context))
        start = self._start(context)
        stop = len(whole) if self.limit is None else start + self._whole(self.limit, context)
        start, stop = min(max(start, 0), len(whole)), min(max(stop, 0), len(whole))
        context.stopindex(self.label, stop)
        part = whole[start:stop]
        if self.reversed:
            part = part[::-1]
        return context.counted(part), len(part)

    def _start(self, context: Context) -> int:
        if self.offset is None:
            return 0
        if isinstance(self.offset, Continue):
            return context.stopindex(self.label)
        return self._whole(self.offset, context)

    def _whole(self, expression: Expression, context: Context) -> int:
        return int(exact(expression.evaluate(context)))


class Continue(Constant):
    """The word in `offset:continue`."""

    __slots__ = ()


def _sequence(value: object) -> list[object] | range:
    """What a loop sees: pairs of an object, a text once, nothing for what cannot be gone over."""
    if isinstance(value, range):
        return value
    if isinstance(value, dict):
        return [[key, part] for key, part in islice(value.items(), LIMITS.items + 1)]
    if isinstance(value, list | tuple):
        return items(value)
    return [value] if isinstance(value, str) and value else []
