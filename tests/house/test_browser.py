"""In a real browser: Voilà serves the dashboard as a page of its own, JupyterLab runs a notebook by its menu and completes names.

Skipped where no Chromium or no Playwright, Voilà or JupyterLab is installed. The servers listen on this machine only,
without a token, and are ended with their kernels.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from riskkit.desk.dashboard import panels

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
MISSING = [name for name in ("playwright", "voila", "jupyterlab") if importlib.util.find_spec(name) is None]
STARTS = 120  # seconds until a server or a page has to be there
ANSWERS = 60  # seconds until a page has to show what was done

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(CHROMIUM is None, reason=f"no browser is installed; looked for {', '.join(BROWSERS)}"),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (group 'test', extra 'notebooks')"),
]

PANEL = """\
import pandas as pd
import riskkit as rk

sizes = [5, 12, 18, 25, 31, 38] * 10
orders = pd.DataFrame(
    {"ts": range(60), "kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": sizes, "price": 10}
)
rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=20))])
rk.sweeps.threshold_panel(rk.EventLog.from_frame(orders), rules, "size", values=[10, 20, 30, 40], compiled=False)
"""


@contextmanager
def serving(home: Path, *command: str) -> Iterator[str]:
    """The address of a server of a Jupyter kind, which is ended afterwards with all that it started."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    folders = {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("RUNTIME", "CONFIG", "DATA")}
    folders |= {f"JUPYTERLAB_{name}_DIR": str(home / name.lower()) for name in ("SETTINGS", "WORKSPACES")}
    log = (home / "server.log").open("w+")
    server = subprocess.Popen(
        [sys.executable, "-m", *command, "--no-browser", f"--port={port}"],
        cwd=home,
        env={**os.environ, **folders},
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        wait_for(port, server, home / "server.log")
        yield f"http://127.0.0.1:{port}/"
    finally:
        end(server)
        log.close()


def wait_for(port: int, server: subprocess.Popen, log: Path) -> None:
    """Wait until a server takes connections; to ask it for a page would already run the notebook."""
    until = time.monotonic() + STARTS
    while time.monotonic() < until:
        if server.poll() is not None:
            pytest.fail(f"the server ended: {log.read_text()[-2000:]}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the server does not answer: {log.read_text()[-2000:]}")


def end(server: subprocess.Popen) -> None:
    """End a server and what it started: its process group is its own."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, sign)
            server.wait(15)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


@pytest.fixture(scope="module")
def browser() -> Iterator:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def opened(browser, address: str):
    """A page at an address; it collects the errors of its scripts in `problems`."""
    page = browser.new_page(viewport={"width": 1280, "height": 1400})
    page.set_default_timeout(1000 * ANSWERS)
    page.problems = []
    page.on("pageerror", lambda problem: page.problems.append(str(problem)))
    page.goto(address, timeout=1000 * STARTS, wait_until="domcontentloaded")
    return page


# ---------------------------------------------------------------------- the dashboard, served by Voilà


@pytest.fixture(scope="module")
def desk(browser, tmp_path_factory) -> Iterator:
    home, notebook = tmp_path_factory.mktemp("voila"), ROOT / "notebooks" / "dashboard.ipynb"
    with serving(home, "voila", "--Voila.ip=127.0.0.1", str(notebook)) as address:
        page = opened(browser, address)
        page.wait_for_selector(".riskkit-figures", timeout=1000 * STARTS)
        yield page


def ticket(page, quantity: str, answer: str):
    """Write a quantity into the ticket as a person does, and wait for what it says."""
    page.locator(".widget-text:has-text('quantity') input").fill(quantity)
    page.wait_for_selector(f".riskkit-ticket:has-text('{answer}')")
    return page.locator(".riskkit-ticket")


def colour(badge) -> str:
    shades = re.findall(r"\d+", badge.evaluate("one => getComputedStyle(one).backgroundColor"))[:3]
    return "#" + "".join(f"{int(shade):02x}" for shade in shades)


def test_a_trade_from_the_question_to_the_holding(desk):
    assert "Prices are simulated" in desk.inner_text("body")
    figures = desk.inner_text(".riskkit-figures")
    assert "100,000.00" in figures and "2024-03-05 15:00 UTC" in figures and "VaR 95 %" in figures
    drawn = desk.locator(".riskkit-board img")
    assert [drawn.nth(one).evaluate("picture => picture.naturalWidth > 300") for one in range(2)] == [True, True]
    assert "ACTIVE" in desk.inner_text(".riskkit-breaker")

    desk.locator(".widget-dropdown:has-text('ticker') select").select_option("TECH")
    red = ticket(desk, "5000", "REJECTED: buy 5000 TECH")
    assert "is in cash" in red.inner_text() and colour(red) == panels.RED
    execute = desk.get_by_role("button", name="Execute")
    assert execute.is_disabled()

    green = ticket(desk, "100", "APPROVED: buy 100 TECH")
    assert colour(green) == panels.GREEN
    execute.click()
    desk.wait_for_selector(".riskkit-ticket:has-text('EXECUTED: buy 100 TECH')")
    desk.wait_for_selector("tr:has(td:text-is('TECH')):has(td:text-is('100'))")
    assert "100,000.00" in desk.inner_text(".riskkit-figures")  # at the price that was paid, the value is as before


def test_the_stream_moves_the_page(desk):
    desk.get_by_role("button", name="One bar").click()
    desk.wait_for_selector(".riskkit-figures:has-text('2024-03-05 15:01 UTC')")
    play = desk.locator(".widget-play button").first
    play.click()  # a bar a second from now on; a slow machine is shown several at once
    desk.wait_for_selector(r".riskkit-figures >> text=/15:(0[3-9]|[1-5]\d) UTC/")
    play.click()
    assert desk.problems == []


# ---------------------------------------------------------------------- a notebook in JupyterLab


@contextmanager
def notebook(browser, home: Path, *cells: str) -> Iterator:
    """JupyterLab with a notebook of these cells, all of which were run by its menu."""
    import nbformat

    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    book.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nbformat.write(book, home / "panel.ipynb")
    patience = home / "settings" / "@jupyterlab" / "completer-extension" / "manager.jupyterlab-settings"
    patience.parent.mkdir(parents=True)
    patience.write_text('{"providerTimeout": 30000}')  # of a second, after which JupyterLab shows no names
    options = ("--ip=127.0.0.1", "--allow-root", "--IdentityProvider.token=", f"--ServerApp.root_dir={home}")
    with serving(home, "jupyterlab", *options) as address:
        lab = opened(browser, f"{address}lab/tree/panel.ipynb")
        lab.wait_for_selector("text=/ipykernel.* Idle/", timeout=1000 * STARTS)
        for _ in range(ANSWERS):
            if lab.locator(".jp-InputPrompt:has-text('[*]'), .jp-InputPrompt:has-text('[1]')").count():
                break
            lab.locator(".lm-MenuBar-itemLabel", has_text="Run").first.click()
            lab.locator(".lm-Menu-itemLabel", has_text="Run All Cells").first.click()
            time.sleep(1.0)  # while the kernel is being connected, what is run is lost
        yield lab


def test_a_notebook_runs_by_menu_and_the_threshold_moves(browser, tmp_path):
    with notebook(browser, tmp_path, PANEL) as lab:
        lab.wait_for_selector(".riskkit-board caption:has-text('size.limit = 20: 30 of 60 orders rejected')")
        lab.locator(".noUi-handle").focus()
        lab.keyboard.press("ArrowRight")
        lab.wait_for_selector(".riskkit-board caption:has-text('size.limit = 30: 20 of 60 orders rejected')")
        assert lab.locator(".riskkit-board img").count() == 2


def typed(lab, text: str, keys: str, shown: str):
    """What JupyterLab shows when a person writes a text into the last cell and presses keys."""
    editor = lab.locator(".jp-Notebook .jp-CodeCell .cm-content").last
    editor.click()
    lab.keyboard.press("Escape")  # closes what an earlier key has opened
    editor.click()
    lab.keyboard.press("Control+A")
    lab.keyboard.type(text, delay=50)
    time.sleep(1.0)  # while JupyterLab asks what the cell is about, a key is lost
    lab.keyboard.press(keys)
    lab.wait_for_selector(shown)
    return lab.locator(shown)


def test_tab_shows_names_by_area_and_shift_tab_a_signature_that_reads(browser, tmp_path):
    with notebook(browser, tmp_path, "import riskkit as rk\nrk.__version__", "1") as lab:
        lab.wait_for_selector(".jp-InputPrompt:has-text('[2]')")
        names = ".jp-Completer .jp-Completer-match"
        areas = typed(lab, "rk.", "Tab", f"{names}:text-is('var_backtest')")
        every = set(lab.locator(names).all_inner_texts())
        assert {"var", "rules", "read", "replay_log", "value_at_risk"} <= every and areas.count() == 1
        assert len(every) < 80 and not any(name.startswith("_") for name in every)
        typed(lab, "rk.var.", "Tab", f"{names}:text-is('filtered_historical')")
        assert {"historical", "student_t", "evt", "rolling"} <= set(lab.locator(names).all_inner_texts())
        help_text = typed(lab, "rk.replay_log(", "Shift+Tab", ".jp-Tooltip:has-text('Signature')").first.inner_text()
        assert "mode" in help_text and not any(word in help_text for word in ("ForwardRef", "Annotated", "<unknown>"))
