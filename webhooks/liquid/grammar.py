"""Reads values, filter chains, conditions and loops from tokens.

Filters may stand in outputs, `echo`, `assign` and nested braces; operators in conditions. Whatever stands elsewhere is
refused with what to write instead.
"""

import re
from typing import NoReturn

from liquid.expression import Expression
from liquid.token import Token

from . import suggest
from .compare import OPERATORS, Both, Comparison, Either, Truth
from .context import NAMESPACES
from .errors import Refusal
from .expressions import (
    Attribute,
    Call,
    Constant,
    ContentBlock,
    Continue,
    Filtered,
    Loop,
    Namespace,
    Range,
    Segment,
    Variable,
)
from .filters import FILTERS
from .limits import LARGEST_NUMBER
from .tokens import ATTRIBUTE, CLOSE, DECIMAL, END, INTEGER, OPEN, STRING, WORD, Tokens
from .values import BLANK, EMPTY

WORDS = {"true": True, "false": False, "nil": None, "null": None, "blank": BLANK, "empty": EMPTY}
MOST_CONDITIONS = 200
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_\-]*\??")


def value(tokens: Tokens) -> Expression:
    """One value: a literal, a range, a path, or an expression in braces."""
    token = tokens.current
    if token.kind == STRING:
        return Constant(next(tokens), token.value)
    if token.kind in (INTEGER, DECIMAL):
        return _number(next(tokens))
    if token.kind == OPEN:
        return braces(tokens)
    if token.kind == "(":
        return _range(tokens)
    if token.kind == ATTRIBUTE:
        next(tokens)
        return Attribute(token, "", token.value, path(tokens))
    if token.kind == WORD:
        return _word(tokens)
    raise Refusal(f"expected a value, found {tokens.found()}", token)


def _number(token: Token) -> Constant:
    number = float(token.value) if token.kind == DECIMAL else int(token.value[:40])
    if abs(number) > LARGEST_NUMBER:
        raise Refusal("this number is too large: at most 10^30 is allowed", token)
    return Constant(token, number)


def braces(tokens: Tokens) -> Expression:
    """`{{ … }}` inside an expression: a value, worked out first."""
    token = next(tokens)
    tokens.deeper(token)
    if tokens.current.kind == CLOSE:
        raise Refusal("these braces are empty: write a value between them", token)
    inner = filtered(tokens)
    if not any(later.kind == CLOSE for later in tokens.tokens[tokens.pos :]):
        raise Refusal(f"'{{{{' is never closed here: expected '}}}}', found {tokens.found()}", token)
    _expect(tokens, CLOSE, "'}}' or a filter")
    tokens.depth -= 1
    return inner


def _range(tokens: Tokens) -> Range:
    token = next(tokens)
    start = value(tokens)
    if tokens.current.kind != "..":
        raise Refusal("parentheses can only hold a range like (1..5): write the condition without them", token)
    next(tokens)
    stop = value(tokens)
    _expect(tokens, ")", "')'")
    return Range(token, start, stop)


def _word(tokens: Tokens) -> Expression:
    token = next(tokens)
    after = tokens.current.kind
    if token.value in WORDS and after not in (".", "["):
        return Constant(token, WORDS[token.value])
    if after == "." and tokens.peek.kind == ATTRIBUTE:
        next(tokens)
        return _member(token, next(tokens), tokens)
    if token.value == "content_blocks" and after == ".":
        next(tokens)
        return ContentBlock(token, _expect(tokens, WORD, "the block's name").value)
    checked_name(token)
    kind = Namespace if token.value in NAMESPACES else Variable
    return kind(token, token.value, path(tokens))


def _member(prefix: Token, name: Token, tokens: Tokens) -> Expression:
    if prefix.value not in NAMESPACES:
        raise Refusal(f"there is no '{prefix.value}'{suggest.instead(prefix.value, NAMESPACES)}", prefix)
    if prefix.value == "content_blocks":
        return ContentBlock(prefix, name.value)
    return Attribute(prefix, prefix.value, name.value, path(tokens))


def checked_name(token: Token) -> str:
    """The word as a variable's name. Raises Refusal for anything but ASCII letters, digits, `_` and `-`."""
    if token.kind != WORD or not _NAME.fullmatch(token.value):
        raise Refusal(f"'{token.value}' cannot be a variable's name: use letters, digits and _ (A-Z, a-z, 0-9)", token)
    return token.value


def identifier(tokens: Tokens) -> str:
    """A name to assign to; it may stand in quotes."""
    token = next(tokens)
    if token.kind not in (WORD, STRING):
        raise Refusal("expected a variable's name", token)
    return checked_name(token._replace(kind=WORD, value=token.value.removesuffix("?") or token.value))


def path(tokens: Tokens) -> list[Segment]:
    """What follows a name: `.key`, `['key']`, `[0]`, `[variable]`."""
    segments: list[Segment] = []
    while tokens.current.kind in (".", "["):
        if next(tokens).kind == ".":
            segments.append(_expect(tokens, WORD, "a name after '.'").value)
        else:
            segments.append(_index(tokens))
    return segments


def _index(tokens: Tokens) -> Segment:
    tokens.deeper(tokens.current)
    inside = value(tokens)
    _expect(tokens, "]", "']' (to use a filter here, write it in braces)")
    tokens.depth -= 1
    if isinstance(inside, Constant) and isinstance(inside.value, str | int):
        return inside.value
    return inside


def _expect(tokens: Tokens, kind: str, said: str) -> Token:
    if tokens.current.kind != kind:
        raise Refusal(f"expected {said}, found {tokens.found()}", tokens.current)
    return next(tokens)


def filtered(tokens: Tokens) -> Expression:
    """A value and its filters. What follows them is the caller's to check."""
    left = value(tokens)
    calls = []
    while tokens.current.kind == "|":
        next(tokens)
        calls.append(_call(tokens))
    return Filtered(left, calls) if calls else left


def output(tokens: Tokens) -> Expression:
    """A filter chain that is the whole of an output, `echo` or `assign`."""
    if tokens.current.kind == END:
        raise Refusal("this output is empty: write a value between the braces", tokens.current)
    read = filtered(tokens)
    if tokens.current.kind in OPERATORS or tokens.current.kind in ("=", "&&", "||"):
        raise Refusal(f"found {tokens.found()}, but nothing is compared here: use an 'if' around it", tokens.current)
    ended(tokens, "a filter or the end")
    return read


def ended(tokens: Tokens, said: str = "the end") -> None:
    """Raises Refusal unless the expression is over."""
    _expect(tokens, END, said)


def _call(tokens: Tokens) -> Call:
    token = _expect(tokens, WORD, "word (the name of a filter) after '|'")
    args: list[Expression] = []
    keywords: dict[str, Expression] = {}
    if tokens.current.kind == ":":
        next(tokens)
        _argument(tokens, args, keywords)
        while tokens.current.kind == ",":
            next(tokens)
            _argument(tokens, args, keywords)
    return _bound(token, args, keywords)


def _argument(tokens: Tokens, args: list[Expression], keywords: dict[str, Expression]) -> None:
    if tokens.current.kind == WORD and tokens.peek.kind == ":":
        name = next(tokens).value
        next(tokens)
        keywords[name] = value(tokens)
    else:
        args.append(value(tokens))


def _bound(token: Token, args: list[Expression], keywords: dict[str, Expression]) -> Call:
    """The call with its function. Raises Refusal for an unknown filter or a wrong number of arguments."""
    rule = FILTERS.get(token.value)
    if rule is None:
        raise Refusal(f"there is no filter '{token.value}'{suggest.instead(token.value, FILTERS)}", token)
    if problem := rule.problem(len(args), keywords):
        raise Refusal(f"the filter '{token.value}' {problem}", token)
    return Call(token, rule.apply, args, keywords, rule.wants_context)


def condition(tokens: Tokens) -> Expression:
    """The whole of an `if`, `elsif` or `unless`: comparisons joined by `and` and `or`, evaluated from the right."""
    parts, joints = [_comparison(tokens)], []
    while tokens.current.value in ("and", "or", "&&", "||") and tokens.current.kind != STRING:
        joints.append(next(tokens))
        parts.append(_comparison(tokens))
    _end_of_condition(tokens)
    if len(parts) > MOST_CONDITIONS:
        raise Refusal(f"this condition is too long: at most {MOST_CONDITIONS} parts are allowed", joints[-1])
    whole = parts.pop()
    for joint in reversed(joints):
        kind = Both if joint.value in ("and", "&&") else Either
        whole = kind(joint, parts.pop(), whole)
    return whole


def _comparison(tokens: Tokens) -> Expression:
    left = value(tokens)
    token = tokens.current
    if token.kind == "=":
        raise Refusal("'=' assigns: to compare, use '=='", token)
    if token.kind in OPERATORS or (token.kind == WORD and token.value == "contains"):
        next(tokens)
        return Comparison(token, left, value(tokens))
    return Truth(left)


def _end_of_condition(tokens: Tokens) -> None:
    if tokens.current.kind == "|":
        raise Refusal("a filter cannot stand in a condition: assign the result first", tokens.current)
    ended(tokens, "'and', 'or' or the end")


def loop(tokens: Tokens) -> Loop:
    """The whole of a `for` or `tablerow`."""
    token = tokens.current
    name = identifier(tokens)
    if tokens.current.value != "in" or tokens.current.kind != WORD:
        raise Refusal(f"expected 'in' after '{name}', found {tokens.found()}", tokens.current)
    next(tokens)
    iterable = value(tokens)
    options: dict[str, Expression] = {}
    is_reversed = False
    while tokens.current.kind != END:
        word = next(tokens)
        if word.value == "reversed" and word.kind == WORD:
            is_reversed = True
        elif word.value in ("limit", "offset", "cols") and word.kind == WORD:
            options[word.value] = _option(tokens)
        elif word.kind != ",":
            _refuse_in_loop(word)
    return Loop(
        token,
        name,
        iterable,
        limit=options.get("limit"),
        offset=options.get("offset"),
        reversed_=is_reversed,
        cols=options.get("cols"),
    )


def _option(tokens: Tokens) -> Expression:
    _expect(tokens, ":", "':'")
    token = tokens.current
    if token.kind == WORD and token.value == "continue":
        return Continue(next(tokens), "continue")
    return value(tokens)


def _refuse_in_loop(token: Token) -> NoReturn:
    hint = "; assign the filtered list first" if token.kind == "|" else ""
    raise Refusal(f"expected 'limit:', 'offset:', 'reversed' or the end, found '{token.value}'{hint}", token)
