import pytest

from tests.factories import ProfileFactory
from webhooks import recipients

pytestmark = pytest.mark.django_db


def test_attributes_come_as_they_were_stored():
    stored = {
        "most": 2**63 - 1,
        "least": -(2**63),
        "share": 0.1,
        "huge": 1e20,
        "vast": 1e300,
        "text": "Zoë \U0001f980",
        "list": [1, {}],
    }
    profile = ProfileFactory(custom_attributes=stored)
    found = recipients.load([profile.pk, profile.pk + 1])
    assert list(found) == [profile.pk]
    assert found[profile.pk]["custom_attributes"] == stored
    assert found[profile.pk]["external_id"] == profile.external_id
