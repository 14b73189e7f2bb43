"""RQ: one job a message."""

import os

import _deliver
from redis import Redis
from rq import Queue

if __name__ == "__main__":
    queue = Queue("peer", connection=Redis(unix_socket_path=os.environ["PEER_SOCKET"]))
    queue.enqueue_many(Queue.prepare_data(_deliver.deliver, (m,), result_ttl=0) for m in _deliver.waiting())
