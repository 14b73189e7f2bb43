"""The Canvas pages: list and settings, map, step editors, launch, versions, dry run."""

from .canvas import CanvasAdmin

__all__ = ["CanvasAdmin"]
