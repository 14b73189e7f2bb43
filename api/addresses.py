"""The API's own addresses, for `include` and for looking up a path that was written a little differently."""

from api.service import patterns

app_name = "rest"
urlpatterns = patterns()
