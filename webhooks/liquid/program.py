"""Makes one Python function of a sequence of nodes, as Jinja2 does: calls for each node were a third of rendering.

Text is written out, and so is every node that has a method `write_out`; any other is called. Nothing that an author
wrote gets into the function's source: it knows texts and names by numbers.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

from liquid.ast import BlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.exceptions import BreakLoop, ContinueLoop, LiquidError, LiquidInterrupt
from liquid.expression import Expression
from liquid.token import Token

from .context import Context
from .expressions import Attribute, Path, Variable
from .limits import LONG_TEXT, Buffer, Writer
from .values import text

Run: TypeAlias = Callable[[Context, Writer], None]
ERRORS = (LiquidError, LiquidInterrupt, RecursionError)
LONGEST = 1_000  # nodes beside each other; of more, a function would take longer to make than it saves
DEEPEST = 5  # levels that are written out: Python takes 20 blocks in each other, and a loop is three


class Program:
    """Nodes and their function, made when it is first run: `run(context, buffer)` writes what they print.

    Whatever of Liquid it raises carries the place of the node it comes from.
    """

    __slots__ = ("_nodes", "run")

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes
        self.run: Run = self._run_first

    def _run_first(self, context: Context, buffer: Writer) -> None:
        context.budget.stop()  # no message pays for what is made for all
        self.run = function_of(self._nodes) if len(self._nodes) <= LONGEST else self._call_each
        context.budget.start()
        self.run(context, buffer)

    def _call_each(self, context: Context, buffer: Writer) -> None:
        node = None
        try:
            for node in self._nodes:
                node.render(context, buffer)
        except ERRORS as error:
            error.token = place(error) or (node.token if node else None)  # type: ignore[union-attr]
            raise


def function_of(nodes: Sequence[Node]) -> Run:
    """The function that these nodes make together."""
    code = Code()
    code.write_nodes(nodes)
    return code.function()


def place(error: Exception) -> Token | None:
    """Where the error comes from, as far as is known."""
    return getattr(error, "token", None)


def look(buffer: Writer) -> None:
    """Raise Fault where the output is too long by now."""
    if type(buffer) is Buffer:
        buffer.check()


class Code:
    """The function while it is written. `level` is how deep the nodes being written out are in others."""

    def __init__(self) -> None:
        self.level = 0
        self._lines: list[str] = []
        self._indent = 2
        self._roots: dict[str, str] = {}
        self._loops: list[tuple[str, str]] = []
        self._names: dict[str, object] = {
            "text": text,
            "look": look,
            "place": place,
            "ERRORS": ERRORS,
            "BreakLoop": BreakLoop,
            "ContinueLoop": ContinueLoop,
        }

    def function(self) -> Run:
        roots = [f"    {root} = context.roots[{self.name(namespace)}]" for namespace, root in self._roots.items()]
        source = [
            "def run(context, buffer):",
            "    write, at = buffer.write, None",
            *roots,
            "    try:",
            *(self._lines or ["        pass"]),
            "    except ERRORS as error:",
            "        error.token = place(error) or at",
            "        raise",
        ]
        exec(compile("\n".join(source), "<template>", "exec"), self._names)  # noqa: S102 - see the module's docstring
        return self._names["run"]  # type: ignore[return-value]

    def name(self, value: object) -> str:
        """The name under which the function knows a value."""
        name = f"k{len(self._names)}"
        self._names[name] = value
        return name

    def line(self, line: str) -> None:
        self._lines.append("    " * self._indent + line)

    @contextmanager
    def inside(self, head: str) -> Iterator[None]:
        """What is written meanwhile belongs to that `if`, `for`, `try`…"""
        self.line(head)
        self._indent += 1
        before = len(self._lines)
        yield
        if len(self._lines) == before:
            self.line("pass")
        self._indent -= 1

    @contextmanager
    def loop(self, identifier: str) -> Iterator[str]:
        """A loop over the Python variable that is given; meanwhile the author's name for it means that."""
        item = f"item{len(self._loops)}"
        self._loops.append((identifier, item))
        yield item
        self._loops.pop()

    def at(self, node: Node) -> None:
        """What goes wrong from here on comes from that node."""
        self.line(f"at = {self.name(node.token)}")

    def write_nodes(self, nodes: Sequence[Node]) -> None:
        before = ""
        self.level += 1
        for node in nodes:
            if isinstance(node, ContentNode):
                before += node.text
                continue
            self._write_text(before)
            before = ""
            self.at(node)
            if hasattr(node, "write_out") and self.level <= DEEPEST:
                node.write_out(self)
            else:
                self.call(node)
        self._write_text(before)
        self.level -= 1

    def write_block(self, block: BlockNode) -> None:
        """Write out what is in the block, if it is not too much."""
        if len(block.nodes) <= LONGEST:
            self.write_nodes(block.nodes)
        else:
            self.call(block)

    def call(self, node: Node) -> None:
        """Have the node render itself."""
        self.line(f"{self.name(node.render)}(context, buffer)")

    def _write_text(self, words: str) -> None:
        if words:
            self.line(f"write({self.name(words)})")

    def print(self, expression: Expression) -> None:
        """Print a value. Long ones are looked at when they are written; short ones, when a round of a loop ends."""
        self._evaluate(expression)
        self.line("shown = value if type(value) is str else text(value)")
        self.line("write(shown)")
        self.line(f"if len(shown) >= {LONG_TEXT}: look(buffer)")

    def _evaluate(self, expression: Expression) -> None:
        """Have the expression's value in `value`: as its `evaluate` would, without the call where that is easy."""
        if type(expression) is Attribute:
            self.line(f"value = {self._root(expression.namespace)}({self.name(expression.name)})")
            self._go_down(expression)
        elif type(expression) is Variable and (item := self._item(expression.name)):
            self.line(f"value = {item}")
            self._go_down(expression)
        else:
            self.line(f"value = {self.name(expression.evaluate)}(context)")

    def _go_down(self, path: Path) -> None:
        """One key of an object is looked up here; whatever else there is, `Path.down` knows."""
        down = f"value = {self.name(path.down)}(value, %s, context)"
        if not path.path:
            self.line(f"if type(value) is dict: {down % '()'}")
            return
        is_further = "if"
        if len(path.path) == 1 and isinstance(path.path[0], str):
            key = self.name(path.path[0])
            with self.inside(f"if type(value) is dict and {key} in value:"):
                self.line(f"value = value[{key}]")
                self.line(f"if type(value) is dict: {down % '()'}")
            is_further = "elif"
        self.line(f"{is_further} value is not None: {down % self.name(path.path)}")

    def _root(self, namespace: str) -> str:
        return self._roots.setdefault(namespace, f"root{len(self._roots)}")

    def _item(self, name: str) -> str | None:
        """The Python variable of the innermost loop over that name."""
        if name == "forloop":
            return None
        return next((item for identifier, item in reversed(self._loops) if identifier == name), None)
