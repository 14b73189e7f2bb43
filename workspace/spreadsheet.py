"""Text that a spreadsheet would compute."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMERIC = set("0123456789.")


def is_formula(text: str) -> bool:
    """Whether a spreadsheet could take the text for a formula: by its first character, unless it is a plain number."""
    if not text.startswith(_FORMULA):
        return False
    return not (text[0] in "+-" and len(text) > 1 and set(text[1:]) <= _NUMERIC)


def inert(text: str) -> str:
    """The text as a cell that no spreadsheet computes: with an apostrophe in front where it would."""
    return f"'{text}" if is_formula(text) else text
