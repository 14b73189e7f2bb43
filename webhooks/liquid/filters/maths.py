"""Filters over numbers. Arithmetic is exact in decimal; whole numbers stay whole. Halves round away from zero."""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

from webhooks.liquid.errors import Fault
from webhooks.liquid.limits import LARGEST_NUMBER
from webhooks.liquid.values import exact, is_number, items, member, native, text, whole_number

from .registry import register

Number = int | float
MOST_DIGITS = 30


@register("plus")
def plus(value: object, other: object) -> Number:
    return native(exact(value) + exact(other))


@register("minus")
def minus(value: object, other: object) -> Number:
    return native(exact(value) - exact(other))


@register("times")
def times(value: object, other: object) -> Number:
    return native(exact(value) * exact(other))


@register("divided_by")
def divided_by(value: object, other: object) -> Number:
    """Two whole numbers give a whole one, rounded down."""
    left, right = exact(value), _divisor(other)
    if isinstance(left, int) and isinstance(right, int):
        return native(left // right)
    return native(Decimal(left) / Decimal(right))


@register("modulo")
def modulo(value: object, other: object) -> Number:
    left, right = exact(value), _divisor(other)
    if isinstance(left, int) and isinstance(right, int):
        return native(left % right)
    dividend, divisor = Decimal(left), Decimal(right)
    return native(dividend - divisor * (dividend / divisor).to_integral_value(ROUND_FLOOR))


def _divisor(value: object) -> int | Decimal:
    number = exact(value)
    if not number:
        raise Fault("a number cannot be divided by 0")
    return number


@register("abs")
def abs_(value: object) -> Number:
    number = exact(value)
    return native(max(number, -number))


@register("ceil")
def ceil(value: object) -> int:
    return _whole(value, ROUND_CEILING)


@register("floor")
def floor(value: object) -> int:
    return _whole(value, ROUND_FLOOR)


def _whole(value: object, rounding: str) -> int:
    return int(native(int(Decimal(exact(value)).to_integral_value(rounding))))


@register("round")
def round_(value: object, digits: object = 0) -> Number:
    """Rounded to `digits` after the point; negative digits round to tens, hundreds."""
    number, places = exact(value), max(-MOST_DIGITS, min(MOST_DIGITS, int(exact(digits))))
    if isinstance(number, int) and places >= 0:
        return native(number)
    rounded = _rounded(Decimal(number), places)
    return native(rounded if places > 0 else int(rounded))


def _rounded(number: Decimal, places: int) -> Decimal:
    """Decimal's own quantize gives up past 28 digits, so what has no digits to lose is left alone."""
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and -exponent <= places:
        return number
    step = Decimal(1).scaleb(-places)
    return (number / step).to_integral_value(ROUND_HALF_UP) * step


@register("at_least")
def at_least(value: object, least: object) -> Number:
    return native(max(exact(value), exact(least)))


@register("at_most")
def at_most(value: object, most: object) -> Number:
    return native(min(exact(value), exact(most)))


@register("sum")
def sum_(value: object, key: object = None) -> Number:
    parts = items(value) if key is None else [member(item, key) for item in items(value)]
    return native(sum(map(exact, parts), 0))


@register("money")
def money(value: object) -> str:
    """Two decimals, neither separators nor a currency; text that is no number stays as it is."""
    number = _number(value)
    return text(value) if number is None else format(_rounded(Decimal(number), 2), ".2f")


@register("number_with_delimiter")
def number_with_delimiter(value: object) -> str:
    """Commas in the whole part; text that is no number stays as it is."""
    if _number(value) is None:
        return text(value)
    whole, point, rest = text(value).strip().partition(".")
    sign = whole[0] if whole[0] in "+-" else ""
    return f"{sign}{int(whole.lstrip('+-')):,}{point}{rest}"


def _number(value: object) -> int | Decimal | None:
    if isinstance(value, str):
        return whole_number(value)
    if not is_number(value):
        return None
    number = exact(value)
    return number if -LARGEST_NUMBER <= number <= LARGEST_NUMBER else None
