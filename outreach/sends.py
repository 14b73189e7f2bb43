"""Names of sends: made before a send, to follow it by (`send_id`)."""

import uuid
from datetime import datetime

from django.db import transaction

from outreach.errors import UnusableCall
from outreach.models import Outreach, SendName

LONGEST = 64


def create(outreach: Outreach, send_id: str, now: datetime) -> str:
    """The name, made where it is not there yet; one of our own where none is given. Raises UnusableCall."""
    if len(send_id) > LONGEST or not send_id.isascii():
        raise UnusableCall(f"Bad Request: 'send_id' must be ASCII of at most {LONGEST} characters")
    with transaction.atomic():
        name, _made = SendName.objects.get_or_create(
            send_id=send_id or uuid.uuid4().hex, defaults={"outreach": outreach, "created_at": now}
        )
    if name.outreach_id != outreach.pk:
        raise UnusableCall("Bad Request: 'send_id' belongs to another campaign")
    return name.send_id
