"""The dialect's filters, by family. Importing this fills the register."""

from . import encoding, hashes, lists, maths, moments, texts  # noqa: F401
from .registry import FILTERS, Rule

__all__ = ["FILTERS", "Rule"]
