"""CSV files on their way into the database, and whom they brought."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .profile import Profile


class Import(models.Model):
    """A CSV file of profiles or of events. It is read in chunks; `position` is the byte where the next one begins.

    A chunk's rows, its counts and the new position are one transaction, so an import that died goes on where it
    stopped and no row is taken twice.
    """

    class Content(models.TextChoices):
        PROFILES = "profiles", _("profiles")
        EVENTS = "events", _("events")

    class Status(models.TextChoices):
        UPLOADED = "uploaded", _("uploaded")
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        COMPLETE = "complete", _("complete")
        PARTIAL = "partial", _("complete, with rows left out")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    name = models.CharField(_("name"), max_length=255)
    file = models.FileField(_("file"), upload_to="imports/")
    digest = models.CharField(max_length=64, editable=False, db_index=True)  # SHA-256: the same file again is asked
    content = models.CharField(_("content"), max_length=8, choices=Content, default=Content.PROFILES)
    is_dry_run = models.BooleanField(
        _("only check"), default=False, help_text=_("Reads every row and reports on it; changes nothing.")
    )
    may_trigger = models.BooleanField(
        _("may trigger campaigns"), default=False, help_text=_("Imported events then start what waits for them.")
    )
    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.UPLOADED, editable=False)
    encoding = models.CharField(_("encoding"), max_length=32, blank=True, editable=False)
    column_types = models.JSONField(default=dict, editable=False)  # {column: type}, where somebody chose one
    makes_segment = models.BooleanField(
        _("make a segment of these profiles"), default=False, help_text=_("Named like the import, when it is complete.")
    )
    position = models.BigIntegerField(default=0, editable=False)
    line = models.BigIntegerField(default=0, editable=False)
    size = models.BigIntegerField(default=0, editable=False)  # bytes
    row_count = models.BigIntegerField(_("rows read"), default=0, editable=False)
    created_count = models.BigIntegerField(_("profiles created"), default=0, editable=False)
    updated_count = models.BigIntegerField(_("rows that changed profiles there were"), default=0, editable=False)
    skipped_count = models.BigIntegerField(_("rows left out"), default=0, editable=False)
    warning_count = models.BigIntegerField(_("values left out"), default=0, editable=False)
    report = models.FileField(_("report"), upload_to="imports/", blank=True, editable=False)
    report_size = models.BigIntegerField(default=0, editable=False)  # bytes of it that belong to finished chunks
    error = models.TextField(_("error"), blank=True, editable=False)
    leased_until = models.DateTimeField(null=True, editable=False)  # some worker is at it
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(_("uploaded"), default=timezone.now, editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, editable=False)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        """Whether it waits or runs."""
        return self.status in (self.Status.WAITING, self.Status.RUNNING)

    @property
    def percent(self) -> int:
        """How much of the file is read."""
        if self.status in (self.Status.COMPLETE, self.Status.PARTIAL):
            return 100
        return min(99, 100 * self.position // self.size) if self.size else 0


class ImportedProfile(models.Model):
    """That an import created or updated a profile: the filter "imported from CSV" reads it."""

    source = models.ForeignKey(Import, models.CASCADE, related_name="profiles", db_index=False)
    profile = models.ForeignKey(Profile, models.CASCADE, related_name="imports")

    class Meta:
        verbose_name = _("imported profile")
        verbose_name_plural = _("imported profiles")
        constraints = [models.UniqueConstraint(fields=["source", "profile"], name="imported_profile_once")]

    def __str__(self) -> str:
        return f"{self.profile_id} by {self.source_id}"
