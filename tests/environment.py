"""Sets the environment before Django's settings are read (loaded with `-p`). Each test process has its own folder."""

import os
import shutil
from pathlib import Path

folder = Path(__file__).resolve().parent.parent / "build" / f"test-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
shutil.rmtree(folder, ignore_errors=True)
(folder / "staticfiles").mkdir(parents=True)
os.environ |= {
    "ENVIRONMENT": "test",
    "DATA_DIR": str(folder),
    "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.1/32",
    "LOG_LEVEL": "WARNING",
    "DJANGO_ALLOW_ASYNC_UNSAFE": "1",  # Playwright's own loop runs in the test's thread
}
os.environ.pop("REDIS_URL", None)
