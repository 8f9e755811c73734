"""What is installed, by make or as a Debian package, works from where it is put."""

import os
import re
import subprocess

import harness
import pytest


def make(goal, *settings):
    done = subprocess.run(["make", "--no-print-directory", goal, f"BUILD={harness.BINARY.parent}", *settings],
                          cwd=harness.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


def assert_runs_a_job(monkeypatch, tmp_path, prefix):
    """The installed server finds its helper, wherever the tree was moved to."""
    monkeypatch.setattr(harness, "BINARY", prefix / "bin/reprise")
    server = harness.Server(tmp_path).start()
    try:
        run = server.api.go([harness.task("a")])
        assert run["state"]["status"] == "SUCCESS", run["state"]
    finally:
        server.close()


def assert_unit(text, prefix):
    assert "@" not in re.sub(r"^#.*", "", text, flags=re.M)
    assert f"ExecStart={prefix}/bin/reprise serve --data /var/lib/reprise" in text.splitlines()
    assert "User=reprise" in text.splitlines()


def test_make_install(monkeypatch, tmp_path):
    make("install", f"DESTDIR={tmp_path}/root", "PREFIX=/opt/reprise")
    prefix = tmp_path / "root/opt/reprise"
    assert_unit((prefix / "lib/systemd/system/reprise.service").read_text(), "/opt/reprise")
    assert (prefix / "libexec/reprise/reprise-warm").read_text().startswith('"""reprise-warm')
    assert (prefix / "libexec/reprise/reprise-notebook").read_text().startswith('"""reprise-notebook')
    assert (prefix / "lib/sysusers.d/reprise.conf").read_text().splitlines()[-1].startswith("u reprise ")
    assert_runs_a_job(monkeypatch, tmp_path, prefix)


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_debian_package(monkeypatch, tmp_path):
    package = make("deb").split()[-1]
    root = tmp_path / "root"
    subprocess.run(["dpkg-deb", "--raw-extract", harness.ROOT / package, root], check=True)
    assert_unit((root / "lib/systemd/system/reprise.service").read_text(), "/usr")
    made = (root / "DEBIAN/postinst").read_text()
    assert made.index("systemd-sysusers") < made.index("systemctl"), "the user is there before the server starts"
    assert os.access(root / "usr/libexec/reprise/reprise-supervise", os.X_OK)
    assert (root / "usr/share/doc/reprise/examples/tell/tell.py").is_file(), "the guide speaks of them"
    assert_runs_a_job(monkeypatch, tmp_path, root / "usr")
