"""reprise-warm: the fork server of warm Python (docs/design/warm.md). Started by reprise-supervise (supervise/warm.c).

    python reprise-warm MODULES        socket to the supervisor on descriptor 3

It imports the standard library and MODULES, says so, and forks for the orders to come: an order is a file (the payload of an
ORDER frame, supervise/order.h) with descriptors for the task's input and output and for the answer. The grandchild, which
stands ready for it, is the task. What it does before the program runs is what supervise/task.c does before exec; what it then is differs from
`python FILE ARGUMENTS` in as little as can be. Whatever is not plain it hands to a fresh interpreter, by exec.
"""

import sys

AT_START = frozenset(sys.modules)  # what every interpreter has

import atexit  # noqa: E402
import ctypes
import gc
import importlib.machinery
import io
import os
import resource
import signal
import socket
import struct
import threading
import time
import types
import weakref
import zipimport

SOCKET_FD = 3
LAUNCH_WARM, LAUNCH_NOT_PLAIN = 1, 7  # enum record_launch
STEP_SETUP, STEP_RLIMIT, STEP_CWD, STEP_CGROUP = 4, 5, 6, 8  # enum record_step
ANSWER = struct.Struct("=iIIi")
HEAD = struct.Struct("<HHIIIQQIIII")
RLIMIT = struct.Struct("<IQQ")
LENGTH = struct.Struct("<I")
ORDER_VERSION = 3
NO_LIMIT = (1 << 64) - 1
PR_SET_PDEATHSIG = 1
TOKEN_VARIABLE = b"REPRISE_ATTEMPT_TOKEN="
TOKEN_BYTES = 192
FILE_INPUT = 257  # Py_file_input
OPENSSL_INIT_NO_ATEXIT = 0x00080000
MIDDLE_TOLD, MIDDLE_NOT_FORKED, MIDDLE_NOT_EXECUTED = 3, 126, 127  # enum middle_exit
FORK_PAUSE_S, MOST_FAILURES = 0.05, 20  # between tries, when there is no memory, or one dies before it has an order

# What programs mostly use, and none of what keeps something per process (multiprocessing: its secret).
PRELOADED = """
    argparse array ast base64 binascii bisect bz2 calendar collections configparser contextlib copy csv dataclasses datetime
    decimal difflib email.message email.parser enum fnmatch fractions functools getopt getpass glob gzip hashlib heapq hmac
    html http.client importlib.metadata inspect io ipaddress itertools json logging lzma math mimetypes numbers operator
    pathlib pickle platform pprint queue random re select selectors shlex shutil socket sqlite3 ssl statistics string
    struct subprocess tarfile tempfile textwrap threading traceback typing unicodedata urllib.error urllib.parse
    urllib.request uuid warnings weakref xml.etree.ElementTree zipfile zlib zoneinfo
""".split()


class Refused(Exception):
    """The task cannot be set up: at that step, with that errno."""


class Order:
    """The payload of an ORDER frame. Strings are bytes."""

    def __init__(self, data):
        (version, _, self.umask, _, _, _, _, _, limits, argc, envc) = HEAD.unpack_from(data)
        if version != ORDER_VERSION:
            raise ValueError("an order of another version")
        self.at, self.data = HEAD.size, data
        self.limits = [self.limit() for _ in range(limits)]
        self.token, _, _, _, self.cwd, self.cgroup, _, _ = (self.text() for _ in range(8))
        self.argv = [self.text() for _ in range(argc)]
        self.env = [self.text() for _ in range(envc)]

    def limit(self):
        values = RLIMIT.unpack_from(self.data, self.at)
        self.at += RLIMIT.size
        return values

    def text(self):
        (size,) = LENGTH.unpack_from(self.data, self.at)
        begin = self.at + LENGTH.size
        self.at = begin + size + 1
        return self.data[begin:begin + size]


def token_address(libc):
    """Where the initial environment, which /proc shows of us and of all that we fork, has room for a token."""
    environ = ctypes.POINTER(ctypes.c_void_p).in_dll(libc, "environ")
    place = 0
    while environ[place]:
        if ctypes.string_at(environ[place], len(TOKEN_VARIABLE)) == TOKEN_VARIABLE:
            return environ[place]
        place += 1
    raise SystemExit("reprise-warm: there is no room for a token; it is no program to be run by hand")


def spare_openssl():
    """Its end frees all that it has, in every task, which copies the pages of it; and it has nothing to tell anybody."""
    try:
        library = ctypes.CDLL(importlib.machinery.PathFinder.find_spec("_hashlib").origin)
        library.OPENSSL_init_crypto(ctypes.c_uint64(OPENSSL_INIT_NO_ATEXIT), None)
    except (AttributeError, OSError):
        pass  # this Python has none


def import_all(names):
    for name in names:
        try:
            __import__(name)
        except ImportError as error:
            if name not in PRELOADED:
                raise SystemExit(f"reprise-warm: exec.warm-preload: {name}: {error}") from error
        if threading.active_count() > 1:
            raise SystemExit(f"reprise-warm: exec.warm-preload: {name} starts threads, which no fork has")


# ---- the task ----

def answer(pipe, pid, launch=LAUNCH_WARM, step=0, error=0):
    os.write(pipe, ANSWER.pack(pid, launch, step, error))


def step(number, function, *arguments):
    try:
        return function(*arguments)
    except (OSError, ValueError, OverflowError) as error:
        raise Refused(number, getattr(error, "errno", None) or 22) from error


def join_cgroup(folder):
    with open(os.path.join(folder, b"cgroup.procs"), "wb", buffering=0) as file:
        file.write(b"0")


def set_limit(number, soft, hard):
    resource.setrlimit(number, [resource.RLIM_INFINITY if value == NO_LIMIT else value for value in (soft, hard)])


def die_with(supervisor, middle, libc):
    """Waits until we are the supervisor's own child, and binds our life to its. `middle` is who forked us."""
    while (parent := os.getppid()) != supervisor:
        if parent != middle:
            os._exit(127)
        time.sleep(0.00005)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise Refused(STEP_SETUP, ctypes.get_errno())
    if os.getppid() != supervisor:
        os._exit(127)


def set_up(order, supervisor, middle, libc):
    step(STEP_SETUP, os.setpgid, 0, 0)
    if order.cgroup:
        step(STEP_CGROUP, join_cgroup, order.cgroup)
    for limit in order.limits:
        step(STEP_RLIMIT, set_limit, *limit)
    die_with(supervisor, middle, libc)
    os.umask(order.umask)
    step(STEP_CWD, os.chdir, order.cwd)


def variables(order):
    return (variable.partition(b"=")[::2] for variable in order.env)


def set_environment(order, address, coerced):
    """Ours is the order's, in its order; and in the initial environment the token."""
    os.environ.clear()
    for name, value in variables(order):
        os.environb.setdefault(name, value)
    for name, value in coerced.items():
        os.environ.setdefault(name, value)
    room = TOKEN_VARIABLE + order.token[:TOKEN_BYTES - 1]
    ctypes.memmove(address, room.ljust(len(TOKEN_VARIABLE) + TOKEN_BYTES - 1, b"\0"), len(TOKEN_VARIABLE) + TOKEN_BYTES - 1)
    time.tzset()


def hides(folder, entry, names):
    name, dot, kind = entry.partition(".")
    if name not in names:
        return False
    if not dot:
        return any(os.path.exists(os.path.join(folder, entry, f"__init__.{kind}")) for kind in ("py", "pyc"))
    return kind in ("py", "pyc") or kind.endswith("so")


def is_plain(path, names):
    """A file of source, beside which nothing has the name of a module that we have already?"""
    if path.endswith(".pyc"):
        return False
    try:
        zipimport.zipimporter(path)
        return False
    except ImportError:
        pass
    folder = os.path.dirname(path)
    try:
        return not any(hides(folder, entry, names) for entry in os.listdir(folder))
    except OSError:
        return False


def be_cold(order):
    os.closerange(SOCKET_FD, os.sysconf("SC_OPEN_MAX"))
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    environment = {}
    for name, value in variables(order):
        environment.setdefault(name, value)
    try:
        os.execve(order.argv[0], order.argv, environment)
    finally:
        os._exit(127)


def draw_anew():
    """The library's generator is seeded by its own fork hook; numpy has none."""
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()


def become(argv):
    """What `python FILE ARGUMENTS` finds before it runs the file."""
    main = types.ModuleType("__main__")
    main.__annotations__ = {}
    main.__builtins__ = sys.modules["builtins"]
    main.__file__, main.__cached__ = argv[1], None
    main.__loader__ = importlib.machinery.SourceFileLoader("__main__", argv[1])
    sys.modules["__main__"] = main
    sys.orig_argv[:] = argv
    sys.argv[:] = argv[1:]
    sys.path[0] = os.path.dirname(argv[1])


def prepare_task(fds, supervisor, middle, libc, address, coerced, names):
    """In the task: everything up to the program. Returns the open file."""
    order_fd, null, out, err, pipe = fds
    try:
        with open(order_fd, "rb", buffering=0) as file:
            file.seek(0)
            order = Order(file.read())
        for number, fd in enumerate((null, out, err)):
            os.dup2(fd, number)
        set_up(order, supervisor, middle, libc)
        set_environment(order, address, coerced)
        draw_anew()
        argv = [os.fsdecode(word) for word in order.argv]
        program = libc.fopen(order.argv[1], b"rb") if is_plain(argv[1], names) else None
        answer(pipe, os.getpid(), LAUNCH_WARM if program else LAUNCH_NOT_PLAIN)
    except Refused as refused:
        answer(pipe, 0, 0, *refused.args)
        os._exit(127)
    except BaseException:
        os._exit(127)
    if not program:
        be_cold(order)
    number = libc.fileno(program)
    os.closerange(SOCKET_FD, number)
    os.closerange(number + 1, os.sysconf("SC_OPEN_MAX"))
    become(argv)
    return program, order.argv[1]


def rehearse(address, coerced, names):
    """Does once what an order is answered with, changing nothing: what is written to then is copied now, while nobody waits."""
    argv = [os.fsencode(sys.executable), os.fsencode(__file__)]
    env = [b"=".join(variable) for variable in os.environb.items()]
    texts = [b""] * 8 + argv + env
    order = Order(HEAD.pack(ORDER_VERSION, *[0] * 8, len(argv), len(env))
                  + b"".join(LENGTH.pack(len(text)) + text + b"\0" for text in texts))
    set_environment(order, address, coerced)
    is_plain(__file__, names)
    become([os.fsdecode(word) for word in order.argv])


# ---- its end: what Python's own does, but for taking apart what every task has ----

def say(text):
    try:
        sys.stderr.write(text)
    except Exception:  # as the interpreter, which has nobody to tell either
        pass


def code_of(leaving):
    """The exit code that a SystemExit asks for."""
    code = leaving.code
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFFFFFFFF
    say(f"{code}\n")
    return 1


def tell(error, trace):
    """An exception that nobody caught; the exit code."""
    error = error.with_traceback(trace)
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, trace
    hook = getattr(sys, "excepthook", None)
    if hook is None:
        say("sys.excepthook is missing\n")
        hook = sys.__excepthook__
    try:
        hook(type(error), error, trace)
    except SystemExit as leaving:
        return code_of(leaving)
    except BaseException as second:
        say("Error in sys.excepthook:\n")
        sys.__excepthook__(type(second), second, second.__traceback__.tb_next)
        say("\nOriginal exception was:\n")
        sys.__excepthook__(type(error), error, trace)
    return 1


def flush():
    """False when something of the output cannot be written: the interpreter's own end has words for that."""
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and not getattr(stream, "closed", False):
                stream.flush()
        return True
    except Exception:
        return False


def flush_files():
    """Those that were left open: the collector would close them in any order, the inner ones first."""
    for thing in gc.get_objects():
        if isinstance(thing, (io.TextIOWrapper, io.BufferedWriter)):
            try:
                thing.flush()
            except Exception:  # closed, or not to be written
                pass


def take_apart(names):
    """The modules of the program go, and what they hold is finalized."""
    flush_files()
    for word in ("last_type", "last_value", "last_traceback"):
        vars(sys).pop(word, None)  # they hold the frames of what failed
    left = [weakref.ref(sys.modules.pop(name)) for name in names if isinstance(sys.modules[name], types.ModuleType)]
    gc.collect()
    for module in filter(None, [ref() for ref in left]):
        for word in sorted(vars(module), key=lambda word: not word.startswith("_")):
            if word != "__builtins__":
                vars(module)[word] = None
    gc.collect()


def end(code):
    """Comes back only where Python's own end is to be taken."""
    threading._shutdown()
    atexit._run_exitfuncs()
    if not flush():
        return
    take_apart([name for name in sys.modules if name not in AT_START and name not in ours] + ["__main__"])
    if not flush():
        return
    if has_others or library.warm_loads() != loads:
        exit_with(code & 0xFF)  # libraries have ends of their own
    libc.fflush(None)  # those of Python have none that anybody would notice
    os._exit(code & 0xFF)


def run(program, path):
    """The file, as `python FILE` runs it: the exit code, None when the interpreter is to end by itself."""
    main = sys.modules["__main__"]
    try:
        run_file(program, path, FILE_INPUT, vars(main), vars(main), 1, None)
        code = 0
    except SystemExit as leaving:
        return code_of(leaving)
    except KeyboardInterrupt as interrupt:  # it ends by the signal
        flush()
        tell(interrupt, interrupt.__traceback__.tb_next)
        code = None
    except BaseException as error:
        flush()
        code = tell(error, error.__traceback__.tb_next)
    for name in ("__file__", "__cached__"):
        vars(main).pop(name, None)
    return code


def take(server):
    """The next order: its descriptors, none when the supervisor is done with us."""
    try:
        word, fds, _, _ = socket.recv_fds(server, 1, 8)
    except OSError:
        return []
    return fds if word else []


def stand_ready(server, writing, middle, is_told, *known):
    """In the task: waits for an order; the first tells that there is somebody to take one. Then the middle process ends, and
    so the task becomes the supervisor's child."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != middle:
        os._exit(127)
    rehearse(*known)
    if not is_told:
        server.send(b"u")
    fds = take(server)
    if not fds:
        os._exit(0)
    libc.prctl(PR_SET_PDEATHSIG, 0)
    os.write(writing, b"t")
    os.close(writing)
    return fds, middle


def serve(server, fork, *known):
    """Comes back in tasks only, with their descriptors and the process between us. One is forked before there is an order:
    nobody waits for a fork."""
    helper = os.fsencode(os.path.join(os.path.dirname(__file__), "reprise-supervise"))
    hooks = [python.PyOS_BeforeFork, python.PyOS_AfterFork_Parent, python.PyOS_AfterFork_Child]
    hooks = (ctypes.c_void_p * 3)(*(ctypes.cast(hook, ctypes.c_void_p) for hook in hooks))
    middle, failures, is_told = ctypes.c_int(), 0, False
    while failures < MOST_FAILURES:
        reading, writing = os.pipe()
        os.set_inheritable(reading, True)
        pid = fork(helper, reading, hooks, ctypes.byref(middle))
        if pid == 0:
            try:
                os.close(reading)
                return stand_ready(server, writing, middle.value, is_told, *known)
            except BaseException:
                os._exit(1)
        os.close(reading)
        os.close(writing)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) if pid > 0 else MIDDLE_NOT_FORKED
        if code == MIDDLE_TOLD:
            failures, is_told = 0, True
            continue
        if code == MIDDLE_NOT_EXECUTED:
            raise SystemExit("reprise-warm: cannot execute reprise-supervise")
        failures += 1
        time.sleep(FORK_PAUSE_S)
    raise SystemExit("reprise-warm: no task becomes ready")


supervisor = os.getppid()
libc = ctypes.CDLL(None, use_errno=True)
libc.fopen.restype = ctypes.c_void_p
libc.fileno.argtypes = [ctypes.c_void_p]
python = ctypes.pythonapi
run_file = python.PyRun_FileExFlags
run_file.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.py_object, ctypes.py_object, ctypes.c_int,
                     ctypes.c_void_p]
run_file.restype = ctypes.py_object
exit_with = ctypes.PyDLL(None).exit
address = token_address(libc)
with open("/proc/self/environ", "rb") as file:
    given = {variable.partition(b"=")[0] for variable in file.read().split(b"\0")}
coerced = {name: value for name, value in os.environ.items() if os.fsencode(name) not in given}
spare_openssl()
import_all(PRELOADED)
has_others = bool(sys.argv[1].split())
import_all(sys.argv[1].split())
ours = frozenset(name for name in sys.modules if name not in AT_START)
tops = {name.partition(".")[0] for name in ours}
server = socket.socket(fileno=SOCKET_FD)
sys.path_importer_cache.pop(sys.path[0], None)
flush()  # what a module has said while it was imported is no task's output
libc.fflush(None)
gc.collect()
gc.freeze()
library = ctypes.PyDLL(os.path.join(os.path.dirname(__file__), "reprise-warm-fork.so"))
library.warm_loads.restype = ctypes.c_ulonglong
loads = library.warm_loads()
known = address, coerced, tops
fds, middle = serve(server, library.warm_fork, *known)
server.detach()
program, path = prepare_task(fds, supervisor, middle, libc, *known)
code = run(program, path)
if code is not None:
    end(code)
    raise SystemExit(code)
