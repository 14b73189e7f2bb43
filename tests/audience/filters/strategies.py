"""Random profiles, histories and filter trees. Small alphabets, so that values and filters meet often."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

NOW = datetime(2026, 3, 1, 13, 45, 30, 250_000, tzinfo=UTC)
KEYS = ("plan", "n", 'odd "key"', "é ë", "list", "pets", "deep.dot")
PATHS = ("", "name", "name.first", "[].name", "[]", "[0]", "[1].name", "[].tags")
TEXTS = ("", "a", "A", "ab", "Éa", "é", "b\n", "1", 'it\'s 100% "so"', "{}", "\\d", "ſ", "K")
NUMBERS = (0, 1, -1, 2, 0.1, 1.0, 2.5, -0.0, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 1e300, 5e-324)
MOMENTS = (
    "2026-03-01T13:45:30.250Z",
    "2026-03-01T13:45:30.249Z",
    "2026-02-28T13:45:30.250Z",
    "2026-02-28T23:59:59.999Z",
    "2026-03-01T00:00:00.000Z",
    "2024-02-29T00:00:00.000Z",
    "2024-02-29T22:00:00.000Z",
    "2025-12-31T20:00:00.000Z",
    "1969-07-20T20:17:40.000Z",
    "0001-01-01T00:00:00.001Z",
    "3000-12-31T23:59:59.999Z",
    "2026-03-02T13:45:30.250Z",
)
ZONES = ("UTC", "Asia/Seoul", "America/New_York", "Pacific/Kiritimati")
PATTERNS = (
    "a",
    "^a",
    "b$",
    "[^a]",
    ".",
    "é",
    r"\d",
    r"\W",
    "a|b",
    "(ab)+",
    "^$",
    "a{2,3}?",
    "[A-Zé]",
    r"\.|%",
    "k",
    "s",
)

scalars = st.one_of(st.sampled_from(TEXTS), st.sampled_from(NUMBERS), st.booleans(), st.sampled_from(MOMENTS))
objects = st.fixed_dictionaries(
    {}, optional={"name": st.one_of(scalars, st.fixed_dictionaries({"first": scalars})), "tags": st.lists(scalars)}
)
values = st.one_of(scalars, st.lists(scalars, max_size=3), objects, st.lists(objects, max_size=3), st.none())
documents = st.dictionaries(st.sampled_from(KEYS), values, max_size=5)

moments = st.one_of(
    st.sampled_from([datetime.fromisoformat(text) for text in MOMENTS if not text.startswith(("0001", "3000"))]),
    st.integers(-40 * 24 * 60, 0).map(lambda minutes: NOW + timedelta(minutes=minutes)),
)
past = moments.filter(lambda moment: moment <= NOW)
numbers = st.sampled_from(NUMBERS)
small = st.integers(0, 3)
value_lists = st.lists(st.sampled_from([text for text in TEXTS if text]), min_size=1, max_size=3)
dates = st.dates(date(2024, 1, 1), date(2027, 1, 1)).map(str) | st.sampled_from(["2026-03-01", "2026-02-28"])
month_days = st.sampled_from(["02-28", "02-29", "03-01", "03-02", "12-31", "01-01", "07-20"])
day_counts = st.sampled_from([0, 1, 2, 0.25, 30, 366, 36_500])


def op(names: str, **extra: st.SearchStrategy) -> st.SearchStrategy:
    """A leaf's operator, one of some, with its inputs."""
    return st.fixed_dictionaries({"op": st.sampled_from(names.split()), **extra})


texts_ops = st.one_of(
    op("any_of none_of contains not_contains", values=value_lists),
    op("matches not_matches", pattern=st.sampled_from(PATTERNS)),
    op("blank not_blank"),
)
number_ops = st.one_of(
    op("exactly not_equal more less at_least at_most", value=numbers),
    op("between", low=numbers, high=numbers),
    op("blank not_blank"),
)
boolean_ops = op("true false true_or_unset false_or_unset blank not_blank")
moment_ops = st.one_of(
    op("before after", date=dates),
    op("more_than_days_ago less_than_days_ago in_more_than_days in_less_than_days", days=day_counts),
    op("blank not_blank"),
)
yearly_ops = st.one_of(
    op("day_is", day=month_days),
    op("day_between", first=month_days, last=month_days),
    op("day_in_exactly day_in_less_than day_less_than_ago", days=st.sampled_from([0, 1, 2, 10, 300, 366])),
)
list_values = st.lists(st.one_of(st.sampled_from([text for text in TEXTS if text]), numbers), min_size=1, max_size=3)
list_ops = st.one_of(
    op("any_of none_of all_of not_all_of", values=list_values),
    op("contains not_contains", values=value_lists),
    op("matches", pattern=st.sampled_from(PATTERNS)),
    op("blank not_blank"),
)
OPS = {
    "text": texts_ops,
    "number": number_ops,
    "boolean": boolean_ops,
    "time": st.one_of(moment_ops, yearly_ops),
    "list": list_ops,
}


def merged(*parts: st.SearchStrategy) -> st.SearchStrategy:
    return st.tuples(*parts).map(lambda dicts: {key: value for each in dicts for key, value in each.items()})


def document_leaf(names: tuple[str, ...], paths: tuple[str, ...] = PATHS, **constant: object) -> st.SearchStrategy:
    where = st.fixed_dictionaries({"name": st.sampled_from(names), "path": st.sampled_from(paths)})
    typed = st.sampled_from(sorted(OPS)).flatmap(lambda kind: merged(st.just({"type": kind}), OPS[kind]))
    return merged(st.just(constant), where, typed)


def leaf(filter_name: str, /, *parts: st.SearchStrategy, **extra: st.SearchStrategy) -> st.SearchStrategy:
    return merged(st.just({"filter": filter_name}), *parts, st.fixed_dictionaries(extra))


def only(ops: st.SearchStrategy, *names: str) -> st.SearchStrategy:
    return ops.filter(lambda each: each["op"] in names)


element_conditions = st.lists(document_leaf(("name", "tags"), ("", "first", "[]")), min_size=1, max_size=2)
properties = st.lists(document_leaf(("p", "q"), ("", "[]")), max_size=2)
event_name = st.sampled_from(["bought", "seen", "session_start"])
product_lists = st.lists(st.sampled_from(["shoes", "hat"]), min_size=1, max_size=2, unique=True)
counting = op("more less exactly at_least", value=small)
when = st.one_of(op("before after", date=dates), op("more_than_days_ago less_than_days_ago", days=day_counts))
windows = st.one_of(
    st.fixed_dictionaries({"within": st.integers(1, 30)}),
    st.fixed_dictionaries({"within": st.integers(1, 720), "unit": st.just("hours")}),
)
amounts = op("more less exactly at_least at_most", value=st.sampled_from([0, 19.9, 39.8, -5, 0.1, 59.7, 10]))
years = st.sampled_from([0, 1, 19, 20, 21, 26])

leaves = st.one_of(
    document_leaf(KEYS, filter="custom_attribute"),
    document_leaf(KEYS, filter="custom_attribute"),
    document_leaf(KEYS, ("",), filter="custom_attribute"),
    leaf("custom_attribute_element", op("has has_not"), name=st.just("pets"), conditions=element_conditions),
    leaf("everyone"),
    *(leaf(name, texts_ops) for name in ("external_id", "first_name", "home_city", "phone", "email")),
    leaf("country", op("any_of none_of", values=st.just(["KR", "US"]))),
    leaf("language", op("any_of none_of", values=st.sampled_from([["pt"], ["pt-BR"], ["en", "pt-BR"]]))),
    leaf("language", op("blank not_blank")),
    leaf("age", op("exactly not_equal more less at_least at_most", value=years)),
    leaf("age", op("between", low=years, high=years)),
    leaf("age", op("blank not_blank")),
    leaf("birthday", st.one_of(yearly_ops, op("blank not_blank"))),
    leaf("random_bucket", op("exactly not_equal more less at_least at_most", value=st.sampled_from([0, 5000, 9999]))),
    leaf("created", moment_ops),
    leaf("email_subscribe", op("any_of none_of", values=st.just(["opted_in"]))),
    leaf("email_opted_in_at", moment_ops),
    leaf("push_unsubscribed_at", moment_ops),
    leaf("custom_event_count", counting, name=event_name),
    leaf("custom_event_first", when, name=event_name),
    leaf("custom_event_last", when, name=event_name),
    leaf("custom_event_recent", counting, windows, name=event_name, conditions=properties),
    leaf("purchase_count", counting),
    leaf("purchase_first", when),
    leaf("purchase_last", when),
    leaf("purchase_recent", counting, windows, conditions=properties),
    leaf("product_bought", op("ever never"), products=product_lists),
    leaf("product_last", when, products=product_lists),
    leaf("product_recent", counting, windows, products=product_lists),
    leaf("money_spent", amounts),
    leaf("money_spent_recent", amounts, within=st.integers(1, 30)),
    leaf("session_count", counting),
    leaf("session_median", op("more less exactly at_least", value=st.sampled_from([0, 30, 45, 60]))),
    leaf("last_active", when),
    leaf("subscription_group", op("subscribed unsubscribed never_set"), ids=st.just([1, 2])),
    leaf("alias", texts_ops, label=st.sampled_from(["", "crm", "web"])),
)

trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": inner.filter(lambda tree: "not" not in tree)}),
    ),
    max_leaves=4,
)

columns = st.fixed_dictionaries(
    {
        "external_id": st.none() | st.sampled_from([text for text in TEXTS if text]),
        "first_name": st.sampled_from(TEXTS),
        "home_city": st.sampled_from(TEXTS),
        "phone": st.sampled_from(["", "+821012345678"]),
        "email": st.sampled_from(["", "a", "A@x.org", "ab"]),
        "country": st.sampled_from(["", "KR", "FR"]),
        "language": st.sampled_from(["", "en", "pt", "pt-BR", "pt-PT"]),
        "date_of_birth": st.none()
        | st.sampled_from([date(2004, 2, 29), date(2006, 3, 1), date(2006, 3, 2), date(2005, 2, 28), date(2026, 3, 1)]),
        "random_bucket": st.sampled_from([0, 4999, 5000, 9999]),
        "email_subscribe": st.sampled_from(["opted_in", "subscribed", "unsubscribed"]),
        "email_subscribe_at": st.none() | moments,
        "push_subscribe": st.sampled_from(["subscribed", "unsubscribed"]),
        "push_subscribe_at": st.none() | moments,
        "created_at": moments,
    }
)
property_documents = st.dictionaries(st.sampled_from(["p", "q"]), scalars | st.lists(scalars, max_size=2), max_size=2)
durations = st.dictionaries(st.just("duration"), st.sampled_from([0, 30, 30.5, 45, 60, 60.0, "60", None, True, [60]]))
events = st.lists(
    st.one_of(
        st.fixed_dictionaries({"name": event_name, "time": past, "properties": property_documents}),
        st.fixed_dictionaries({"name": st.just("session_start"), "time": past, "properties": durations}),
    ),
    max_size=4,
)
purchases = st.lists(
    st.fixed_dictionaries(
        {
            "product": st.sampled_from(["shoes", "hat"]),
            "time": past,
            "price": st.sampled_from([Decimal("19.9"), Decimal("-5"), Decimal("0.1")]),
            "quantity": st.integers(1, 3),
            "currency": st.sampled_from(["USD", "EUR", "CHF"]),
            "properties": property_documents,
        }
    ),
    max_size=3,
)
people = st.fixed_dictionaries(
    {
        "columns": columns,
        "custom": documents,
        "events": events,
        "purchases": purchases,
        "groups": st.dictionaries(st.sampled_from([1, 2]), st.sampled_from(["subscribed", "unsubscribed"])),
        "aliases": st.lists(
            st.tuples(st.sampled_from(["crm", "web"]), st.sampled_from(["a", "b\n", "Éa"])),
            max_size=2,
            unique_by=lambda pair: pair[0],
        ),
    }
)
