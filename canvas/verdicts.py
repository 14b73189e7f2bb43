"""What a step says about a journey. Plain values; no database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from canvas.states import Reason, Waiting


@dataclass(frozen=True, slots=True)
class Go:
    """On, along a path."""

    path: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """Stay until then."""

    until: datetime
    why: Waiting


@dataclass(frozen=True, slots=True)
class Send:
    """Make the step's messages, and stay until their outcome says how to go on."""

    why: Waiting = Waiting.OUTCOME


@dataclass(frozen=True, slots=True)
class Stay:
    """Nothing new: what it waits for will wake it, or `until` comes."""

    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Leave:
    """End the journey early."""

    reason: Reason
    note: str = ""


@dataclass(frozen=True, slots=True)
class Finish:
    """End the journey as completed, under a label."""

    label: str = ""


Verdict = Go | Wait | Send | Stay | Leave | Finish
Verdicts = Mapping[int, Verdict]
"""By journey id."""
