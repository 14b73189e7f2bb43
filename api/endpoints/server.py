"""About the server itself."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from api.gate import BearerKey
from webhooks import origins

router = Router(tags=["Server"])


class Address(Schema):
    address: str
    is_loopback: bool


class Addresses(Schema):
    message: str
    addresses: list[Address]


@router.get("/webhooks/addresses", auth=BearerKey("addresses.get"), response={200: Addresses})
def webhooks_addresses(request: HttpRequest) -> Any:
    """The addresses that webhooks leave from."""
    found = [{"address": each.address, "is_loopback": each.is_loopback} for each in origins.addresses()]
    return {"message": "success", "addresses": found}
