"""reprise-notebook NOTEBOOK STEM: execute a Jupyter notebook as the task of an attempt.

Run by reprise-supervise under the interpreter of exec.python; needs nbclient and ipykernel there, and nbconvert for
HTML. The parameters are those of REPRISE_PARAMS_FILE. It writes in the folder that the server has made for the attempt:

    STEM.notebook/executed.ipynb   the notebook with its outputs, from the start on and while it runs, each time by rename
    STEM.notebook/page.html        the same as a page, at the end, if nbconvert is there
    STEM.say                       what is to be told of it: a word (running, done, failed, cannot-start), a sentence, then
                                   the traceback

Output of cells also goes to stdout and stderr as it comes. Exit status: 0, or 1 with STEM.say.
"""

import ast
import asyncio
import glob
import json
import os
import re
import signal
import sys
import time
import traceback

OUTPUTS_MAX_BYTES = 16 << 20  # of all cells together; the rest is in the log
TRACE_MAX_BYTES = 15 << 10  # with word and sentence 16 KiB, which is what is read
SAVE_EVERY_S = 1.0
START_LIMIT_S = 120
HTML_LIMIT_S = 60
INJECTED = "injected-parameters"

ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")


class CannotStart(Exception):
    """We could not run it: INTERNAL_ERROR."""


class Refused(Exception):
    """It cannot be run as it is asked for: FAILED."""


class Stopped(BaseException):
    """SIGTERM: canceled, or its time is over."""


def plain(text):
    """Without colors and other escape sequences of terminals."""
    return ESCAPES.sub("", text)


def write_file(path, text):
    """All of it or nothing: readers never see half a file."""
    new = path + ".new"
    with open(new, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)
    os.replace(new, path)


class Say:
    """In one write, so that a reader sees all of it or nothing: the folder may be somebody else's, where nothing can be
    renamed."""

    def __init__(self, stem):
        self.path = stem + ".say"

    def __call__(self, word, sentence, trace=""):
        sentence = " ".join(plain(sentence).split())
        trace = plain(trace).encode("utf-8", "replace")[-TRACE_MAX_BYTES:].decode("utf-8", "ignore")
        fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        try:
            os.write(fd, f"{word}\n{sentence[:200]}\n{trace}".encode("utf-8", "replace"))
        finally:
            os.close(fd)


# ---- parameters ----

def read_parameters():
    with open(os.environ["REPRISE_PARAMS_FILE"], encoding="utf-8") as file:
        return [(item["name"], item["value"] or "") for item in json.load(file)]


def defaults_of(source):
    """Name -> value of what a cell assigns as a literal."""
    found = {}
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return found  # %magics and the like: every value stays a text
    for statement in body:
        if isinstance(statement, ast.Assign):
            targets, value = statement.targets, statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets, value = [statement.target], statement.value
        else:
            continue
        try:
            literal = ast.literal_eval(value)
        except ValueError:
            continue
        found.update((target.id, literal) for target in targets if isinstance(target, ast.Name))
    return found


def as_bool(text):
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if text.strip().lower() not in words:
        raise ValueError
    return words[text.strip().lower()]


def as_container(kind):
    def convert(text):
        try:
            value = json.loads(text)
        except ValueError:
            value = ast.literal_eval(text)
        value = kind(value) if kind in (tuple, set) and isinstance(value, list) else value
        if not isinstance(value, kind):
            raise ValueError
        return value
    return convert


CONVERSIONS = {bool: as_bool, int: int, float: float}
CONVERSIONS.update((kind, as_container(kind)) for kind in (list, dict, tuple, set))


def typed(name, text, defaults):
    """The value in the type that the default has; a text where there is no default."""
    if name not in defaults or type(defaults[name]) not in CONVERSIONS:
        return text
    kind = type(defaults[name])
    try:
        return CONVERSIONS[kind](text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        raise Refused(f"Parameter {name}: {text[:60]!r} is no {kind.__name__}, as its default "
                      f"{str(defaults[name])[:60]} is") from None


def tags_of(cell):
    return cell.metadata.get("tags", [])


def literal_of(value):
    text = repr(value)
    return f"float({str(value)!r})" if isinstance(value, float) and text in ("inf", "-inf", "nan") else text


def inject(notebook, parameters, new_cell):
    """A cell that assigns them, behind the one tagged `parameters`, else first."""
    cells = [cell for cell in notebook.cells if INJECTED not in tags_of(cell)]
    place = next((i for i, cell in enumerate(cells) if "parameters" in tags_of(cell)), None)
    defaults = defaults_of(cells[place].source) if place is not None else {}
    lines = []
    for name, text in parameters:
        if name.isidentifier() and not is_keyword(name):
            lines.append(f"{name} = {literal_of(typed(name, text, defaults))}")
        else:
            print(f"reprise: parameter {name} is no name of Python, so it is in the environment only", flush=True)
    if lines:
        cell = new_cell("\n".join(["# Parameters"] + lines))
        cell.metadata["tags"] = [INJECTED]
        cells.insert(0 if place is None else place + 1, cell)
    notebook.cells = cells


def is_keyword(name):
    import keyword
    return keyword.iskeyword(name)


# ---- the notebook ----

class Document:
    """The executed notebook as it is kept."""

    def __init__(self, notebook, folder, to_text):
        self.notebook, self.path, self.to_text = notebook, os.path.join(folder, "executed.ipynb"), to_text
        self.next_save = 0.0
        self.planned = None

    def save(self):
        began = time.monotonic()
        if self.planned:
            self.planned.cancel()
            self.planned = None
        write_file(self.path, self.to_text(self.notebook))
        ended = time.monotonic()
        # A large one is written less often: at most a twentieth of the time goes into it.
        self.next_save = ended + max(SAVE_EVERY_S, 20 * (ended - began))

    def save_soon(self):
        """Now, or as soon as it is time: output may be the last for hours."""
        wait_s = self.next_save - time.monotonic()
        if wait_s <= 0:
            self.save()
        elif not self.planned:
            self.planned = asyncio.get_running_loop().call_later(wait_s, self.save)


def client_class(base):
    """nbclient, with output that goes to the log too, is joined where it was one stream, and has a limit."""

    class Client(base):
        document = None
        room = OUTPUTS_MAX_BYTES

        def output(self, outs, msg, display_id, cell_index):
            before = len(outs)
            out = super().output(outs, msg, display_id, cell_index)
            if out is not None:
                show(out)
                self.bound(outs, before)
                join_streams(outs)
                self.document.save_soon()
            return out

        def bound(self, outs, before):
            if len(outs) <= before or outs[-1].output_type == "error":
                return
            self.room -= len(json.dumps(outs[-1]))
            if self.room < 0:
                mark = f"[cut: the notebook's output is more than {OUTPUTS_MAX_BYTES >> 20} MiB; the log has it all]\n"
                outs.pop()
                if not outs or outs[-1].get("text", "")[-len(mark):] != mark:
                    outs.append(type(self.nb)({"output_type": "stream", "name": "stderr", "text": mark}))

    return Client


def show(out):
    if out.output_type == "stream":
        stream = sys.stderr if out.name == "stderr" else sys.stdout
        stream.write(out.text)
    elif out.output_type == "error":
        stream = sys.stderr
        stream.write(plain("\n".join(out.traceback)) + "\n")
    else:
        stream = sys.stdout
        stream.write(out.data.get("text/plain", "") + "\n")
    stream.flush()


def join_streams(outs):
    if len(outs) > 1 and outs[-1].output_type == outs[-2].output_type == "stream" and outs[-1].name == outs[-2].name:
        last = outs.pop()
        outs[-1].text += last.text


def kernel_of(notebook):
    """The name of its kernel, where there is such a one; a Python notebook runs on ours else."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
    from importlib.util import find_spec

    spec = notebook.metadata.get("kernelspec", {})
    name, language = spec.get("name") or "python3", spec.get("language", "python")
    specs = KernelSpecManager()
    try:
        command = specs.get_kernel_spec(name).argv
    except NoSuchKernel:
        if language.lower() != "python":
            raise CannotStart(f"Cannot start: the notebook's kernel {name} is not installed") from None
        print(f"reprise: there is no kernel {name}, python3 takes its place", flush=True)
        name, command = "python3", ["ipykernel_launcher"]
    if name == "python3" and any("ipykernel" in word for word in command) and not find_spec("ipykernel"):
        raise ImportError("No module named 'ipykernel'")
    return name


def is_python(notebook):
    info = notebook.metadata.get("kernelspec", {}).get("language") or notebook.metadata.get(
        "language_info", {}).get("name") or "python"
    return info.lower() in ("python", "ipython")


def kernel_manager(base, name, folder):
    """Sockets are files of the attempt's, named from the current folder: a socket's path is short. So no two
    kernels that start at the same moment take the same port, and nobody from outside can reach one."""
    manager = base(kernel_name=name)
    manager.transport = "ipc"
    manager.connection_file = os.path.join(folder, "kernel.json")
    manager.ip = os.path.relpath(os.path.join(folder, "kernel"))
    return manager


class Run:
    def __init__(self, path, stem):
        self.path, self.folder = path, stem + ".notebook"
        self.say = Say(stem)
        self.client = self.document = None
        self.where = "before its first cell"
        self.cell = None
        self.stopping = False

    def on_sigterm(self, *_):
        """The cell is interrupted, so that it can put things in order; the supervisor does not wait for ever."""
        first, self.stopping = not self.stopping, True
        kernel = self.client and self.client.km and getattr(self.client.km.provisioner, "process", None)
        if not first or not kernel:
            raise Stopped
        os.killpg(kernel.pid, signal.SIGINT)
        self.document.save()

    def read(self):
        import nbformat
        try:
            with open(self.path, encoding="utf-8") as file:
                notebook = nbformat.read(file, as_version=4)
        except (ValueError, KeyError, AttributeError, nbformat.reader.NotJSONError) as problem:
            raise CannotStart(f"Cannot start: it is no notebook: {str(problem)[:200]}") from None
        parameters = read_parameters()
        if parameters and not is_python(notebook):
            print("reprise: only a Python notebook is given its parameters as variables; "
                  "they are in the environment", flush=True)
        else:
            inject(notebook, parameters, nbformat.v4.new_code_cell)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        self.document = Document(notebook, self.folder, nbformat.writes)
        self.document.save()
        return notebook

    def execute(self):
        from jupyter_client import AsyncKernelManager
        from nbclient import NotebookClient

        notebook = self.read()
        name = kernel_of(notebook)
        manager = kernel_manager(AsyncKernelManager, name, self.folder)
        client = client_class(NotebookClient)(notebook, km=manager, timeout=None, startup_timeout=START_LIMIT_S,
                                              record_timing=True)
        client.document, client.owns_km = self.document, True
        self.client = client
        with client.setup_kernel():
            if self.stopping:
                raise Stopped
            self.run_cells(client, notebook)
            client.set_widgets_metadata()

    def run_cells(self, client, notebook):
        for_count = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()
                     and INJECTED not in tags_of(cell)]
        number = 0
        for index, cell in enumerate(notebook.cells):
            if any(cell is counted for counted in for_count):
                number += 1
                self.where = f"in cell {number} of {len(for_count)}"
                print(f"reprise: {self.where[3:]}", flush=True)
                self.say("running", f"Running, {self.where}")
            self.cell = cell
            client.execute_cell(cell, index)
        self.where = f"{len(for_count)} cells"

    def attempt(self):
        """True when it succeeded; else STEM.say tells."""
        from nbclient.exceptions import CellExecutionError, DeadKernelError
        try:
            self.execute()
            self.say("done", f"Executed {self.where}")
            return True
        except CellExecutionError as problem:
            self.say("failed", f"Failed {self.where}: {problem.ename}: {problem.evalue}", self.trace_of(problem))
        except DeadKernelError:
            self.say("failed", f"The kernel died {self.where}")
        except Refused as problem:
            self.say("failed", str(problem))
        except Stopped:
            self.say("failed", f"Stopped {self.where}")
        except RuntimeError as problem:  # nbclient's, of a kernel that does not come up
            self.say("cannot-start", f"Cannot start: the notebook's kernel does not start: {problem}")
        return False

    def trace_of(self, problem):
        errors = [out for out in self.cell.outputs if out.output_type == "error"]
        return "\n".join(errors[-1].traceback) if errors else str(problem)

    def export(self):
        """The page, within a limit of time: it is not what the task was for."""
        if self.stopping or not self.document:
            return
        def give_up(*_):
            raise TimeoutError(f"it took more than {HTML_LIMIT_S} s")
        signal.signal(signal.SIGALRM, give_up)
        signal.alarm(HTML_LIMIT_S)
        try:
            from nbconvert import HTMLExporter
            body, _ = HTMLExporter().from_notebook_node(self.document.notebook)
            write_file(os.path.join(self.folder, "page.html"), body)
        except ImportError as problem:
            print(f"reprise: no HTML of the notebook, nbconvert is not installed: {problem}", flush=True)
        except Exception as problem:  # whatever it is, the notebook itself is there
            print(f"reprise: no HTML of the notebook: {problem}", flush=True)
        finally:
            signal.alarm(0)

    def main(self):
        signal.signal(signal.SIGTERM, self.on_sigterm)
        os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # else each kernel warns of a debugger that nobody has
        spark = glob.glob(os.path.join(os.environ.get("SPARK_HOME") or "/nowhere", "python", "lib", "*.zip"))
        os.environ["PYTHONPATH"] = os.pathsep.join([os.path.dirname(self.path), *sorted(spark)])
        os.environ["IPYTHONDIR"] = os.path.join(self.folder, "ipython")
        succeeded = False
        try:
            succeeded = self.attempt()
        except ImportError as problem:
            self.say("cannot-start", f"Cannot start: notebooks need the Python packages nbclient and ipykernel (Debian: "
                     f"python3-nbclient, python3-ipykernel), which {sys.executable} does not find: {problem}")
        except CannotStart as problem:
            self.say("cannot-start", str(problem))
        except Exception as problem:  # ours to answer for, not the notebook's
            self.say("cannot-start", f"The notebook could not be executed: {type(problem).__name__}: {problem}",
                     traceback.format_exc())
        if self.document:
            self.document.save()
        self.export()
        return 0 if succeeded else 1


if __name__ == "__main__":
    sys.exit(Run(sys.argv[1], sys.argv[2]).main())
