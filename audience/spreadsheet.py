"""Cells that a spreadsheet may open: none of them can be a formula."""

import json
from datetime import datetime
from typing import Any

from audience import times
from workspace.spreadsheet import inert


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
    return inert(value) if isinstance(value, str) else str(value)
