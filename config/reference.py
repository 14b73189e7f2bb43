"""The reference of all settings, from the code that reads them and from `.env.example`, which says what each is for.

Pure: text in, text out.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

KINDS = {
    "str": "text",
    "bool": "true or false",
    "int": "number",
    "float": "number",
    "list": "list, by commas",
    "email_url": "address",
}
HEAD = """# Settings

Read from the environment, or from a file `.env` in the folder of `manage.py`. With systemd they stand in
`/etc/hookline.env`. A change takes effect when the processes are restarted.

This page is made from `config/settings.py` and `.env.example`, by

    python manage.py settings_reference > docs/settings.md

"""


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable: its kind as the code reads it, its default as the code has it, and what it is for."""

    name: str
    kind: str
    default: str
    text: str


def variables(source: str, example: str) -> list[Variable]:
    """All that `source` (the settings module) reads, in the order of `example`. Raises LookupError if they differ."""
    read = dict(_reads(ast.parse(source)))
    told = _descriptions(example)
    if unknown := sorted(read.keys() ^ told.keys()):
        raise LookupError(f"in config/settings.py or in .env.example, but not in both: {', '.join(unknown)}")
    return [Variable(name, *read[name], text) for name, text in told.items()]


def _reads(tree: ast.AST) -> Iterator[tuple[str, tuple[str, str]]]:
    """Each call env.KIND("NAME", default)."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="env"), attr=kind),
                args=[ast.Constant(value=str(name)), *rest],
                keywords=keywords,
            ):
                given = [*rest, *(each.value for each in keywords if each.arg == "default")]
                yield name, (KINDS[kind], _shown(given[0]) if given else "")


def _shown(default: ast.expr) -> str:
    if isinstance(default, ast.Constant):
        return str(default.value).lower() if isinstance(default.value, bool) else str(default.value)
    return ""  # worked out at start, or an empty list: the description says it


def _descriptions(example: str) -> dict[str, str]:
    """By name, the comment above it; variables that stand together share theirs."""
    found: dict[str, str] = {}
    words: list[str] = []
    was_variable = False
    for line in example.splitlines():
        if name := re.match(r"#([A-Z][A-Z0-9_]+)=", line):
            found[name[1]] = " ".join(words)
            was_variable = True
        elif line.startswith("# "):
            words = [line[2:]] if was_variable else [*words, line[2:]]
            was_variable = False
        else:
            words, was_variable = [], False
    return found


def page(found: list[Variable]) -> str:
    """The reference as Markdown."""
    rows = [f"| `{v.name}` | {v.kind} | {f'`{v.default}`' if v.default else ''} | {v.text} |" for v in found]
    return HEAD + "\n".join(["| variable | kind | default | what it is for |", "|---|---|---|---|", *rows]) + "\n"
