import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support_py"))

from fixtures import api, own, server, servers  # noqa: E402, F401
from ui_browser import HERE, Browser, Page  # noqa: E402


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    program = shutil.which("chromium")
    if not program or not shutil.which("node"):
        pytest.skip("the page is not tested: chromium or node is missing; scripts/setup test installs them")
    if not (HERE / "node_modules/playwright-core").is_dir():
        pytest.skip("the page is not tested: tests/ui/node_modules is missing; scripts/setup test installs it")
    browser = Browser(program, tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.fixture
def page_on(browser, tmp_path):
    """Opens a page on a server, signed in; whatever the test does, the page must have kept the house rules."""
    opened = []

    def make(server, **options):
        opened.append(Page(browser, server, tmp_path, **options))
        return opened[-1].sign_in()

    yield make
    for page in opened[-1:]:
        assert page.faults() == []


@pytest.fixture
def page(page_on, own):
    return page_on(own)
