"""The live page in a real browser: readings that move, alerts, a ticket and challengers, from one host only."""

import re
import shutil

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright comes with the group 'test'")
expect = sync_api.expect
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser():
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip(f"no browser is installed; apt-get install chromium (80 MB), or another of {', '.join(names)}")
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def test_the_page_watches_acknowledges_trades_and_compares(serve, browser, tmp_path):
    path = tmp_path / "tighter.toml"
    path.write_text('[[rules]]\nid = "size"\ntype = "max_order_qty"\nparams = { limit = 3 }\n')
    served = serve(snapshot_seconds=0.2, challengers={"tighter": str(path)})
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(30_000)
    expect.set_options(timeout=30_000)
    problems, asked = [], []
    page.on("pageerror", lambda problem: problems.append(str(problem)))
    page.on("console", lambda told: problems.append(told.text) if told.type == "error" else None)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{served.url}/live")
    page.fill("#account", "desk-1")
    page.fill("#key", served.keys["trade"])
    page.click("#open button")
    expect(page.locator("#state")).to_have_text("watching desk-1")
    for qty, says in (("4", "approved"), ("9", "refused: the order is refused by size")):
        for name, value in {"instrument": "ES", "qty": qty, "price": "100.25"}.items():
            page.fill(f"#{name}", value)
        page.click("#ticket button[name=probe]")
        expect(page.locator("#answer")).to_contain_text(f"would be {says}")
        page.click("#ticket button:not([name])")
        expect(page.locator("#answer")).to_have_text(re.compile(f"^{says}"))
    expect(page.locator("#unseen")).to_have_text("1 not acknowledged")
    page.click("#alert-rows button")
    expect(page.locator("#alert-rows tr.done")).to_contain_text("seen by trade")
    expect(page.locator("#unseen")).to_have_text("")
    before = page.locator("#line").get_attribute("points")
    served.ask("POST", "/fills", {"account": "desk-1", "instrument": "ES", "side": "buy", "qty": 2, "price": "100.25"})
    expect(page.locator("#positions")).to_contain_text("200.5")
    expect(page.locator("#line")).not_to_have_attribute("points", before)
    expect(page.locator("#challengers")).to_have_text("tighter101")  # 4 is one too many for it
    page.screenshot(path=str(tmp_path / "live.png"))
    served.app.hub.close()  # as at a restart: the page comes back by itself, with no alert twice
    expect(page.locator("#state")).to_contain_text("trying again")
    expect(page.locator("#state")).to_have_text("watching desk-1")
    expect(page.locator("#alert-rows tr")).to_have_count(1)
    assert problems == []
    assert {url.split("/")[2] for url in asked} == {f"127.0.0.1:{served.port}"}
    assert served.keys["trade"] not in " ".join(asked)
    page.close()
