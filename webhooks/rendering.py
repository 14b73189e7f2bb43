"""Renders a batch of claimed messages: at once, or on threads where Connected Content makes them wait."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from django.db import connection

from webhooks import calls, frozen, hooks
from webhooks.claims import Claimed
from webhooks.compose import Compiled, Composer, refresh, secrets_of, waits
from webhooks.liquid import LiquidSyntaxProblem, RenderData, Services
from webhooks.models import LogKind, MessageActivityLog, Outcome
from webhooks.request import Refusal, Request
from webhooks.success import Condition

THREADS = 32


class Rendered(NamedTuple):
    """What became of a message: its request, or why there is none. `secrets` are masked wherever it is shown."""

    message: Claimed
    result: Request | Refusal
    secrets: tuple[str, ...] = ()
    notes: tuple[MessageActivityLog, ...] = ()  # unsaved rows of calls that brought nothing
    source: "Source | None" = None  # where answers from the cache are in it: they may be out of date
    condition: Condition | None = None  # what the answer must say
    extras: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Source:
    """What a request was rendered from."""

    compiled: Compiled
    data: RenderData


class Renderer:
    """One for a process; called from one thread."""

    def __init__(self, composer: Composer) -> None:
        self._composer = composer
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="render")
        self._waiting: dict[Future[Rendered], Claimed] = {}

    @property
    def waiting(self) -> int:
        """Messages whose rendering waits for an answer."""
        return len(self._waiting)

    def render(
        self, batch: Sequence[Claimed], profiles: Mapping[int, Mapping[str, object]], now: datetime
    ) -> list[Rendered]:
        """What is rendered at once; the others come out of `finished`. A few queries for the whole batch."""
        kept = frozen.load(m.id for m in batch if m.attempts)
        contents = self._composer.compiled(m.content_id for m in batch)
        services = self._composer.services(batch, contents, now)
        extra: dict[int, Mapping[str, object]] = {}
        for source in hooks.context_sources:
            extra.update(source(batch))
        done: list[Rendered] = []
        for message in batch:
            compiled = contents.get(message.content_id)
            asks = services.get(message.id)
            before = kept.get(message.id)
            if before and isinstance(compiled, Compiled):
                before = replace(before, request=before.request._replace(certificate=compiled.certificate))
            if before and not (isinstance(compiled, Compiled) and compiled.changing_headers):
                hidden = (*_secrets(compiled, asks), *before.secrets)
                condition = _condition(compiled)
                done.append(Rendered(message, before.request, hidden, condition=condition, extras=before.extras))
                continue
            data = RenderData(profiles[message.profile_id], now=now, services=asks, **extra.get(message.id, {}))  # type: ignore[arg-type]
            if asks and isinstance(compiled, Compiled) and waits(compiled, asks):
                self._begin(message, compiled, data, before)
            else:
                done.append(self._render(message, compiled, data, before))
        return done

    def renew(self, rendered: Rendered) -> bool:
        """Render a refused request's headers again without the cached answers in it; whether there were any."""
        source = rendered.source
        if source is None or not source.data.forget_cached() or not isinstance(rendered.result, Request):
            return False
        before = frozen.Kept(rendered.result, rendered.secrets, rendered.extras)
        self._begin(rendered.message, source.compiled, source.data, before)
        return True

    def finished(self) -> list[Rendered]:
        """Those that waited and are rendered now."""
        done = [future for future in self._waiting if future.done()]
        return [_result(future, self._waiting.pop(future)) for future in done]

    def _begin(self, message: Claimed, compiled: Compiled, data: RenderData, before: frozen.Kept | None) -> None:
        self._waiting[self._threads.submit(self._render_apart, message, compiled, data, before)] = message

    def _render_apart(
        self, message: Claimed, compiled: Compiled, data: RenderData, before: frozen.Kept | None
    ) -> Rendered:
        try:
            return self._render(message, compiled, data, before)
        finally:
            connection.close()  # this thread's own

    def _render(
        self,
        message: Claimed,
        compiled: Compiled | LiquidSyntaxProblem | None,
        data: RenderData,
        before: frozen.Kept | None = None,
    ) -> Rendered:
        """`before` is the request of an earlier attempt: only its changing headers are made again."""
        if before and isinstance(compiled, Compiled):
            result = refresh(compiled, before.request, data)
        else:
            result = self._composer.request(compiled, data, str(data.profile["language"]))
        secrets = (*_secrets(compiled, None), *data.secrets, *(before.secrets if before else ()))
        notes = tuple(calls.failures(message, data.calls, data.now, secrets)) if data.calls else ()
        extras = before.extras if before else data.extras
        return Rendered(message, result, secrets, notes, _source(compiled, data), _condition(compiled), extras)


def _condition(compiled: Compiled | LiquidSyntaxProblem | None) -> Condition | None:
    return compiled.condition if isinstance(compiled, Compiled) else None


def _source(compiled: Compiled | LiquidSyntaxProblem | None, data: RenderData) -> Source | None:
    if not data.calls or not isinstance(compiled, Compiled) or not compiled.changing_headers:
        return None
    return Source(compiled, data) if any(answer.is_cached for _, answer in data.calls) else None


def _secrets(compiled: Compiled | LiquidSyntaxProblem | None, services: Services | None) -> tuple[str, ...]:
    return secrets_of(compiled, services) if isinstance(compiled, Compiled) else ()


def _result(future: "Future[Rendered]", message: Claimed) -> Rendered:
    """A fault on a thread ends its message only."""
    error = future.exception()
    if error is None:
        return future.result()
    text = f"{type(error).__name__}: {error}"[:500]
    return Rendered(message, Refusal(Outcome.FAILED, "render_error", text, LogKind.LIQUID_ERROR))
