"""The limit of warm Python: an interpreter that is up, and forks once for each byte that it reads.

    python fork_loop.py FILE

The child runs FILE and leaves without any end of an interpreter; when it has ended, a byte is written.
"""

import gc
import os
import sys

path = sys.argv[1]
gc.collect()
gc.freeze()
os.write(1, b"u")
while os.read(0, 1):
    child = os.fork()
    if child == 0:
        with open(path, "rb") as file:
            exec(compile(file.read(), path, "exec"), {"__name__": "__main__", "__file__": path})
        sys.stdout.flush()
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        raise SystemExit("a task ended without success")
    os.write(1, b"e")
