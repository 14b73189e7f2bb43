"""What every list of the admin can do: its rows as CSV, of those selected or of all that the filters leave."""

from django.contrib import admin

from config.pages import table

admin.site.add_action(table.download, "as_csv")
