"""`python -m bench.clicks`: from the click in a dialog to the sentence that says what happened, in Chromium.

Adds notes to a demo order, in turn with a plain Streamlit dialog that does nothing; medians in milliseconds. Needs what
`make test` installs.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from db import embedded
from tests.ports import free_port

PROJECT = Path(__file__).resolve().parent.parent
_TOAST = "[data-testid=stToast]"
_SENTENCE = f"{_TOAST}, .es-done"
# Both times are taken inside the page: Playwright's own waiting would blur them.
_WATCH = f"""() => {{
    window.seen = 0;
    document.addEventListener('click', () => {{ window.pressed = performance.now(); }}, {{once: true, capture: true}});
    new MutationObserver((_, observer) => {{
        if (document.querySelector('{_SENTENCE}')) {{ window.seen = performance.now(); observer.disconnect(); }}
    }}).observe(document.body, {{childList: true, subtree: true}});
}}"""


@contextmanager
def streamlit(script: str, environment: dict[str, str]) -> Iterator[str]:
    port = free_port()
    url = f"http://localhost:{port}"
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port)]
    process = subprocess.Popen(command, cwd=PROJECT, env=environment | {"PORT": str(port)})
    try:
        while True:
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=5).close()
                break
            except (urllib.error.URLError, TimeoutError):
                time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait()


def timed_send(page: Page, opener: str, send: str, text: str) -> float:
    """Opens the dialog, types, presses `send`; milliseconds from that click until the new toast is on the screen."""
    page.get_by_role("button", name=opener, exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.locator("textarea").fill(text)
    button = dialog.get_by_role("button", name=send, exact=True)
    button.wait_for()
    page.wait_for_timeout(300)
    page.evaluate(_WATCH)
    button.click()
    until(page, "window.seen")
    taken = float(page.evaluate("window.seen - window.pressed"))
    until(page, f"document.querySelectorAll('{_TOAST}').length === 0")
    return taken


def until(page: Page, condition: str) -> None:
    """Asks again and again: the portal's content security policy lets the page wait for none."""
    while not page.evaluate(condition):
        page.wait_for_timeout(50)


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench.clicks")
    options.add_argument("--rounds", type=int, default=11)
    rounds = options.parse_args().rounds
    folder = Path(tempfile.mkdtemp(prefix="esupport-clicks-"))
    try:
        environment = os.environ | {"DATABASE_URL": embedded.start(folder).url("esupport")}
        subprocess.run([sys.executable, "-m", "db", "demo"], cwd=PROJECT, env=environment, check=True)
        with (
            streamlit("pages/server.py", environment) as portal,
            streamlit("bench/plain_dialog.py", environment) as plain,
            sync_playwright() as playwright,
        ):
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--headless", "--no-sandbox", "--disable-gpu"]
            )
            ours, theirs = browser.new_page(), browser.new_page()
            ours.goto(portal)
            ours.get_by_label("Email").fill("anna@demo.example")
            ours.get_by_label("Password", exact=True).fill("demo-Portal-1")
            ours.get_by_role("button", name="Sign in").click()
            ours.locator(".es-count").wait_for()
            ours.get_by_label("Order IDs").fill("A0012345678")
            ours.get_by_role("button", name="Find").first.click()
            ours.get_by_role("button", name="Add note").wait_for()
            theirs.goto(plain)
            pairs = [
                (
                    timed_send(ours, "Add note", "Save note", f"note {number}"),
                    timed_send(theirs, "Open", "Send", f"note {number}"),
                )
                for number in range(rounds)
            ]
    finally:
        embedded.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)
    mine, plain_ones = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"portal {mine:.0f} ms, plain dialog {plain_ones:.0f} ms, ratio {mine / plain_ones:.2f}")


if __name__ == "__main__":
    main()
