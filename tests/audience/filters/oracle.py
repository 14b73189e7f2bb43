"""Answers filter trees about one profile in plain Python, written from the specification's tables alone.

It shares no code with the compiler: where SQL and this disagree, one of them is wrong.
"""

import re
import statistics
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

SHAPE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
SIGNS = {
    "exactly": lambda a, b: a == b,
    "more": lambda a, b: a > b,
    "less": lambda a, b: a < b,
    "at_least": lambda a, b: a >= b,
    "at_most": lambda a, b: a <= b,
}


class World:
    """One profile with all it did. `now` is in whole milliseconds."""

    def __init__(self, now, zone, columns, custom, events=(), purchases=(), groups=None, aliases=(), rates=None):
        self.now, self.zone, self.columns, self.custom = now, zone, columns, custom
        self.events, self.purchases, self.aliases = events, purchases, aliases
        self.groups, self.rates = groups or {}, rates or {}


def matches(tree, world):
    if "all" in tree:
        return all(matches(each, world) for each in tree["all"])
    if "any" in tree:
        return any(matches(each, world) for each in tree["any"])
    if "not" in tree:
        return not matches(tree["not"], world)
    return LEAVES[tree["filter"]](tree, world)


# --- values -----------------------------------------------------------------------------------------------------------


def is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_time(value):
    return isinstance(value, str) and SHAPE.fullmatch(value) is not None


def same(a, b):
    if isinstance(a, str) or isinstance(b, str):
        return isinstance(a, str) and isinstance(b, str) and a == b
    return is_number(a) and is_number(b) and Decimal(str(a)) == Decimal(str(b))


def found(pattern, text):
    """Letter case counts for nothing; classes such as \\w know ASCII alone; $ is the very end."""
    for escape, members in (("d", "0-9"), ("w", "0-9A-Za-z_"), ("s", r"\t-\r ")):
        pattern = pattern.replace(f"\\{escape}", f"(?-i:[{members}])")
        pattern = pattern.replace(f"\\{escape.upper()}", f"(?-i:[^{members}])")
    pattern = pattern.replace("$", r"\Z")
    return re.search(pattern, text, re.IGNORECASE) is not None


def text(leaf, value, blank):
    is_text, op = isinstance(value, str), leaf["op"]
    if op in ("any_of", "none_of"):
        return (is_text and value in leaf["values"]) == (op == "any_of")
    if op in ("contains", "not_contains"):
        return (is_text and any(part in value for part in leaf["values"])) == (op == "contains")
    if op == "matches":
        return is_text and found(leaf["pattern"], value)
    if op == "not_matches":
        return is_text and not found(leaf["pattern"], value)
    return blank == (op == "blank")


def number(leaf, value, blank):
    op, missing = leaf["op"], value is None
    if op in ("blank", "not_blank"):
        return blank == (op == "blank")
    if op == "not_equal":
        return not same(value, leaf["value"])
    if op == "exactly" and value is not None:
        return same(value, leaf["value"])
    if op == "between":
        return is_number(value) and dec(leaf["low"]) <= dec(value) <= dec(leaf["high"])
    if missing and op == "exactly" and leaf["value"] == 0:
        return True
    if missing and op == "less" and leaf["value"] > 0:
        return True
    if missing and op == "at_most" and leaf["value"] >= 0:
        return True
    return is_number(value) and SIGNS[op](dec(value), dec(leaf["value"]))


def dec(value):
    return Decimal(str(value))


def boolean(leaf, value, blank):
    op = leaf["op"]
    if op in ("blank", "not_blank"):
        return blank == (op == "blank")
    wanted = op.startswith("true")
    return value is wanted or (op.endswith("unset") and value is None)


def time(leaf, value, blank, world, as_text=True):
    op = leaf["op"]
    if op in ("blank", "not_blank"):
        return blank == (op == "blank")
    if as_text:
        if not is_time(value):
            return False
        if op.startswith("day_"):
            return month_day(value, world.zone) in days(leaf, world)
        # ms texts of one shape order as the moments do; a text that only has the shape still orders somewhere
        key = lambda moment: canonical(moment)  # noqa: E731
    else:
        if value is None:
            return False
        key = lambda moment: moment  # noqa: E731
    day, now = timedelta(days=1), world.now
    if op == "before":
        return value < key(start_of(leaf["date"], world))
    if op == "after":
        return value >= key(start_of(leaf["date"], world, 1))
    n = day * leaf["days"]
    if op == "more_than_days_ago":
        return value <= key(now - n)
    if op == "less_than_days_ago":
        return key(now - n) < value <= key(now)
    if op == "in_more_than_days":
        return value >= key(now + n)
    assert op == "in_less_than_days"
    return key(now) <= value < key(now + n)


def canonical(moment):
    moment = moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def start_of(written, world, later=0):
    day = date.fromisoformat(written) + timedelta(days=later)
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(world.zone))


def month_day(value, zone):
    if value.endswith("T00:00:00.000Z"):
        return value[5:10]
    value = value.replace("0001-", "0401-", 1) if value.startswith("0001-") else value  # a calendar's cycle later
    moment = datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    return value[5:10] if value[5:10] == "02-29" else moment.astimezone(ZoneInfo(zone)).strftime("%m-%d")


def is_leap(year):
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days(leaf, world):
    """The MM-DD that match; the 29th of February counts on the 1st of March of a year that lacks it."""
    today, op = world.now.astimezone(ZoneInfo(world.zone)).date(), leaf["op"]
    every = [(date(2000, 1, 1) + timedelta(days=n)).strftime("%m-%d") for n in range(366)]
    if op in ("day_is", "day_between"):
        first, last = (leaf["day"], leaf["day"]) if op == "day_is" else (leaf["first"], leaf["last"])
        chosen = {d for d in every if (first <= d <= last if first <= last else d >= first or d <= last)}
        if not is_leap(today.year):
            chosen = chosen - {"02-29"} | ({"02-29"} if "03-01" in chosen else set())
        return chosen
    n = leaf["days"]
    offsets = {
        "day_in_exactly": [n],
        "day_in_less_than": range(max(n, 1)),
        "day_less_than_ago": range(-max(n, 1) + 1, 1),
    }[op]
    chosen = set()
    for offset in offsets:
        day = today + timedelta(days=offset)
        chosen.add(day.strftime("%m-%d"))
        if (day.month, day.day) == (3, 1) and not is_leap(day.year):
            chosen.add("02-29")
    return chosen


def items(leaf, value, blank):
    op, listed = leaf["op"], value if isinstance(value, list) else []
    if op in ("blank", "not_blank"):
        return blank == (op == "blank")
    if op in ("any_of", "none_of"):
        return any(same(a, b) for a in listed for b in leaf["values"]) == (op == "any_of")
    if op in ("all_of", "not_all_of"):
        return all(any(same(a, b) for a in listed) for b in leaf["values"]) == (op == "all_of")
    if op in ("contains", "not_contains"):
        texts = [a for a in listed if isinstance(a, str)]
        return any(part in a for a in texts for part in leaf["values"]) == (op == "contains")
    return any(isinstance(a, str) and found(leaf["pattern"], a) for a in listed)


def typed(leaf, value, blank, world):
    kind = leaf["type"]
    if kind == "time":
        return time(leaf, value, blank, world)
    return {"text": text, "number": number, "boolean": boolean, "list": items}[kind](leaf, value, blank)


def reach(document, path):
    """All values at the path: one at most, unless it goes through `[]`."""
    values = [document]
    for step in path:
        if step == "[]":
            values = [each for value in values if isinstance(value, list) for each in value]
        elif isinstance(step, int):
            values = [value[step] for value in values if isinstance(value, list) and step < len(value)]
        else:
            values = [value[step] for value in values if isinstance(value, dict) and step in value]
    return values


def parse(path):
    steps = re.findall(r"\[\d*\]|[^.\[\]]+", path or "")
    return [s if s == "[]" or not s.startswith("[") else int(s[1:-1]) for s in steps]


OPPOSITE = {"none_of": "any_of", "not_contains": "contains", "not_equal": "exactly", "not_all_of": "all_of"}


def inside(document, leaf, world, absent_is_blank=False):
    """A condition on a value inside a document; through `[]` one element is enough, or for a negative one none."""
    values = reach(document, [leaf["name"], *parse(leaf.get("path"))])

    def blank(value):
        return value is None or (not absent_is_blank and value in ("", []))

    def one(value, leaf=leaf):
        return typed(leaf, value, blank(value), world)

    if "[]" not in parse(leaf.get("path")):
        return one(values[0] if values else None)
    op, present = leaf["op"], [value for value in values if value is not None]
    if op == "blank":
        return all(blank(value) for value in values)
    if op in OPPOSITE:
        return not any(one(value, {**leaf, "op": OPPOSITE[op]}) for value in present)
    if op == "not_matches":  # an element is a text, and no element matches
        texts = [value for value in present if isinstance(value, str)]
        return bool(texts) and not any(one(value, {**leaf, "op": "matches"}) for value in texts)
    return any(one(value) for value in present) or (not present and one(None))


def element(leaf, world):
    lists = reach(world.custom, [leaf["name"], *parse(leaf.get("path"))])
    elements = [each for value in lists if isinstance(value, list) for each in value]
    has = any(all(inside(each, condition, world) for condition in leaf["conditions"]) for each in elements)
    return has == (leaf["op"] == "has")


# --- columns ----------------------------------------------------------------------------------------------------------


def column(name, kind):
    def ask(leaf, world):
        value = world.columns.get(name)
        blank = value in (None, "")
        if kind == "time":
            return time(leaf, value, blank, world, as_text=False)
        return {"text": text, "number": number}[kind](leaf, None if blank and kind == "text" else value, blank)

    return ask


def email(leaf, world):
    folded = {**leaf, "values": [value.lower() for value in leaf.get("values", [])]}
    value = world.columns["email"].lower() or None
    return text(folded, value, value is None)


def language(leaf, world):
    value = world.columns["language"]
    if leaf["op"] in ("any_of", "none_of"):
        return (value in leaf["values"] or value.partition("-")[0] in leaf["values"]) == (leaf["op"] == "any_of")
    return (value == "") == (leaf["op"] == "blank")


def age(leaf, world):
    born = world.columns["date_of_birth"]
    if born is None:
        return number(leaf, None, True)
    today = world.now.astimezone(ZoneInfo(world.zone)).date()
    birthday = (born.month, born.day)
    if today.month == 2 and today.day == 29 and birthday == (2, 29):
        years = today.year - born.year
    else:
        years = today.year - born.year - ((today.month, today.day) < birthday)
    return number(leaf, years, False)


def birthday(leaf, world):
    born = world.columns["date_of_birth"]
    if leaf["op"] in ("blank", "not_blank"):
        return (born is None) == (leaf["op"] == "blank")
    return born is not None and born.strftime("%m-%d") in days(leaf, world)


def subscription_date(channel, state):
    def ask(leaf, world):
        in_state = world.columns[f"{channel}_subscribe"] == state
        value = world.columns[f"{channel}_subscribe_at"] if in_state else None
        return time(leaf, value, value is None, world, as_text=False)

    return ask


# --- history ----------------------------------------------------------------------------------------------------------


def occurrences(what, leaf, world):
    """(time, weight, properties) of each."""
    if what == "event":
        return [(e["time"], 1, e["properties"]) for e in world.events if e["name"] == leaf["name"]]
    if what == "session":
        return [(e["time"], 1, e["properties"]) for e in world.events if e["name"] == "session_start"]
    rows = [p for p in world.purchases if what == "purchase" or p["product"] in leaf["products"]]
    return [(p["time"], p["quantity"], p["properties"]) for p in rows]


def ever(what):
    return lambda leaf, world: SIGNS[leaf["op"]](sum(n for _t, n, _p in occurrences(what, leaf, world)), leaf["value"])


def edge(what, pick):
    def ask(leaf, world):
        moments = [moment for moment, _n, _p in occurrences(what, leaf, world)]
        return bool(moments) and time(leaf, pick(moments), False, world, as_text=False)

    return ask


def window(leaf, world):
    if leaf.get("unit") == "hours":
        return world.now - timedelta(hours=leaf["within"])
    midnight = world.now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=leaf["within"])


def recent(what):
    def ask(leaf, world):
        rows = [row for row in occurrences(what, leaf, world) if window(leaf, world) <= row[0] <= world.now]
        for condition in leaf.get("conditions") or []:
            rows = [row for row in rows if inside(row[2], condition, world, absent_is_blank=True)]
        return SIGNS[leaf["op"]](sum(n for _t, n, _p in rows), leaf["value"])

    return ask


def median_length(leaf, world):
    lengths = [properties.get("duration") for _time, _n, properties in occurrences("session", leaf, world)]
    numbers = sorted(dec(each) for each in lengths if isinstance(each, int | float) and not isinstance(each, bool))
    return bool(numbers) and SIGNS[leaf["op"]](statistics.median_low(numbers), dec(leaf["value"]))


def bought(leaf, world):
    return bool(occurrences("product", leaf, world)) == (leaf["op"] == "ever")


def spent(is_recent):
    def ask(leaf, world):
        rows = [p for p in world.purchases if not is_recent or window(leaf, world) <= p["time"] <= world.now]
        total = sum((p["price"] * p["quantity"] * world.rates.get(p["currency"], 0) for p in rows), Decimal(0))
        return SIGNS[leaf["op"]](round(total, 4), dec(leaf["value"]))

    return ask


def last_active(leaf, world):
    moments = [e["time"] for e in world.events] + [p["time"] for p in world.purchases]
    return bool(moments) and time(leaf, max(moments), False, world, as_text=False)


def group(leaf, world):
    states = [world.groups.get(key) for key in leaf["ids"]]
    return None in states if leaf["op"] == "never_set" else leaf["op"] in states


def alias(leaf, world):
    names = [name for label, name in world.aliases if not leaf.get("label") or label == leaf["label"]]
    op = leaf["op"]
    if op in ("blank", "not_blank"):
        return (not names) == (op == "blank")
    if op == "not_matches":
        return bool(names) and not any(found(leaf["pattern"], name) for name in names)
    positive = {"none_of": "any_of", "not_contains": "contains"}.get(op, op)
    return any(text({**leaf, "op": positive}, name, False) for name in names) == (positive == op)


LEAVES = {
    "everyone": lambda leaf, world: True,
    "custom_attribute": lambda leaf, world: inside(world.custom, leaf, world),
    "custom_attribute_element": element,
    "external_id": column("external_id", "text"),
    "first_name": column("first_name", "text"),
    "home_city": column("home_city", "text"),
    "phone": column("phone", "text"),
    "country": column("country", "text"),
    "email": email,
    "language": language,
    "age": age,
    "birthday": birthday,
    "random_bucket": column("random_bucket", "number"),
    "created": column("created_at", "time"),
    "email_subscribe": column("email_subscribe", "text"),
    "email_opted_in_at": subscription_date("email", "opted_in"),
    "push_unsubscribed_at": subscription_date("push", "unsubscribed"),
    "custom_event_count": ever("event"),
    "custom_event_first": edge("event", min),
    "custom_event_last": edge("event", max),
    "custom_event_recent": recent("event"),
    "purchase_count": ever("purchase"),
    "purchase_first": edge("purchase", min),
    "purchase_last": edge("purchase", max),
    "purchase_recent": recent("purchase"),
    "product_bought": bought,
    "product_last": edge("product", max),
    "product_recent": recent("product"),
    "money_spent": spent(False),
    "money_spent_recent": spent(True),
    "session_count": ever("session"),
    "session_median": median_length,
    "last_active": last_active,
    "subscription_group": group,
    "alias": alias,
}
