"""What the composer refuses beside the field, before anything is saved or sent."""

import pytest

from tests.factories import ContentFactory
from tests.webhooks.admin.test_writing import form
from webhooks.forms import ContentForm

pytestmark = pytest.mark.django_db


def problems(url: str) -> str:
    made = ContentForm(form(ContentFactory(), url=url))
    made.is_valid()
    return " ".join(made.errors.get("url", []))


@pytest.mark.parametrize("path", ["", "/x", "/{{${user_id}}}", "/{% if true %}a{% endif %}"])
def test_a_port_that_may_not_be_used_is_refused_also_where_only_the_path_holds_liquid(path):
    assert "URL uses port 8443; webhooks may use 80 and 443" in problems(f"https://host.example:8443{path}")


def test_an_ipv6_address_is_accepted_in_its_good_form_and_refused_in_a_bad_one(settings):
    settings.WEBHOOK_ALLOWED_PORTS = [9000]
    assert problems("http://[2001:db8::1]:9000/x") == ""
    assert "not a valid URL" in problems("http://[::1:9000/x")
    assert "not a valid URL" in problems("http://[::1:9000/{{${user_id}}}")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/{{${user_id}}}",
        "{{custom_attribute.${url}}}",
        "https://{{custom_attribute.${shop}}}.example.com/x",
        "{% assign a = 1 %}https://example.com/x",
        "https://example.com{{event_properties.${path}}}",
    ],
)
def test_an_address_that_only_rendering_shows_is_left_to_it(url):
    assert problems(url) == ""
