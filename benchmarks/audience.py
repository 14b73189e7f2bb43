"""How fast the audience is at size: estimates, exact counts, planning a send to all, and taking in events.

    python -m benchmarks.audience [--profiles 1000000] [--database URL|sqlite]

Fills a database with profiles that have attributes, events and purchases. The last line is JSON; `slowest_count_s` is
of the ten audiences below, each of five filters.
"""

import argparse
import json
import logging
import resource
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks import _servers
from benchmarks._filled import NOW, Fill

BATCH = 75  # events in a request
TRACK_SECONDS = 10.0


def attribute(name: str, kind: str, op: str, **values: Any) -> dict[str, Any]:
    return {"filter": "custom_attribute", "name": name, "type": kind, "op": op, **values}


def leaf(name: str, op: str, /, **values: Any) -> dict[str, Any]:
    return {"filter": name, "op": op, **values}


PRO = attribute("plan", "text", "any_of", values=["pro"])
RICH = attribute("points", "number", "more", value=5_000)
VIP = attribute("vip", "boolean", "true")
KOREAN = leaf("country", "any_of", values=["KR"])
ADULT = leaf("age", "at_least", value=18)
ORDERED = attribute("last_order", "time", "less_than_days_ago", days=30)
SPORTY = attribute("tags", "list", "any_of", values=["sports", "travel"])
ACTIVE = leaf("custom_event_count", "at_least", name="visited", value=3)
RECENT = leaf("custom_event_recent", "at_least", name="visited", value=2, within=7)
BOUGHT = leaf("product_bought", "ever", products=["shoes"])
SPENT = leaf("money_spent", "more", value=50)
GMAIL = leaf("email", "contains", values=["@example.com"])
LATELY = leaf("custom_event_last", "less_than_days_ago", name="visited", days=14)

TREES: dict[str, dict[str, Any]] = {
    "attributes": {"all": [PRO, RICH, VIP, ORDERED, SPORTY]},
    "columns": {
        "all": [KOREAN, ADULT, GMAIL, leaf("language", "any_of", values=["ko", "en"]), leaf("gender", "blank")]
    },
    "events": {"all": [ACTIVE, RECENT, LATELY, BOUGHT, SPENT]},
    "mixed": {"all": [KOREAN, PRO, ACTIVE, ADULT, SPENT]},
    "any of all": {"any": [VIP, RICH, BOUGHT, RECENT, KOREAN]},
    "groups": {"all": [{"any": [PRO, VIP]}, {"any": [RECENT, BOUGHT]}, {"not": KOREAN}]},
    "negative": {
        "all": [
            {"not": PRO},
            {"not": ACTIVE},
            attribute("tags", "list", "none_of", values=["sports"]),
            leaf("product_bought", "never", products=["shoes"]),
            leaf("country", "none_of", values=["US"]),
        ]
    },
    "expressions": {
        "all": [
            leaf("email", "matches", pattern=r"^user1\d+@"),
            attribute("plan", "text", "not_matches", pattern="fre+"),
            leaf("first_name", "contains", values=["a", "e"]),
            attribute("city", "text", "not_blank"),
            ADULT,
        ]
    },
    "nested": {
        "all": [
            {
                "filter": "custom_attribute_element",
                "name": "pets",
                "op": "has",
                "conditions": [
                    {"name": "kind", "type": "text", "op": "any_of", "values": ["dog"]},
                    {"name": "age", "type": "number", "op": "more", "value": 3},
                ],
            },
            attribute("address", "text", "any_of", path="city", values=["Seoul"]),
            VIP,
            RICH,
            ORDERED,
        ]
    },
    "rare": {
        "all": [
            leaf("external_id", "any_of", values=[f"user-{n}" for n in range(1, 200)]),
            {"any": [PRO, RICH]},
            leaf("random_bucket", "less", value=9_000),
            {"any": [VIP, ADULT]},
            leaf("created", "before", date="2026-05-01"),
        ]
    },
}


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    answer = work()
    return time.perf_counter() - started, answer


def measure_trees() -> dict[str, float]:
    """Each audience estimated and counted; the slowest of each kind, and how far off the worst estimate is."""
    from audience import segments
    from audience.models import Profile

    total = Profile.objects.count()
    estimates, counts, misses = [], [], []
    for name, tree in TREES.items():
        chosen = segments.members([], tree, NOW)
        estimating, estimate = seconds(lambda chosen=chosen: segments.estimate(chosen))
        counting, exact = seconds(chosen.count)
        estimates.append(estimating)
        counts.append(counting)
        misses.append(max(estimate.low - exact, exact - estimate.high, 0) / total)
        shown = f"{estimate.low:,}–{estimate.high:,}"
        print(f"{name:12} estimate {shown:>17} in {estimating * 1000:4.0f} ms, exact {exact:>9,} in {counting:.2f} s")
    return {
        "estimate_ms": round(max(estimates) * 1000),
        "slowest_count_s": round(max(counts), 2),
        "worst_miss_percent": round(100 * max(misses), 2),
    }


def measure_track(profiles: int) -> dict[str, float]:
    """Events a second of one process, in batches as a client sends them."""
    from audience.ingest import track

    done, started, number = 0, time.perf_counter(), 0
    while time.perf_counter() - started < TRACK_SECONDS:
        events = [
            {
                "external_id": f"user-{(number * BATCH + n) * 7919 % profiles + 1}",
                "name": "visited",
                "time": (NOW + timedelta(milliseconds=number * BATCH + n)).isoformat(),
                "properties": {"page": "home", "n": n},
            }
            for n in range(BATCH)
        ]
        track(events=events, now=NOW + timedelta(days=1))
        done, number = done + BATCH, number + 1
    return {"track_events_per_second": round(done / (time.perf_counter() - started))}


def measure_plan() -> dict[str, float]:
    """A campaign to all, planned chunk by chunk."""
    from campaigns import launch
    from campaigns.models import Campaign
    from outreach import plan, variants
    from webhooks.models import Message, Sender

    campaign = Campaign.objects.create(name="To all", to_everyone=True, sender=Sender.objects.create(name="To all"))
    content = variants.first_variant(campaign, "Variant 1").contents.get()
    content.url, content.pairs = "https://example.com/hook", []
    content.save()
    now = datetime.now(UTC)
    occurrence = launch.start(campaign, now)
    spent, planned = seconds(lambda: sum(chunk.planned for chunk in plan.plan(occurrence.pk, now)))
    if planned != Message.objects.count():
        raise SystemExit("the plan and the messages differ")
    print(f"planned {planned:,} messages in {spent:.1f} s")
    return {"plan_seconds": round(spent, 1), "plan_per_second": round(planned / spent)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profiles", type=int, default=20_000)
    parser.add_argument("--database", default="", help="a database URL, or `sqlite`; default: a PostgreSQL of its own")
    options = parser.parse_args()
    logging.disable(logging.WARNING)  # there is no Redis to wake
    with _servers.empty_tables(options.database) as connection:
        filling, _ = seconds(Fill(connection, options.profiles).run)
        print(f"{options.profiles:,} profiles on {connection.vendor}, filled in {filling:.0f} s")
        figures: dict[str, Any] = {"profiles": options.profiles, "database": connection.vendor}
        figures |= measure_trees() | measure_plan() | measure_track(options.profiles)
    figures["rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
