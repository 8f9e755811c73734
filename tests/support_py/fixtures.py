"""Fixtures of the suites that drive the binary; a suite's conftest.py imports them."""

import pytest

from harness import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One server for all tests of a module: they must not depend on what else is in it."""
    server = Server(tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    server.close()


@pytest.fixture
def api(server):
    return server.api


@pytest.fixture
def servers(tmp_path):
    """Makes servers for one test alone; they are not started. What is left of them is ended after it."""
    made = []

    def make(*options, **named):
        folder = tmp_path / f"server{len(made)}"
        folder.mkdir()
        made.append(Server(folder, *options, **named))
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture
def own(servers):
    """A started server for this test alone."""
    return servers().start()
