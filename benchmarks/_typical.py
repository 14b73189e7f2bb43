"""The typical message of the delivery benchmarks: ten variables, an if, a loop over five, two headers, its own URL.

`BODY` and `URL` are in the marketers' dialect, `PLAIN_BODY` and `PLAIN_URL` say the same in stock Liquid.
"""

from datetime import date
from typing import Any

URL = "{base}/orders/{{{{${{user_id}} | url_param_escape}}}}?plan={{{{custom_attribute.${{plan}}}}}}"
BODY = """{
  "id": "{{${user_id}}}", "first_name": "{{${first_name} | default: 'friend'}}", "last_name": "{{${last_name}}}",
  "email": "{{${email_address}}}", "city": "{{${city}}}", "language": "{{${language}}}",
  "plan": "{{custom_attribute.${plan} | upcase}}", "points": {{custom_attribute.${points}}},
  "favourite": "{{custom_attribute.${favourite}}}", "visits": {{custom_attribute.${visits}}},
  {% if custom_attribute.${points} > 1000 %}"tier": "gold",{% else %}"tier": "silver",{% endif %}
  "lines": [{% for line in custom_attribute.${lines} %}{"sku": "{{line.sku}}", "n": {{line.qty}}},{% endfor %} {}]
}"""
HEADERS = [("Content-Type", "application/json"), ("X-Customer", "{{${user_id}}}")]

PLAIN_URL = "{base}/orders/{{{{user.external_id | url_encode}}}}?plan={{{{custom.plan}}}}"
PLAIN_BODY = """{
  "id": "{{user.external_id}}", "first_name": "{{user.first_name | default: 'friend'}}",
  "last_name": "{{user.last_name}}",
  "email": "{{user.email}}", "city": "{{user.home_city}}", "language": "{{user.language}}",
  "plan": "{{custom.plan | upcase}}", "points": {{custom.points}},
  "favourite": "{{custom.favourite}}", "visits": {{custom.visits}},
  {% if custom.points > 1000 %}"tier": "gold",{% else %}"tier": "silver",{% endif %}
  "lines": [{% for line in custom.lines %}{"sku": "{{line.sku}}", "n": {{line.qty}}},{% endfor %} {}]
}"""
PLAIN_HEADERS = [("Content-Type", "application/json"), ("X-Customer", "{{user.external_id}}")]


def profile(number: int) -> dict[str, Any]:
    """The attributes of one made-up profile."""
    return {
        "external_id": f"customer-{number}",
        "first_name": f"Zoë {number}",
        "last_name": "Krause",
        "email": f"zoe{number}@example.org",
        "home_city": "Köln",
        "language": "de",
        "date_of_birth": date(1990, 3, 9),
        "custom_attributes": {
            "plan": "pro",
            "points": number % 2000,
            "favourite": "Desk lamp",
            "visits": number % 40,
            "lines": [{"sku": f"A-{n}", "qty": n} for n in range(5)],
        },
    }
