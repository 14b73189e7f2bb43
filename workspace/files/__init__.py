"""Campaigns, Canvases and segments as JSON files: to be reviewed, kept in version control, and brought elsewhere.

A file says everything by name: no ids of this installation, no secrets. Each app registers its kinds with `register`.
"""

from workspace.files.document import Document, write
from workspace.files.errors import BadFile
from workspace.files.kinds import Documents, Kind, Made, kinds, make, read, register, rehearse
from workspace.files.links import Found, Links, Named

__all__ = [
    "BadFile",
    "Document",
    "Documents",
    "Found",
    "Kind",
    "Links",
    "Made",
    "Named",
    "kinds",
    "make",
    "read",
    "register",
    "rehearse",
    "write",
]
