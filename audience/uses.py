"""What uses a segment. Higher apps add where they use it; what is used can be neither deleted nor archived."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils.translation import gettext as _

from audience.filters.fields import listed
from audience.filters.loading import included
from audience.models import Segment, SuppressionList


@dataclass(frozen=True, slots=True)
class Use:
    """One thing that uses a segment: what kind of thing it is, its name, and its page."""

    kind: str
    name: str
    url: str

    def __str__(self) -> str:
        return f"{self.kind} “{self.name}”"


Source = Callable[[Segment], Iterable[Use]]
_sources: list[Source] = []


def add_source(source: Source) -> None:
    """Have the source asked what it uses a segment for. A few queries at most."""
    _sources.append(source)


def of_segment(segment: Segment) -> list[Use]:
    """Everything that uses the segment; nothing for one that is not saved yet."""
    return [use for source in _sources for use in source(segment)] if segment.pk else []


def in_words(found: Sequence[Use]) -> str:
    return listed([str(use) for use in found], _("and"))


def names_segment(tree: Any, segment: Segment) -> bool:
    """Whether a filter tree includes the segment directly."""
    return segment.pk in included([tree])


def use_of(row: Model, url_name: str) -> Use:
    """A row with an admin page as a use."""
    return Use(str(row._meta.verbose_name), str(row), reverse(url_name, args=[row.pk]))


def _segments(segment: Segment) -> Iterable[Use]:
    others = Segment.objects.exclude(pk=segment.pk).filter(filters__isnull=False).only("name", "filters")
    return [use_of(other, "admin:audience_segment_change") for other in others if names_segment(other.filters, segment)]


def _suppression_lists(segment: Segment) -> Iterable[Use]:
    rows = SuppressionList.objects.exclude(status=SuppressionList.Status.ARCHIVED)
    return [Use(str(row._meta.verbose_name), row.name, "") for row in rows if names_segment(row.filters, segment)]


add_source(_segments)
add_source(_suppression_lists)
