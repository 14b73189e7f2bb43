"""A sequence of nodes as it is walked: text and values are printed on the spot, and only other nodes are called.

Text and values are nearly all of most templates; a call or two for each of them was a third of rendering.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from liquid.ast import Node
from liquid.builtin.content import ContentNode
from liquid.exceptions import LiquidError, LiquidInterrupt
from liquid.expression import Expression
from liquid.token import Token

from .context import Context
from .limits import LONG_TEXT, Buffer, Writer
from .values import text

Step: TypeAlias = tuple[str, Callable[[Context], object] | None, Node | None]
"""What prints first; the value that prints then, if any; that value's node, or else one to render."""


def steps_of(nodes: Iterable[Node]) -> Sequence[Step]:
    """The nodes as steps, in order."""
    steps: list[Step] = []
    before = ""
    for node in nodes:
        if isinstance(node, ContentNode):
            before += node.text
        else:
            steps.append((before, node.expression.evaluate if isinstance(node, OutputNode) else None, node))
            before = ""
    return (*steps, (before, None, None)) if before else tuple(steps)


def walk(steps: Sequence[Step], context: Context, buffer: Writer) -> None:
    """Write what the nodes print. Whatever of Liquid is raised carries the place of the node it comes from."""
    write = buffer.write
    node = None
    try:
        for before, evaluate, node in steps:
            if before:
                write(before)
            if evaluate:
                value = evaluate(context)
                shown = value if type(value) is str else text(value)
                write(shown)
                if len(shown) >= LONG_TEXT and type(buffer) is Buffer:
                    buffer.check()
            elif node:
                node.render(context, buffer)
    except (LiquidError, LiquidInterrupt, RecursionError) as error:
        error.token = place(error) or (node.token if node else None)  # type: ignore[union-attr]
        raise


def place(error: Exception) -> Token | None:
    """Where the error comes from, as far as is known."""
    return getattr(error, "token", None)


class OutputNode(Node):
    """Prints a value."""

    __slots__ = ("blank", "expression", "steps")

    def __init__(self, token: Token, expression: Expression) -> None:
        super().__init__(token)
        self.expression = expression
        self.blank = False
        self.steps = steps_of([self])

    def render_to_output(self, context: Context, buffer: Writer) -> int:
        walk(self.steps, context, buffer)
        return 0

    def expressions(self) -> Iterable[Expression]:
        return [self.expression]
