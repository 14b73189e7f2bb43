"""How values compare: what equals what, which is less, what contains what, and the conditions built of that.

Only nil and false are false. `and` and `or` are read from the right, without brackets.
"""

import operator
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from liquid.expression import Expression
from liquid.token import Token

from . import times
from .context import Context
from .errors import Fault
from .values import BLANK, EMPTY, is_number, text, whole_number


def equal(left: object, right: object) -> bool:
    """Same type and equal; integers and decimals are one type, and a time equals the text it prints."""
    if left is BLANK or left is EMPTY:
        left, right = right, left
    if right is BLANK:
        return _is_blank(left)
    if right is EMPTY:
        return left is EMPTY or left is BLANK or (isinstance(left, str | list | dict | range) and not left)
    kind, other = type(left), type(right)
    if kind is other:
        return left == right
    if is_number(left) and is_number(right):
        return _plain(left) == _plain(right)
    if isinstance(left, datetime | date) and isinstance(right, datetime | date | str):
        return text(left) == text(right)
    if isinstance(right, datetime | date) and isinstance(left, str):
        return left == text(right)
    return False


def _is_blank(value: object) -> bool:
    if isinstance(value, str):
        return not value or value.isspace()
    return value is None or value is False or value is BLANK or value is EMPTY or value in ([], {}, range(0))


def _plain(number: object) -> object:
    return float(number) if isinstance(number, Decimal) else number


def order(left: object, right: object) -> tuple[object, object]:
    """Both sides as values that Python can put in order. Raises Fault for a mixture that means nothing.

    Text that is wholly a number counts as it beside a number; text that is a time, as a time beside a time; a time, as
    its seconds since 1970 beside a number.
    """
    if type(left) is type(right) and (is_number(left) or isinstance(left, str)):
        return left, right
    a, b = _beside(left, right), _beside(right, left)
    if is_number(a) and is_number(b):
        return a, b
    if isinstance(a, datetime) and isinstance(b, datetime):
        return a, b
    raise Fault(f"cannot compare {_named(left)} with {_named(right)}")


def _beside(value: object, other: object) -> object:
    """What `value` counts as, next to `other`."""
    if isinstance(value, datetime | date):
        return times.epoch(value) if is_number(other) else times.as_time(value)
    if isinstance(value, str) and is_number(other):
        return whole_number(value)
    if isinstance(value, str) and isinstance(other, datetime | date):
        moment = times.read_text(value)
        return times.as_time(moment) if moment else None
    return _plain(value)


def _named(value: object) -> str:
    shown = text(value)[:40]
    if isinstance(value, str):
        return f"text '{shown}'"
    if isinstance(value, bool):
        return shown
    if is_number(value):
        return f"number {shown}"
    return f"time {shown}" if isinstance(value, datetime | date) else f"a list or object {shown}"


def contains(whole: object, part: object) -> bool:
    """Text in text, an element in a list, a key in an object; false for everything else."""
    if isinstance(whole, str):
        return isinstance(part, str) and part in whole
    if isinstance(whole, list | tuple):
        return any(equal(item, part) for item in whole)
    if isinstance(whole, range):
        return type(part) is int and part in whole
    return isinstance(whole, dict) and isinstance(part, str) and part in whole


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[object, object], bool]:
    def compare(left: object, right: object) -> bool:
        return left is not None and right is not None and test(*order(left, right))

    return compare


OPERATORS: dict[str, Callable[[object, object], bool]] = {
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "<>": lambda left, right: not equal(left, right),
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
    "contains": contains,
}


class Truth(Expression):
    """Whether a value counts as true."""

    __slots__ = ("value",)

    def __init__(self, value: Expression) -> None:
        super().__init__(value.token)
        self.value = value

    def evaluate(self, context: Context) -> bool:
        value = self.value.evaluate(context)
        return value is not None and value is not False

    def children(self) -> Iterable[Expression]:
        return [self.value]


class Comparison(Expression):
    """Two values and an operator; a Fault points at the operator."""

    __slots__ = ("left", "right", "test")

    def __init__(self, token: Token, left: Expression, right: Expression) -> None:
        super().__init__(token)
        self.left = left
        self.right = right
        self.test = OPERATORS[token.value]

    def evaluate(self, context: Context) -> bool:
        try:
            return self.test(self.left.evaluate(context), self.right.evaluate(context))
        except Fault as fault:
            fault.token = fault.token or self.token
            raise

    def children(self) -> Iterable[Expression]:
        return [self.left, self.right]


class Either(Expression):
    """`or`: the right side is looked at only if the left is false."""

    __slots__ = ("left", "right")

    def __init__(self, token: Token, left: Expression, right: Expression) -> None:
        super().__init__(token)
        self.left = left
        self.right = right

    def evaluate(self, context: Context) -> bool:
        return bool(self.left.evaluate(context) or self.right.evaluate(context))

    def children(self) -> Iterable[Expression]:
        return [self.left, self.right]


class Both(Either):
    """`and`: the right side is looked at only if the left is true."""

    __slots__ = ()

    def evaluate(self, context: Context) -> bool:
        return bool(self.left.evaluate(context) and self.right.evaluate(context))


class AnyOf(Expression):
    """Whether a `case` value equals one of a `when`'s; a list of one, as the library's node wants it."""

    __slots__ = ("choices", "value")

    def __init__(self, token: Token, value: Expression, choices: list[Expression]) -> None:
        super().__init__(token)
        self.value = value
        self.choices = choices

    def evaluate(self, context: Context) -> list[bool]:
        value = self.value.evaluate(context)
        return [any(equal(value, choice.evaluate(context)) for choice in self.choices)]

    def children(self) -> Iterable[Expression]:
        return self.choices
