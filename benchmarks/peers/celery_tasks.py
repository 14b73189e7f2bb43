"""Celery: one task a message."""

import os

import _deliver
from celery import Celery

app = Celery("celery_tasks", broker=f"redis+socket://{os.environ['PEER_SOCKET']}")
app.conf.task_ignore_result = True


@app.task(name="deliver")
def deliver(message):
    _deliver.deliver(message)


if __name__ == "__main__":
    for message in _deliver.waiting():
        deliver.delay(message)
