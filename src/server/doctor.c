#include "server/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "exec/kind.h"
#include "exec/process.h"
#include "server/clock.h"
#include "server/helper.h"

enum { PATH_BYTES = 4096, ANSWER_BYTES = 4096, PATIENCE_MS = 60000 };

extern char **environ;

struct visit {
    struct process process;
    enum config_form form;
    struct buf json; /* FORM_JSON: what was told so far */
    struct arena arena;
    bool is_ill; /* something is missing that every installation needs */
};

static void tell(struct visit *visit, const char *verdict, const char *what, const char *detail)
{
    if (visit->form == FORM_TABLE) {
        printf("%-8s %-11s %s\n", verdict, what, detail);
    } else if (visit->form == FORM_NAME) {
        printf("%s\n", what);
    } else {
        buf_puts(&visit->json, visit->json.len ? ",{\"name\":" : "{\"items\":[{\"name\":");
        buf_json_string(&visit->json, what);
        BUF_LIT(&visit->json, ",\"status\":");
        buf_json_string(&visit->json, verdict);
        BUF_LIT(&visit->json, ",\"detail\":");
        buf_json_string(&visit->json, detail);
        BUF_LIT(&visit->json, "}");
    }
}

/* Of an error: without the words that belong to a task. */
static void tell_missing(struct visit *visit, const char *what, const struct err *err)
{
    static const char prefix[] = "Cannot start: ";
    bool has = strncmp(err->message, prefix, strlen(prefix)) == 0;
    tell(visit, "missing", what, err->message + (has ? strlen(prefix) : 0));
}

static int left_ms(int64_t until_ms)
{
    int64_t left = until_ms - clock_boot_ms();
    return left > 0 ? (int)left : 0;
}

/* Reads a program's output until it has ended, and keeps the last of it. What it leaves behind may hold the pipe
 * for longer. False: it has not ended in time. */
static bool listen_to(int pidfd, int pipe, char *answer, size_t size, int64_t until_ms)
{
    struct pollfd watched[] = {{.fd = pipe, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
    size_t len = 0;
    while (poll(watched, 2, left_ms(until_ms)) > 0) {
        if (!watched[0].revents)
            return true;
        if (len == size - 1) {
            memmove(answer, answer + size / 2, len - size / 2);
            len -= size / 2;
        }
        ssize_t got = read(pipe, answer + len, size - 1 - len);
        if (got <= 0)
            watched[0].fd = -1;
        len += got > 0 ? (size_t)got : 0;
        answer[len] = '\0';
    }
    return false;
}

/* Its exit status is 0. One that has not ended `in_time` is killed. */
static bool has_succeeded(pid_t pid, bool in_time)
{
    int status = 0;
    if (!in_time)
        kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return in_time && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The last of what it writes before it ends, less than `size` bytes; false when it fails or takes too long. */
static bool ask(char *const argv[], char *answer, size_t size)
{
    posix_spawn_file_actions_t actions;
    int ends[2];
    pid_t pid;
    answer[0] = '\0';
    if (pipe2(ends, O_CLOEXEC) < 0)
        return false;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    int r = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    bool succeeded = false;
    if (r == 0) {
        int pidfd = pidfd_open(pid, 0);
        bool in_time = pidfd >= 0 &&
                       listen_to(pidfd, ends[0], answer, size, clock_boot_ms() + PATIENCE_MS);
        succeeded = has_succeeded(pid, in_time);
        if (pidfd >= 0)
            close(pidfd);
    }
    close(ends[0]);
    return succeeded;
}

static const char *last_line(char *text)
{
    size_t len = strlen(text);
    while (len > 0 && text[len - 1] == '\n')
        text[--len] = '\0';
    const char *line = strrchr(text, '\n');
    return line ? line + 1 : text;
}

static void look_at_supervisor(struct visit *visit, const char *path)
{
    bool there = process_is_program(path);
    tell(visit, there ? "ok" : "missing", "supervisor", path);
    visit->is_ill |= !there;
}

static void look_at_notebooks(struct visit *visit, const char *python)
{
    static char code[] = "import nbclient, ipykernel, nbconvert";
    char *const argv[] = {(char *)(uintptr_t)python, "-c", code, NULL};
    char answer[ANSWER_BYTES];
    struct err err;
    if (!process_helper(&visit->process, "reprise-notebook", &visit->arena, &err))
        tell_missing(visit, "notebooks", &err);
    else if (ask(argv, answer, sizeof answer))
        tell(visit, "ok", "notebooks", "nbclient, ipykernel, nbconvert");
    else
        tell(visit, "missing", "notebooks",
             arena_printf(&visit->arena,
                          "%s; install nbclient, ipykernel and nbconvert, on Debian the packages "
                          "python3-nbclient python3-ipykernel python3-nbconvert",
                          last_line(answer)));
}

static void look_at_python(struct visit *visit)
{
    struct err err;
    const char *python = process_python(&visit->process, &err);
    if (!python) {
        const char *wanted = visit->process.python_wanted;
        if (wanted)
            tell(visit, "missing", "python",
                 arena_printf(&visit->arena,
                              "no interpreter %s, which the setting exec.python names", wanted));
        else
            tell_missing(visit, "python", &err);
        visit->is_ill = true;
        return;
    }
    tell(visit, "ok", "python", python);
    look_at_notebooks(visit, python);
}

static void look_at(struct visit *visit, const char *what,
                    const char *find(const struct process *, struct arena *, struct err *))
{
    struct err err;
    const char *found = find(&visit->process, &visit->arena, &err);
    if (found)
        tell(visit, "ok", what, found);
    else
        tell_missing(visit, what, &err);
}

static void look_at_git(struct visit *visit)
{
    char *found = process_find_program("git", visit->process.inherited[0] + strlen("PATH="));
    if (found)
        tell(visit, "ok", "git", found);
    else
        tell(visit, "missing", "git",
             "no git on the PATH, for tasks whose files come from a repository");
    free(found);
}

/* What a newCluster needs besides a Spark and a Java: that these two have a standalone master, started as
 * it would be. */
static void look_at_clusters(struct visit *visit)
{
    struct err err;
    struct arena *arena = &visit->arena;
    const char *home = process_spark_home(&visit->process, arena, &err);
    const char *java = home ? process_java(&visit->process, arena, &err) : NULL;
    const char *version = java ? spark_version_of(home, arena) : NULL;
    if (!java) {
        tell_missing(visit, "new cluster", &err);
        return;
    }
    if (!process_is_program("/bin/bash")) {
        tell(visit, "missing", "new cluster", "Spark's own programs need /bin/bash");
        return;
    }
    const char *program = arena_printf(arena, "%s/bin/spark-class", home);
    char *const argv[] = {(char *)(uintptr_t)program,
                          (char[]){"org.apache.spark.deploy.master.Master"}, (char[]){"--help"},
                          NULL};
    char answer[ANSWER_BYTES];
    setenv("SPARK_HOME", home, 1); /* allow environment-write: a verb with one thread */
    const char *java_home = process_program_home(java, arena);
    setenv("JAVA_HOME", java_home, 1); /* allow environment-write: as above */
    if (version && ask(argv, answer, sizeof answer))
        tell(visit, "ok", "new cluster",
             arena_printf(arena, "Spark %s, standalone, on this host", version));
    else
        tell(visit, "missing", "new cluster",
             arena_printf(arena, "a master of the Spark in %s does not start: %s", home,
                          version ? last_line(answer) : "it has no jars/spark-core_….jar"));
}

int doctor(const struct config *config)
{
    char supervise[PATH_BYTES];
    enum { TOLD_MAX = 1 << 20 };
    struct visit visit = {.form = config->form};
    buf_init(&visit.json, TOLD_MAX);
    helper_find(config, supervise, sizeof supervise);
    const struct exec_config exec = {
        .data_dir = config_text(config, CONFIG_data),
        .workspace_dir = config_text(config, CONFIG_workspace),
        .supervise_path = supervise,
        .python = config_text_or_null(config, CONFIG_exec_python),
        .java = config_text_or_null(config, CONFIG_exec_java),
        .spark_home = config_text_or_null(config, CONFIG_exec_spark_home),
    };
    arena_init(&visit.arena);
    process_init(&visit.process, &exec);
    look_at_supervisor(&visit, supervise);
    look_at_python(&visit);
    look_at_git(&visit);
    look_at(&visit, "java", process_java);
    look_at(&visit, "spark", process_spark_home);
    look_at_clusters(&visit);
    if (visit.form == FORM_JSON)
        printf("%s]}\n", visit.json.data);
    buf_release(&visit.json);
    process_release(&visit.process);
    arena_release(&visit.arena);
    return visit.is_ill;
}
