"""Live tests: chosen profiles walk a Canvas as it is being edited, with real webhooks, in minutes instead of days.

twin   the Canvas that they walk: a copy with ids, numbers and a sender of its own, hidden from everything else
wipe   takes people out again, or the whole test
"""
