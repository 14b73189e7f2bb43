"""Pages of lists that may hold millions of rows."""

from django.core.paginator import Paginator
from django.utils.functional import cached_property

COUNTED = 10_000


class BoundedPaginator(Paginator):
    """Counts no further than ten thousand: a list of millions opens at once."""

    @cached_property
    def count(self) -> int:
        return len(self.object_list.order_by().values_list("pk", flat=True)[:COUNTED])  # type: ignore[attr-defined]

    @property
    def is_cut(self) -> bool:
        """Whether there may be more than was counted."""
        return self.count >= COUNTED
