"""How a browser test visits a page: servers, screenshots, what every page must keep.

Leaves screenshots in runs/screenshots.
"""

import contextlib
import re
import subprocess
import sys
from pathlib import Path

import httpx

from app.server import free_port

ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "runs" / "screenshots"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP = {"viewport": {"width": 1280, "height": 900}, "locale": "zh-CN"}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "locale": "zh-CN",
    "has_touch": True,
}
DARK = {**DESKTOP, "color_scheme": "dark"}
ENGLISH = {**DESKTOP, "locale": "en-GB"}
PATIENCE_MS = 60_000


@contextlib.contextmanager
def running(*command):
    """Run a server on a free port until the end; yield its address."""
    port = free_port("127.0.0.1", 0)
    line = [sys.executable, *(part.format(port=port) for part in command)]
    with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        address = server.stdout.readline().split()[-1]
        try:
            yield address
        finally:
            server.terminate()


def check_quiet(address, asked, complaints):
    own = (address, "data:", "blob:")
    assert [url for url in asked if not url.startswith(own)] == []
    errors = [said for kind, said in complaints if kind == "error"]
    assert [said for said in errors if "status of 429" not in said] == []


def shoot(page, name):
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


def running_now(address):
    text = httpx.get(f"{address}metrics").text
    return float(re.search(r"^maskplay_running (.*)$", text, re.MULTILINE)[1])


def open_tab(page, name):
    page.get_by_role("tab", name=name).first.click()


def width_of(page):
    return page.evaluate("document.documentElement.scrollWidth")
