"""What can stop an edit.

EditError
├── Stale       somebody else saved the draft meanwhile
└── NotAllowed  the edit would break a rule; the message says which
"""


class EditError(Exception):
    """The base; the message is fit to show."""


class Stale(EditError):
    """The draft was changed after the page was opened."""


class NotAllowed(EditError):
    """The edit breaks a rule of the graph, or of a step that is live already."""
