"""The Canvas pages: list and settings, map, step editors, launch, versions, dry run, results, journeys."""

from .canvas import CanvasAdmin
from .template import CanvasTemplateAdmin

__all__ = ["CanvasAdmin", "CanvasTemplateAdmin"]
