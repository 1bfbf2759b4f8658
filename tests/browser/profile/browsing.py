"""What tests do with a real browser on a user-data folder."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, Playwright

from poolwright.profile.in_use import read_owner
from tests.browser.profile.site import Site

#: As workers start it: the first keeps session cookies, the second is what root needs.
ARGUMENTS = ["--restore-last-session", *(["--no-sandbox"] if os.geteuid() == 0 else [])]

_REMEMBER = """async () => {
  localStorage.setItem('token', 'kept');
  await new Promise((done, failed) => {
    const opening = indexedDB.open('orders', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('tokens').put('kept', 'token');
    opening.onsuccess = () => { opening.result.close(); done(); };
    opening.onerror = failed;
  });
  await (await caches.open('orders')).put('/cached', new Response('kept'));
}"""
_FILL = """async (count) => {
  for (let number = 0; number < count; number++) {
    localStorage.setItem(`key-${number}`, `${count}-${number}`.padEnd(2000, 'x'));
  }
  await new Promise((done, failed) => {
    const opening = indexedDB.open('archive', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('pages');
    opening.onerror = failed;
    opening.onsuccess = () => {
      const writing = opening.result.transaction('pages', 'readwrite');
      for (let number = 0; number < count; number++) {
        writing.objectStore('pages').put(crypto.getRandomValues(new Uint8Array(2000)), number);
      }
      writing.oncomplete = () => { opening.result.close(); done(); };
    };
  });
}"""
_WRITE_ON = """() => {
  window.writes = 0;
  const write = (database) => {
    const number = window.writes++;
    localStorage.setItem(`spin-${number % 50}`, `${number}`.padEnd(9000, 'y'));
    document.cookie = `spin${number % 40}=${number}; Max-Age=86400; path=/`;
    const writing = database.transaction('spin', 'readwrite');
    writing.objectStore('spin').put(crypto.getRandomValues(new Uint8Array(30000)), number % 50);
    writing.oncomplete = () => write(database);
  };
  const opening = indexedDB.open('spin', 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore('spin');
  opening.onsuccess = () => write(opening.result);
}"""
#: Something newer beside what a login stores.
STORE = """async () => {
  localStorage.setItem('newer', 'kept');
  await new Promise((done, failed) => {
    const opening = indexedDB.open('newer', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('tokens').put('kept', 'token');
    opening.onsuccess = () => { opening.result.close(); done(); };
    opening.onerror = failed;
  });
}"""
#: What localStorage, IndexedDB and the Cache API still know.
RECALL = """async () => {
  const stored = await new Promise((done, failed) => {
    const opening = indexedDB.open('orders', 1);
    opening.onupgradeneeded = () => opening.transaction.abort();
    opening.onerror = () => done(null);
    opening.onsuccess = () => {
      const reading = opening.result.transaction('tokens').objectStore('tokens').get('token');
      reading.onsuccess = () => { opening.result.close(); done(reading.result); };
    };
  });
  const cached = await caches.match('/cached');
  return [localStorage.getItem('token'), stored, cached ? await cached.text() : null];
}"""


def _launch(playwright: Playwright, folder: Path, executable: str) -> BrowserContext:
    return playwright.chromium.launch_persistent_context(
        folder, executable_path=executable, args=ARGUMENTS, headless=True
    )


@contextmanager
def opened(playwright: Playwright, folder: Path, executable: str) -> Generator[BrowserContext]:
    """A browser on a user-data folder, closed as workers close it: only that writes all cookies."""
    context = _launch(playwright, folder, executable)
    try:
        yield context
    finally:
        context.close()


def kill_in_use(playwright: Playwright, folder: Path, executable: str, site: Site) -> None:
    """Start a browser on a user-data folder, let it show a page, and kill it."""
    context = _launch(playwright, folder, executable)
    context.pages[0].goto(site.url)
    owner = read_owner(folder)
    assert owner is not None
    with context.expect_event("close"):
        os.kill(owner.pid, signal.SIGKILL)


def kill_while_writing(playwright: Playwright, folder: Path, executable: str, site: Site, *, writes: int) -> None:
    """Start a browser on a user-data folder, have a page write everywhere without end, and kill it amid that."""
    context = _launch(playwright, folder, executable)
    page = context.pages[0]
    page.goto(site.url)
    page.evaluate(_WRITE_ON)
    page.wait_for_function(f"window.writes >= {writes}")
    owner = read_owner(folder)
    assert owner is not None
    with context.expect_event("close"):
        os.kill(owner.pid, signal.SIGKILL)


def log_in(page: Page, site: Site) -> None:
    """Fill in the form, and store what web applications store."""
    page.goto(f"{site.url}/login")
    page.fill("input", "anna")
    page.click("button")
    page.wait_for_url(f"{site.url}/")
    page.evaluate(_REMEMBER)


def fill(page: Page, *, count: int) -> None:
    """Store 2 KB in localStorage and in IndexedDB `count` times. 2,200 and more give tables at the next start."""
    page.evaluate(_FILL, count)


def stored(page: Page, site: Site) -> list[str | None]:
    """What localStorage, IndexedDB and the Cache API still know."""
    page.goto(site.url)
    return page.evaluate(RECALL)


def cookie_names(context: BrowserContext, site: Site) -> set[str]:
    """The cookies that the portal would get."""
    return {cookie.get("name", "") for cookie in context.cookies(site.url)}
