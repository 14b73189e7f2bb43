"""Addresses: the admin is the product, the REST API stands at the root.

Health checks are answered before these (`config.health.ProbeMiddleware`).
"""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from api.service import catch_all
from config.pages import calendar, home, kept, views
from outreach import gallery_page

admin.autodiscover()

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/account/", include("workspace.access.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/calendar/", admin.site.admin_view(calendar.show), name="calendar"),
    path("admin/sending/", admin.site.admin_view(home.sending_view), name="sending"),
    path("admin/gallery/", admin.site.admin_view(gallery_page.show), name="gallery"),
    path("admin/kept/", admin.site.admin_view(kept.show), name="kept_form"),
    path("admin/views/", admin.site.admin_view(views.save), name="saved_views"),
    path("admin/", admin.site.urls),
    path("", include("api.addresses")),
    catch_all,
]
