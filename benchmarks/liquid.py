"""How long one typical body takes to render, beside the same body in stock syntax on the stock library.

    python -m benchmarks.liquid

The two are measured in turns in one process, so that the ratio holds on a busy machine. The last line is JSON.
"""

import json
import statistics
import timeit
from datetime import UTC, date, datetime
from typing import Any

from liquid import Environment

from webhooks.liquid import RenderData, parse

BODY = """{
  "id": "{{${user_id}}}", "first_name": "{{${first_name} | default: 'friend'}}", "last_name": "{{${last_name}}}",
  "email": "{{${email_address}}}", "city": "{{${city}}}", "language": "{{${language}}}",
  "plan": "{{custom_attribute.${plan} | upcase}}", "points": {{custom_attribute.${points}}},
  "campaign": "{{campaign.${name}}}", "note": "{{event_properties.${item}}}",
  {% if custom_attribute.${points} > 1000 %}"tier": "gold",{% else %}"tier": "silver",{% endif %}
  "lines": [{% for line in event_properties.${lines} %}{"sku": "{{line.sku}}", "n": {{line.qty}}},{% endfor %}]
}"""

PLAIN = """{
  "id": "{{user.user_id}}", "first_name": "{{user.first_name | default: 'friend'}}", "last_name": "{{user.last_name}}",
  "email": "{{user.email_address}}", "city": "{{user.city}}", "language": "{{user.language}}",
  "plan": "{{custom_attribute.plan | upcase}}", "points": {{custom_attribute.points}},
  "campaign": "{{campaign.name}}", "note": "{{event_properties.item}}",
  {% if custom_attribute.points > 1000 %}"tier": "gold",{% else %}"tier": "silver",{% endif %}
  "lines": [{% for line in event_properties.lines %}{"sku": "{{line.sku}}", "n": {{line.qty}}},{% endfor %}]
}"""

NOW = datetime(2026, 2, 26, 18, 30, tzinfo=UTC)
PROFILE: dict[str, Any] = {
    "external_id": "u-7",
    "first_name": "Zoë",
    "last_name": "Krause",
    "email": "zoe@example.org",
    "home_city": "Köln",
    "language": "de",
    "date_of_birth": date(1990, 3, 9),
    "custom_attributes": {"plan": "pro", "points": 1450},
}
EVENT = {"item": "Desk lamp", "lines": [{"sku": f"A-{n}", "qty": n} for n in range(5)]}
CAMPAIGN = {"name": "Spring"}
STOCK_DATA = {
    "user": {
        "user_id": "u-7",
        "first_name": "Zoë",
        "last_name": "Krause",
        "email_address": "zoe@example.org",
        "city": "Köln",
        "language": "de",
    },
    "custom_attribute": PROFILE["custom_attributes"],
    "event_properties": EVENT,
    "campaign": CAMPAIGN,
}
ROUNDS, CALLS = 15, 200


def main() -> None:
    template = parse(BODY)
    stock = Environment().from_string(PLAIN)

    def ours() -> str:
        return template.render(RenderData(PROFILE, now=NOW, event_properties=EVENT, campaign=CAMPAIGN))

    def plain() -> str:
        return stock.render(**STOCK_DATA)

    if ours() != plain():
        raise SystemExit("the two bodies differ, so comparing their times would mean nothing")
    pairs = [(timeit.timeit(ours, number=CALLS), timeit.timeit(plain, number=CALLS)) for _ in range(ROUNDS)]
    render_us, plain_us = (min(times) / CALLS * 1e6 for times in zip(*pairs, strict=True))
    ratio = statistics.median(mine / other for mine, other in pairs)
    print(f"render {render_us:.0f} µs, the stock library {plain_us:.0f} µs, best of {ROUNDS}; ratio is the median's")
    print(json.dumps({"render_us": round(render_us, 1), "plain_us": round(plain_us, 1), "ratio": round(ratio, 3)}))


if __name__ == "__main__":
    main()
