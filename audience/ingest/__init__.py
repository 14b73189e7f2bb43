"""How data about people gets in: one core for the API, CSV imports and the admin."""

from audience.ingest.errors import ItemError
from audience.ingest.track import Batch, check, track

__all__ = ["Batch", "ItemError", "check", "track"]
