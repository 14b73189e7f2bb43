"""One module a family of endpoints: its schemas, and functions that call the apps and put answers into words."""

from ninja import Router

from . import (
    campaigns,
    canvases,
    catalogs,
    content_blocks,
    email,
    identities,
    messages,
    purchases,
    schedules,
    segments,
    sends,
    server,
    subscriptions,
    users,
)

_MODULES = (
    users,
    identities,
    sends,
    messages,
    schedules,
    campaigns,
    canvases,
    segments,
    purchases,
    content_blocks,
    subscriptions,
    email,
    catalogs,
    server,
)
ROUTERS: tuple[Router, ...] = tuple(module.router for module in _MODULES)
