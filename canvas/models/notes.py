"""What people write about a Canvas, and what they keep of it: comments and templates."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .canvas import Canvas
from .graph import Step


class Comment(models.Model):
    """A remark on a Canvas or one of its steps, open until somebody resolves it."""

    canvas = models.ForeignKey(Canvas, models.CASCADE, related_name="comments")
    step = models.ForeignKey(Step, models.CASCADE, null=True, related_name="comments")
    text = models.TextField(_("comment"), max_length=2_000)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = _("comment")
        verbose_name_plural = _("comments")
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.text[:50]


class CanvasTemplate(models.Model):
    """A Canvas to start others from, as a document (`canvas.portable`)."""

    name = models.CharField(_("name"), max_length=255, unique=True)
    description = models.CharField(_("description"), max_length=255, blank=True)
    document = models.JSONField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("made by")
    )
    made_at = models.DateTimeField(_("made"), default=timezone.now)

    class Meta:
        verbose_name = _("Canvas template")
        verbose_name_plural = _("Canvas templates")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
