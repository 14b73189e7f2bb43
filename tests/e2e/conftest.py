"""A real browser. In CI a missing one is a failure, elsewhere a skip. Each test leaves pictures in build/."""

import contextlib
import os
import shutil
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, expect, sync_playwright

from tests.factories import AdminFactory

FLAGS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking".split()
FLAGS += "--disable-component-update --disable-sync".split()
expect.set_options(timeout=20_000)
SCREENSHOTS = settings.BASE_DIR / "build" / "screenshots"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs chromium")
        pytest.skip("no chromium on this machine")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, live_server, transactional_db) -> Iterator[Page]:
    """A page signed in as an administrator; errors in its console fail the test."""
    client = Client()
    client.force_login(AdminFactory(username="mina"), backend="django.contrib.auth.backends.ModelBackend")
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1400, "height": 1000})
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if _matters(message) else None)
    page.set_default_timeout(20_000)  # milliseconds, as for what is expected: a busy machine answers late
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


ABORTED = {"htmx:sendAbort", "htmx:afterRequest"}  # a part was asked for while the page was being left, or asked anew


def _matters(message: ConsoleMessage) -> bool:
    return message.type == "error" and message.text not in ABORTED


def shoot(page: Page, name: str) -> None:
    """Keep a picture for people; of the whole page where that was asked for, as drawing one takes a second."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(Error):  # a browser short of memory draws none, which says nothing of the page
        page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=bool(os.environ.get("SCREENSHOTS")))
