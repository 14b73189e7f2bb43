"""Shared fixtures. Nothing of ours is mocked: real databases, a real Valkey, a real endpoint (`sink`)."""

import os

os.environ.setdefault("ENVIRONMENT", "test")
