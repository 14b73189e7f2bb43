"""Cells that a spreadsheet may open: none of them can be a formula."""

import json
from datetime import datetime
from typing import Any

from audience import times

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMERIC = set("0123456789.")


def cell(value: Any) -> str:
    """The value as text. A text that a spreadsheet would compute gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return times.canonical(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    text = str(value)
    return f"'{text}" if isinstance(value, str) and is_formula(text) else text


def is_formula(text: str) -> bool:
    """Whether a spreadsheet could take the text for a formula: by its first character, unless it is a plain number."""
    if not text.startswith(_FORMULA):
        return False
    return not (text[0] in "+-" and len(text) > 1 and set(text[1:]) <= _NUMERIC)
