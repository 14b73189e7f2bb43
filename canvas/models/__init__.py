"""Canvases: the graph in its versions, and the journeys through it."""

from .canvas import Cadence, Canvas, Entry, EntryQuota, Reentry
from .conversion import JourneyConversion
from .graph import CanvasVersion, DraftChange, Kind, Path, Step, StepContent, StepRevision
from .journey import ExperimentResult, ExperimentShare, Journey, StepVisit, VisitOutcome
from .notes import CanvasTemplate, Comment

__all__ = [
    "Cadence",
    "Canvas",
    "CanvasTemplate",
    "CanvasVersion",
    "Comment",
    "DraftChange",
    "Entry",
    "EntryQuota",
    "ExperimentResult",
    "ExperimentShare",
    "Journey",
    "JourneyConversion",
    "Kind",
    "Path",
    "Reentry",
    "Step",
    "StepContent",
    "StepRevision",
    "StepVisit",
    "VisitOutcome",
]
