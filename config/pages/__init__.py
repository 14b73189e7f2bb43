"""Pages that look at every app: the way around, the home page, the calendar, search over everything."""
