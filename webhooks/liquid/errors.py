"""What a template can end in, other than text.

    LiquidProblem              the template, or the data it met, is at fault; `message`, `line`, `column`
        LiquidSyntaxProblem    it cannot be read: shown on its field, never saved
        RenderProblem          it cannot be rendered for this message: one row in the log
    Aborted                    the template chose not to send; `reason`
    Postponed                  an answer it needs is not to be had now, try again later; `reason`

Inside the library's machinery faults are `Refusal` (while reading) and `Fault` (while rendering), which carry a token
instead of a position. Aborted and Postponed stay outside that tree, so nothing on the way takes them for an error.
"""

from liquid.exceptions import LiquidError, LiquidSyntaxError
from liquid.token import Token

REASON_LENGTH = 1000


class LiquidProblem(Exception):
    """A sentence for the author, with its place in the author's own text. Line and column count from 1."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(f"{message} (line {line}, column {column})")
        self.message = message
        self.line = line
        self.column = column


class LiquidSyntaxProblem(LiquidProblem):
    """The text is no template."""


class RenderProblem(LiquidProblem):
    """The template cannot be rendered with this data, or passed a limit."""


class Aborted(Exception):
    """The template asked that nothing be sent. `reason` is at most 1,000 characters of the author's own text."""

    def __init__(self, reason: str = "") -> None:
        self.reason = reason[:REASON_LENGTH] or "{% abort_message %} called"
        super().__init__(self.reason)


class Postponed(Exception):
    """A Connected Content call with `:retry` failed in a way that may pass: put the message back."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Refusal(LiquidSyntaxError):
    """The template cannot be read, at this token."""

    def __init__(self, message: str, token: Token | None) -> None:
        super().__init__(message, token=token)


class Fault(LiquidError):
    """Rendering cannot go on. A filter raises it without a token; whoever called the filter adds it."""

    def __init__(self, message: str, token: Token | None = None) -> None:
        super().__init__(message, token=token)


def position(source: str, index: int) -> tuple[int, int]:
    """Line and column, both from 1, of a place in `source`. A place past the end is its end."""
    before = source[: max(index, 0)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def as_problem(kind: type[LiquidProblem], error: LiquidError) -> LiquidProblem:
    """The library's error as ours; without a token it points at the start."""
    token = error.token
    line, column = position(token.source, token.start_index) if token else (1, 1)
    return kind(str(error.message or "this template cannot be used"), line, column)
