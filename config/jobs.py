"""The job of the `default` queue: what keeps the house in order. Each part may run twice or late."""

import time

from api import jobs as api_jobs
from audience import jobs as audience_jobs
from campaigns import jobs as campaigns_jobs
from canvas import jobs as canvas_jobs
from outreach import jobs as outreach_jobs
from webhooks import jobs as webhooks_jobs
from workspace import jobs as workspace_jobs
from workspace import queues

TIDY_EVERY = 15.0  # seconds
_next_tidy = 0.0


def housekeeping() -> None:
    """Do what people wait for; tidy up, at most every 15 seconds in a process."""
    global _next_tidy
    queues.woken("default")
    audience_jobs.work()
    if time.monotonic() < _next_tidy:
        return
    _next_tidy = time.monotonic() + TIDY_EVERY
    workspace_jobs.tidy()
    audience_jobs.tidy()
    outreach_jobs.tidy()
    campaigns_jobs.tidy()
    webhooks_jobs.tidy()
    canvas_jobs.tidy()
    api_jobs.tidy()
