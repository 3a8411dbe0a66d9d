"""A headless Chromium that opens a page, for tests that look as a reader would."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

import pytest

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")


class Browser:
    """One window. What goes wrong in it, and what it asks the network for, can be read."""

    def __init__(self, driver, folder: Path) -> None:
        self.driver, self.folder = driver, folder

    def open(self, page: Path | str) -> None:
        """A file, or an address."""
        self.driver.get_log("performance")  # what the page before asked for
        self.driver.get_log("browser")
        self.driver.get(page if isinstance(page, str) else page.resolve().as_uri())

    def run(self, script: str, *arguments):
        """The result of a JavaScript function body in the page."""
        return self.driver.execute_script(script, *arguments)

    def text(self, selector: str) -> str:
        return self.run("return document.querySelector(arguments[0]).textContent", selector)

    def texts(self, selector: str) -> list[str]:
        every = "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)"
        return self.run(every, selector)

    def find(self, selector: str):
        return self.driver.find_element("css selector", selector)

    def press(self, *names: str) -> None:
        """Keys for whatever has the focus: "arrow_left", "tab", "enter"."""
        from selenium.webdriver import ActionChains, Keys

        keys = [getattr(Keys, name.upper()) for name in names]
        ActionChains(self.driver).send_keys(*keys).perform()

    def focus(self, selector: str) -> None:
        self.run("arguments[0].focus()", self.find(selector))

    def hover(self, selector: str) -> None:
        from selenium.webdriver import ActionChains

        element = self.find(selector)
        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        ActionChains(self.driver).move_to_element(element).perform()

    def slide(self, selector: str, value: float) -> None:
        """Move a slider, as a hand would: it says that it was moved."""
        moved = (
            "arguments[0].value = arguments[1];"
            "arguments[0].dispatchEvent(new Event('input', {bubbles: true}))"
        )
        self.run(moved, self.find(selector), value)

    def look(self, scheme: str = "light", width: int = 1280, height: int = 900) -> None:
        """How the reader's screen is: its colours and its size."""
        self.command("Emulation.setEmulatedMedia", features=[_feature(scheme)])
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def screenshot(self, name: str, whole: bool = True) -> Path:
        """A picture of the page, kept in the folder of the test's output."""
        shot = self.command(
            "Page.captureScreenshot", captureBeyondViewport=whole, **self._clip(whole)
        )
        path = self.folder / f"{name}.png"
        path.write_bytes(base64.b64decode(shot["data"]))
        return path

    def _clip(self, whole: bool) -> dict:
        if not whole:
            return {}
        size = self.command("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        return {"clip": clip}

    def command(self, name: str, **arguments):
        return self.driver.execute_cdp_cmd(name, arguments)

    def complaints(self) -> list[str]:
        """What stands in the console: errors, warnings, refused requests."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """The addresses that the page asked for, itself excepted; data: holds its own answer."""
        messages = [json.loads(e["message"])["message"] for e in self.driver.get_log("performance")]
        addresses = [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]
        itself = self.driver.current_url.split("#")[0]
        return [a for a in addresses if a.split("#")[0] != itself and not a.startswith("data:")]


def _feature(scheme: str) -> dict[str, str]:
    return {"name": "prefers-color-scheme", "value": scheme}


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A Browser for one file of tests. Skips, and says why, where there is none."""
    selenium = pytest.importorskip(
        "selenium", reason="looks with a browser: pip install -r requirements/browser.txt"
    )
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("looks with a browser: install chromium and chromium-driver")
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    assert selenium
    options = ChromeOptions()
    options.binary_location = CHROMIUM
    for switch in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "window-size=1280,900"):
        options.add_argument(f"--{switch}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options, ChromeService(DRIVER))
    try:
        yield Browser(driver, tmp_path_factory.mktemp("screenshots"))
    finally:
        driver.quit()
