"""The page part on which people build filters: groups and filters as plain inputs, a sentence, a live estimate.

Any form can embed it: see `FiltersField`.
"""

from audience.builder.fields import FiltersField, FiltersWidget

__all__ = ["FiltersField", "FiltersWidget"]
