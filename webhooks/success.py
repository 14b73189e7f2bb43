"""Success conditions: what an answer must say, beyond its 2xx status, to count as received.

Some endpoints answer 200 and mean failure. Paths are JMESPath, of which a dotted name is the usual case.
"""

import json
from dataclasses import dataclass
from typing import Any

import jmespath
from django.utils.translation import gettext as _
from jmespath.exceptions import JMESPathError

from webhooks.models import Content
from webhooks.models.content import Success
from webhooks.request import Answer, Fault


@dataclass(frozen=True, slots=True)
class Condition:
    """`path` empty: the whole answer as text. `value` is compared as text, in JSON's words (true, null)."""

    test: str
    path: str
    value: str
    may_retry: bool

    def judged(self, answer: Answer) -> Answer:
        """The answer itself where it is met, else the same answer as a failure."""
        text = answer.body.decode("utf-8", "replace")
        if problem := self.problem(text):
            return answer._replace(fault=Fault.CONDITION, text=problem, may_retry=self.may_retry)
        return answer

    def problem(self, text: str) -> str:
        """Why the text of an answer does not meet it, as a sentence; empty where it does."""
        found: Any = text
        if self.path:
            try:
                found = jmespath.search(self.path, json.loads(text))
            except (ValueError, RecursionError, JMESPathError):
                return _("the answer is not JSON that can be looked into")
        return "" if self._is_met(found) else self._complaint(found)

    def _is_met(self, found: Any) -> bool:
        match self.test:
            case Success.EXISTS:
                return found is not None
            case Success.ABSENT:
                return found is None
            case Success.EQUALS:
                return _as_text(found) == self.value
            case Success.CONTAINS:
                return self._is_in(found)
            case _:
                return not self._is_in(found)

    def _is_in(self, found: Any) -> bool:
        if isinstance(found, list):
            return self.value in map(_as_text, found)
        if isinstance(found, dict):
            return self.value in found
        return found is not None and self.value in _as_text(found)

    def _complaint(self, found: Any) -> str:
        what = self.path or _("the answer")
        match self.test:
            case Success.EXISTS:
                return _("%(what)s is not there") % {"what": what}
            case Success.ABSENT | Success.LACKS:
                return _("%(what)s is %(found)s") % {"what": what, "found": _as_text(found)[:200]}
            case _:
                shown = {"what": what, "found": _as_text(found)[:200], "wanted": self.value}
                return _("%(what)s is %(found)s, not %(wanted)s") % shown


def _as_text(found: Any) -> str:
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def condition_of(content: Content) -> Condition | None:
    """A webhook's condition; None where any 2xx will do."""
    if not content.success_test:
        return None
    return Condition(
        content.success_test, content.success_path.strip(), content.success_value.strip(), content.success_retries
    )


def path_problem(path: str) -> str:
    """What is wrong with a path, as a sentence; empty if nothing is."""
    try:
        jmespath.compile(path)
    except JMESPathError as error:
        return _("This path can't be read: %(error)s") % {"error": str(error).splitlines()[0]}
    return ""
