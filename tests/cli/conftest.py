import os

import pytest

import cli_fake


def pytest_collection_modifyitems(items):
    if not os.access(cli_fake.BINARY, os.X_OK):
        for item in items:
            if "tests/cli" in str(item.fspath):
                item.add_marker(pytest.mark.skip(reason=f"{cli_fake.BINARY} is not built"))


@pytest.fixture
def fake(tmp_path):
    server = cli_fake.Fake(tmp_path / "data")
    yield server
    server.close()


@pytest.fixture
def cli(fake):
    """Runs the client against the fake server."""

    def call(*args, **options):
        return cli_fake.run("--data", str(fake.folder), *args, **options)

    return call


@pytest.fixture
def terminal(fake):
    def call(*args, **options):
        return cli_fake.on_terminal("--data", str(fake.folder), *args, **options)

    return call
