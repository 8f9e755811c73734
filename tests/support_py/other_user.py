"""A server as root whose tasks are another user's (exec.user), and what such a task finds open that it should not.

    server = as_nobody(Server(folder))   # not started; nobody reaches its folders, and reads its workspace
    server.script("look.py", LOOK)       # prints its user, then what it could read of the server's, or list
"""

import os
import pwd

import pytest

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give tasks another user")
NOBODY = pwd.getpwnam("nobody")

LOOK = """\
import os, pathlib
data = pathlib.Path(os.environ["REPRISE_OUTPUT"]).parents[2]
print(os.getuid(), os.getgid(), os.getgroups())
for place in ("reprise.db", "reprise.db-wal", "secret.key", "admin.token", "server.lock"):
    try: print("open:", place, (data / place).read_bytes()[:1])
    except PermissionError: pass
    except FileNotFoundError: print("gone:", place)
run = pathlib.Path(os.environ["REPRISE_OUTPUT"]).parent
for place in (data, data / "runs", run, data / "trash", data / "git", data / "workspaces"):
    try: print("listed:", place, os.listdir(place))
    except (PermissionError, FileNotFoundError): pass
    try: (place / "mine").write_text("x"); print("written:", place)
    except (PermissionError, FileNotFoundError): pass
pathlib.Path("made").write_text("in the folder of the run")
"""
SEEN = f"{NOBODY.pw_uid} {NOBODY.pw_gid} [{NOBODY.pw_gid}]\n"  # what LOOK prints when nothing is open


def let_through(folder):
    """What pytest makes is its owner's alone."""
    for place in (folder, *folder.parents):
        if not place.stat().st_mode & 0o001:
            place.chmod(place.stat().st_mode | 0o011)


def as_nobody(server, *options, mask="077"):
    """`mask`: the server's; this one leaves others nothing."""
    let_through(server.folder)
    server.options = (*server.options, "--exec.user=nobody", *options)
    plain = server.command
    server.command = lambda *more: ["/bin/sh", "-c", f'umask {mask}; exec "$@"', "sh", *plain(*more)]
    server.script("look.py", LOOK)
    return server


def log(api, run, key, stream="stdout"):
    answer = api.get(f"/taskRuns/{api.get_run(run)['taskToTaskRunMap'][key]}/logs", stream=stream)
    assert answer.status_code == 200, answer.text
    return answer.text
