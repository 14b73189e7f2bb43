"""What templates draw from, besides the profile: Content Blocks and catalogs."""

import re
import uuid

from django.core.validators import MaxLengthValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from workspace.models import Tag, Team

PLAIN = re.compile(r"\A[A-Za-z0-9_-]+\Z")
plain_name = RegexValidator(PLAIN.pattern, _("Use letters (A–Z), digits, - and _ only."))


class ContentBlock(models.Model):
    """A piece of text that messages share; `{{content_blocks.${name}}}` prints it. A change shows in all of them.

    Names are for life: never changed, and not free again once archived.
    """

    LARGEST = 50 * 1024

    class State(models.TextChoices):
        ACTIVE = "active", _("active")
        DRAFT = "draft", _("draft")
        ARCHIVED = "archived", _("archived")

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)  # the API identifier
    name = models.CharField(_("name"), max_length=100, unique=True, validators=[plain_name])
    description = models.CharField(_("description"), max_length=250, blank=True)
    content = models.TextField(_("content"), validators=[MaxLengthValidator(LARGEST)])
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.ACTIVE)
    teams = models.ManyToManyField(Team, blank=True, related_name="content_blocks", verbose_name=_("teams"))
    tags = models.ManyToManyField(Tag, blank=True, related_name="content_blocks", verbose_name=_("tags"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("last edited"), auto_now=True)

    class Meta:
        verbose_name = _("Content Block")
        verbose_name_plural = _("Content Blocks")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def liquid_tag(self) -> str:
        return f"{{{{content_blocks.${{{self.name}}}}}}}"


class Catalog(models.Model):
    """A table of things that messages mention. `fields` is a list of {"name", "type"}, the first is the text `id`.

    `version` grows with every change of an item, so that workers know when to look again.
    """

    MOST_FIELDS = 500

    name = models.CharField(_("name"), max_length=250, unique=True, validators=[plain_name])
    description = models.CharField(_("description"), max_length=250, blank=True)
    fields = models.JSONField(_("fields"), default=list, editable=False)
    source = models.CharField(max_length=8, default="Admin", editable=False)
    version = models.PositiveBigIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("last edited"), auto_now=True)

    class Meta:
        verbose_name = _("catalog")
        verbose_name_plural = _("catalogs")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class CatalogItem(models.Model):
    """One row of a catalog. `values` has the fields without the id."""

    catalog = models.ForeignKey(
        Catalog, models.CASCADE, related_name="items", db_index=False, verbose_name=_("catalog")
    )
    item_id = models.CharField(_("id"), max_length=250, validators=[plain_name])
    values = models.JSONField(_("values"), default=dict)
    updated_at = models.DateTimeField(_("last edited"), auto_now=True)

    class Meta:
        verbose_name = _("catalog item")
        verbose_name_plural = _("catalog items")
        ordering = ["item_id"]
        constraints = [models.UniqueConstraint(fields=["catalog", "item_id"], name="catalog_item_once")]

    def __str__(self) -> str:
        return self.item_id


class CatalogSelection(models.Model):
    """Items of a catalog by condition, at most 50, in an order: `{% catalog_selection_items Catalog selection %}`.

    `conditions` is text, one a line: `price < 20`.
    """

    MOST_ITEMS = 50

    catalog = models.ForeignKey(Catalog, models.CASCADE, related_name="selections")
    name = models.CharField(_("name"), max_length=100, validators=[plain_name])
    conditions = models.TextField(
        _("conditions"),
        blank=True,
        help_text=_("One a line, all must hold, for example: price < 20. Operators: = != < <= > >= contains."),
    )
    sort_by = models.CharField(_("sorted by"), max_length=250, blank=True)
    is_descending = models.BooleanField(_("largest first"), default=False)
    limit = models.PositiveSmallIntegerField(_("at most"), default=MOST_ITEMS)

    class Meta:
        verbose_name = _("selection")
        verbose_name_plural = _("selections")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["catalog", "name"], name="catalog_selection_once"),
            models.CheckConstraint(condition=models.Q(limit__range=(1, 50)), name="catalog_selection_limit"),
        ]

    def __str__(self) -> str:
        return self.name
