"""Approvals before a launch (campaigns specification, section 12). Any saved change sets every section back."""

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from outreach.errors import OutreachError
from outreach.models import Approval, Outreach
from workspace.models import Workspace

Section, State = Approval.Section, Approval.State
needs: list[Callable[[Outreach, Workspace], bool | None]] = []
"""Higher apps that say whether the workspace asks for approval of an outreach; None if it is not theirs."""


class NotApprovable(OutreachError):
    """This person may not decide, or a denial has no comment."""


def are_needed(outreach: Outreach) -> bool:
    workspace = Workspace.current()
    return any(ask(outreach, workspace) for ask in needs)


def states(outreach: Outreach) -> dict[str, Approval | None]:
    """Every section with its latest decision, if there is one."""
    rows = {row.section: row for row in outreach.approvals.select_related("by")}
    return {section: rows.get(section) for section in Section.values}


def missing(outreach: Outreach) -> list[str]:
    """The sections that are not approved, in words; none where no approval is asked for."""
    if not are_needed(outreach):
        return []
    found = states(outreach)
    return [
        str(label)
        for section, label in Section.choices
        if (row := found[section]) is None or row.state != State.APPROVED
    ]


def reset(outreach: Outreach) -> None:
    """Something was changed: what was decided holds no longer."""
    outreach.approvals.exclude(state=State.PENDING).update(state=State.PENDING, by=None, comment="")


def decide(outreach: Outreach, section: str, state: str, user: Any, comment: str, last_editor: Any = None) -> Approval:
    """Approve or deny a section. Raises NotApprovable."""
    if state == State.DENIED and not comment.strip():
        raise NotApprovable(_("Say why it is denied."))
    if Workspace.current().has_four_eyes and last_editor is not None and last_editor == user:
        raise NotApprovable(_("The last change is yours; somebody else has to approve it."))
    row, _made = Approval.objects.update_or_create(
        outreach=outreach,
        section=Section(section),
        defaults={"state": State(state), "by": user, "comment": comment.strip()},
    )
    return row
