"""An app that reacts to events, for tests that start real processes (settings: tests.audience.reacting.settings)."""
