"""What each Python peer's job does: read, render, send, record. Connections are kept for a process."""

import os
from functools import cache

import psycopg
import requests
from liquid import Environment
from psycopg.rows import dict_row

HEADERS = {"Content-Type": "application/json"}


@cache
def database():
    return psycopg.connect(os.environ["PEER_DSN"], autocommit=True, row_factory=dict_row)


@cache
def session():
    return requests.Session()


@cache
def templates():
    environment = Environment()
    return [environment.from_string(text) for text in (os.environ["PEER_URL"], os.environ["PEER_BODY"])]


def deliver(message):
    row = database().execute(
        "SELECT p.* FROM plain_message m JOIN audience_profile p ON p.id = m.profile_id WHERE m.id = %s", [message]
    )
    user = row.fetchone()
    data = {"user": user, "custom": user["custom_attributes"]}
    url, body = (template.render(**data) for template in templates())
    headers = HEADERS | {"X-Customer": user["external_id"]}
    status = session().post(url, body.encode(), headers=headers, timeout=90, allow_redirects=False).status_code
    database().execute("UPDATE plain_message SET finished_at = now(), status = %s WHERE id = %s", [status, message])


def waiting():
    return [row["id"] for row in database().execute("SELECT id FROM plain_message WHERE finished_at IS NULL")]
