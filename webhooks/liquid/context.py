"""What a template sees: the message's data under the dialect's names, looked up only when read, and what one rendering
has used so far.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from liquid import BoundTemplate, RenderContext
from liquid.exceptions import LiquidError
from liquid.token import Token
from liquid.utils import ReadOnlyChainMap

from .dialect import has_liquid
from .errors import Aborted, Fault, Postponed, position
from .limits import LIMITS, Budget, Buffer
from .oauth import access_token
from .services import NO_ANSWER, ConnectedContentAnswer, ConnectedContentCall, Services
from .values import measure

if TYPE_CHECKING:
    from liquid.builtin.tags.for_tag import ForLoop

    from .env import Dialect

Lookup = Callable[[str], object]
DEEPEST_BLOCK = 2  # a block may hold a block; a third level prints nothing

STANDARD_ATTRIBUTES = {
    "user_id": "external_id",
    "braze_id": "braze_id",
    "first_name": "first_name",
    "last_name": "last_name",
    "email_address": "email",
    "phone_number": "phone",
    "gender": "gender",
    "date_of_birth": "date_of_birth",
    "city": "home_city",
    "country": "country",
    "language": "language",
    "time_zone": "time_zone",
    "random_bucket_number": "random_bucket",
    "last_used_app_date": "last_session_at",
}
"""Attribute without a prefix -> column of the profile."""

NEVER_SET = frozenset(
    {"most_recent_app_version", "most_recent_locale", "most_recent_location", "unsubscribe_url"}
    | {f"set_user_to_{state}_url" for state in ("subscribed", "unsubscribed", "opted_in")}
)
"""Attributes the original has, which profiles known through an API do not: always nil."""

OTHER_CHANNELS = frozenset({"most_recently_used_device", "targeted_device", "app", "card", "sms", "whats_app"})
"""Namespaces that are nil in every webhook."""

NAMESPACES = OTHER_CHANNELS | {
    "custom_attribute",
    "event_properties",
    "api_trigger_properties",
    "canvas_entry_properties",
    "context",
    "campaign",
    "canvas",
    "subscribed_state",
    "content_blocks",
    "credentials",
}


_NO_SERVICES = Services()


def _nothing(name: str) -> None:
    return None


class RenderData:
    """One message's data, shared by the renderings of its URL, headers and body.

    `profile` has the columns of the profile as a plain dict; the other mappings are None where the message has no such
    thing. `now` is aware, and the same instant for every field. What the fields agree on meanwhile (promotion codes,
    message extras, answers of identical calls, computing time) is kept here, so a message needs one of its own.
    """

    __slots__ = (
        "answers",
        "base",
        "budget",
        "calls",
        "extras",
        "now",
        "profile",
        "promotions",
        "secrets",
        "services",
        "wholes",
    )

    def __init__(
        self,
        profile: Mapping[str, Any],
        *,
        now: datetime,
        event_properties: Mapping[str, Any] | None = None,
        api_trigger_properties: Mapping[str, Any] | None = None,
        canvas_entry_properties: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
        campaign: Mapping[str, Any] | None = None,
        canvas: Mapping[str, Any] | None = None,
        event_name: str | None = None,
        services: Services | None = None,
    ) -> None:
        self.profile = profile
        self.now = now
        self.services = services or _NO_SERVICES
        self.base = {"now": now, "today": now, "event_name": event_name}
        self.wholes: dict[str, Mapping[str, Any] | None] = {
            "custom_attribute": profile.get("custom_attributes"),
            "event_properties": event_properties,
            "api_trigger_properties": api_trigger_properties,
            "canvas_entry_properties": canvas_entry_properties,
            "context": context,
            "campaign": campaign,
            "canvas": canvas,
        }
        self.budget = Budget(LIMITS.seconds)
        self.promotions: dict[str, str] = {}
        self.secrets: set[str] = set()
        self.extras: dict[str, str] = {}
        self.answers: dict[ConnectedContentCall, ConnectedContentAnswer] = {}
        self.calls: list[tuple[ConnectedContentCall, ConnectedContentAnswer]] = []

    def whole(self, namespace: str) -> object:
        """A namespace as one object, or None."""
        return self.wholes.get(namespace)

    def standard(self, name: str) -> object:
        """An attribute without a prefix; an empty column is nil."""
        column = STANDARD_ATTRIBUTES.get(name)
        value = self.profile.get(column) if column else None
        if value is None or value == "":
            return None
        return str(value) if column == "braze_id" else value

    def credential(self, name: str) -> str | None:
        """A stored secret, or the token it brings. It is noted in `secrets`, for whoever masks what is shown or logged.

        Raises Postponed or Aborted where a token can't be had.
        """
        call = self.services.token_call(name) if self.services.token_call else None
        find = self.services.credential or _nothing
        secret = self._token(name, call) if call else find(name)
        if secret:
            self.secrets.add(secret)
        return secret

    def _token(self, name: str, call: ConnectedContentCall) -> str:
        answer = self.answer_to(call)
        if not answer.is_good:
            said = f"the token endpoint of '{name}' answered {answer.status} {answer.failure}".strip()
            raise Postponed(said) if answer.may_pass else Aborted(said)
        token = access_token(answer.text)
        if not token:
            raise Aborted(f"the token endpoint of '{name}' gave no access_token")
        return token

    def answer_to(self, call: ConnectedContentCall) -> ConnectedContentAnswer:
        """What a call brings; equal calls of a message are made once."""
        if call not in self.answers:
            fetch = self.services.connected_content
            self.answers[call] = answer = fetch(call) if fetch else ConnectedContentAnswer(NO_ANSWER)
            self.calls.append((call, answer))
        return self.answers[call]

    def subscription(self, group: str) -> str | None:
        """What the profile said about a group, and about email as a whole."""
        state = self.services.subscription(group) if self.services.subscription else None
        if state is None and group == "email_global":
            return cast(str | None, self.profile.get("email_subscribe"))
        return state

    def forget_cached(self) -> bool:
        """Drop the cached answers that this message used, here and for all; whether there were any."""
        cached = [call for call, answer in self.calls if answer.is_cached]
        for call in cached if self.services.forget else ():
            self.services.forget(call)  # type: ignore[misc]
        self.answers.clear()
        self.calls.clear()
        return bool(cached)


class _Roots(dict[str, Lookup]):
    """Namespace -> how to look a name up in it, made when first asked for.

    It belongs to a context, not to the data: things that hold each other wait for the garbage collector, and looking
    for them was a tenth of a message.
    """

    __slots__ = ("data",)

    def __init__(self, data: RenderData) -> None:
        self.data = data

    def __missing__(self, namespace: str) -> Lookup:
        self[namespace] = found = self._find(namespace)
        return found

    def _find(self, namespace: str) -> Lookup:
        if namespace == "":
            return self.data.standard
        if namespace == "subscribed_state":
            return self.data.subscription
        if namespace == "credentials":
            return self.data.credential
        whole = self.data.wholes.get(namespace)
        return _nothing if whole is None else whole.get


class Scope:
    """The variables that the parts of one field share, and the limits that hold for all of them together.

    The keys and values of one JSON body are rendered with one scope. `is_serialised` is set while that of a text is:
    it is written as JSON afterwards, so `json_escape` leaves it as it is.
    """

    __slots__ = ("context", "is_serialised")

    def __init__(self) -> None:
        self.is_serialised = False
        self.context: Context | None = None


class Frames(ReadOnlyChainMap):
    """Where local names are looked up, innermost first."""

    def __init__(self, *maps: Mapping[str, object]) -> None:
        self._maps = maps  # a tuple is made faster than a deque, and loops are few

    def push(self, namespace: Mapping[Any, Any]) -> None:
        self._maps = (namespace, *self._maps)

    def pop(self) -> Mapping[Any, Any]:
        first, *others = self._maps
        self._maps = tuple(others)
        return first

    def find(self, name: str) -> object:
        for frame in self._maps:
            if name in frame:
                return frame[name]
        return None

    def holds(self, name: str) -> bool:
        return any(name in frame for frame in self._maps)


class Context(RenderContext):
    """One rendering of one field."""

    __slots__ = ("block_depth", "budget", "data", "is_serialised", "roots", "scope", "sizes", "used")

    def __init__(self, template: BoundTemplate, *, data: RenderData) -> None:
        super().__init__(template)
        self.data = data
        self.roots = _Roots(data)
        self.budget = data.budget
        self.is_serialised = False
        self.scope = Frames(self.locals, data.base, self.counters)
        self.sizes: dict[str, int] = {}
        self.used = {"loop iterations": 0, "Connected Content calls": 0}
        self.block_depth = 0

    def isolated(self, names: MutableMapping[str, object]) -> Context:
        """A context that sees only these names and the message's data; what it uses counts here."""
        inner = Context(self.template, data=self.data)
        inner.is_serialised = self.is_serialised
        inner.locals = names
        inner.scope = Frames(names, self.data.base, inner.counters)
        inner.used, inner.block_depth = self.used, self.block_depth
        return inner

    def has_local(self, name: str) -> bool:
        return self.scope.holds(name)

    def assign(self, key: str, val: Any) -> None:
        """Set a variable. Raises Fault where all variables together grow too large."""
        self.sizes[key] = len(val) if type(val) is str else measure(val, LIMITS.variables)
        if sum(self.sizes.values()) > LIMITS.variables:
            raise Fault(f"the variables are too large: at most {LIMITS.variables:,} characters together")
        self.locals[key] = val

    def use(self, what: str, limit: int) -> None:
        """Count one more of something. Raises Fault past the limit."""
        self.used[what] += 1
        if self.used[what] > limit:
            raise Fault(f"too many {what}: at most {limit:,} are allowed")

    def counted(self, values: Sequence[object]) -> Iterator[object]:
        """The same values, each counted as an iteration and against the time when it is taken."""
        used, check = self.used, self.budget.check
        for value in values:
            if used["loop iterations"] >= LIMITS.iterations:
                self.use("loop iterations", LIMITS.iterations)
            used["loop iterations"] += 1
            check()
            yield value

    def block(self, name: str, token: Token) -> str:
        """A Content Block's text. Raises Fault where there is none of that name, or where it cannot be rendered."""
        if self.block_depth == DEEPEST_BLOCK:
            return ""
        find = self.data.services.content_block
        source = find(name) if find else None
        if source is None:
            raise Fault(f"there is no Content Block '{name}'", token)
        self.block_depth += 1
        try:
            return self.render_text(source, token, f"the Content Block '{name}'")
        finally:
            self.block_depth -= 1

    def render_text(self, source: str, token: Token, where: str, *, may_fetch: bool = True) -> str:
        """Other text, rendered in this scope. Raises Fault at `token`, naming `where`, for what goes wrong in it."""
        if not has_liquid(source):
            return source
        buffer = self.get_buffer()
        try:
            template = cast("Dialect", self.env).inner(source, may_fetch=may_fetch)
            template.render_with_context(self, buffer, partial=True)
            buffer.check()
        except LiquidError as error:
            line = position(error.token.source, error.token.start_index)[0] if error.token else 1
            raise Fault(f"{error.message}, in {where}, line {line}", token) from error
        return buffer.getvalue()

    def raise_for_loop_limit(self, length: int = 1) -> None:
        """Nothing: iterations are counted as they happen."""

    def parentloop(self) -> ForLoop | None:
        return super().parentloop() if self.loops else None

    def get_buffer(self, buf: object = None) -> Buffer:
        return Buffer(LIMITS.value, "a captured text")

    @contextmanager
    def extend(self, namespace: Mapping[str, object], template: BoundTemplate | None = None) -> Iterator[Context]:
        """These names first, for the time of a loop. Nesting is bounded where templates are read."""
        self.scope.push(namespace)
        try:
            yield self
        finally:
            self.scope.pop()
