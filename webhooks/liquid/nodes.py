"""What most templates are made of: values, blocks, conditions and loops. Each writes itself out (see `program`)."""

from collections.abc import Iterable

from liquid.ast import BlockNode, Node
from liquid.builtin.tags.for_tag import ForLoop, ForNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.expression import Expression
from liquid.output import NullIO
from liquid.token import Token

from .context import Context
from .limits import Buffer, Writer
from .program import Code, Program, look
from .values import text


class OutputNode(Node):
    """Prints a value."""

    __slots__ = ("blank", "expression")

    def __init__(self, token: Token, expression: Expression) -> None:
        super().__init__(token)
        self.expression = expression
        self.blank = False

    def render_to_output(self, context: Context, buffer: Writer) -> int:
        written = buffer.write(text(self.expression.evaluate(context)))
        look(buffer)
        return written

    render = render_to_output  # no tag is ever disabled here

    def expressions(self) -> Iterable[Expression]:
        return [self.expression]

    def write_out(self, code: Code) -> None:
        code.print(self.expression)


class Block(BlockNode):
    """A sequence of nodes. One that holds only white space prints nothing."""

    __slots__ = ("program",)

    def __init__(self, token: Token, nodes: list[Node]) -> None:
        super().__init__(token, nodes)
        self.program = Program(nodes)

    def render_to_output(self, context: Context, buffer: Buffer) -> int:
        if self.blank:
            self.program.run(context, _NOWHERE)
            return 0
        self.program.run(context, buffer)
        buffer.check()
        return 0

    render = render_to_output  # no tag is ever disabled here


_NOWHERE = NullIO()


class Condition(IfNode):
    """`if`, and with its test turned round `unless`."""

    __slots__ = ("is_unless",)

    def __init__(self, token: Token, test: Expression, *blocks: object, is_unless: bool = False) -> None:
        super().__init__(token, test, *blocks)
        self.is_unless = is_unless

    def render_to_output(self, context: Context, buffer: Writer) -> int:
        if bool(self.condition.evaluate(context)) is not self.is_unless:
            return self.consequence.render(context, buffer)
        for alternative in self.alternatives:
            if alternative.expression.evaluate(context):
                return alternative.block.render(context, buffer)
        return self.default.render(context, buffer) if self.default else 0

    def write_out(self, code: Code) -> None:
        if self.blank:
            code.call(self)
            return
        negation = "not " if self.is_unless else ""
        with code.inside(f"if {negation}{code.name(self.condition.evaluate)}(context):"):
            code.write_block(self.consequence)
        for alternative in self.alternatives:
            with code.inside(f"elif {code.name(alternative.expression.evaluate)}(context):"):
                code.write_block(alternative.block)
        if self.default:
            with code.inside("else:"):
                code.write_block(self.default)


class Repeated(ForNode):
    """A `for`. Rounds are counted and timed by the values themselves (`Context.counted`)."""

    __slots__ = ("program",)

    def __init__(self, *parts: object) -> None:
        super().__init__(*parts)
        self.program = Program([self])

    def render_to_output(self, context: Context, buffer: Writer) -> int:
        self.program.run(context, buffer)
        return 0

    render = render_to_output  # no tag is ever disabled here

    def write_out(self, code: Code) -> None:
        over = self.expression
        code.line(f"values, length = {code.name(over.evaluate)}(context)")
        with code.inside("if length:"):
            self._write_rounds(code)
        if self.default:
            with code.inside("else:"):
                code.call(self.default)

    def _write_rounds(self, code: Code) -> None:
        over, loop, names = self.expression, f"loop{code.level}", f"names{code.level}"
        parts = f"{code.name(over.label)}, values, length, context.parentloop()"
        code.line(f"{loop} = {code.name(ForLoop)}({parts})")
        code.line(f"{names} = {{'forloop': {loop}}}")
        code.line(f"context.loops.append({loop})")
        code.line(f"context.scope.push({names})")
        with code.inside("try:"), code.loop(over.identifier) as item, code.inside(f"for {item} in values:"):
            code.line(f"{loop}.step()")
            code.line(f"{names}[{code.name(over.identifier)}] = {item}")
            with code.inside("try:"):
                if self.block.blank:
                    code.call(self.block)
                else:
                    code.write_block(self.block)
                    code.line("look(buffer)")
            with code.inside("except ContinueLoop:"):
                code.line("continue")
            with code.inside("except BreakLoop:"):
                code.line("break")
        with code.inside("finally:"):
            code.line("context.scope.pop()")
            code.line("context.loops.pop()")
