/* SHELL_TASK: /bin/sh FILE ARGS…, or what the #! of the file names. The file is in the workspace, or
 * the script that the order holds. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec/kind.h"

enum { FIRST_LINE_MAX = 256 }; /* as the kernel's */

#define BLANKS " \t"

/* What a first line names: its program, and the rest as one argument; as execve does it. Nothing is
 * named: /bin/sh. `line` is cut up. Returns how many words there are. */
static size_t interpreter_of(char *line, const char *words[static 2])
{
    words[0] = "/bin/sh";
    if (strncmp(line, "#!", 2) != 0)
        return 1;
    char *program = line + 2 + strspn(line + 2, BLANKS);
    program[strcspn(program, "\r\n")] = '\0';
    size_t len = strcspn(program, BLANKS);
    if (!len)
        return 1;
    char *rest = program + len + strspn(program + len, BLANKS);
    for (size_t end = strlen(rest); end && strchr(BLANKS, rest[end - 1]); end--)
        rest[end - 1] = '\0';
    program[len] = '\0';
    words[0] = program;
    words[1] = rest;
    return *rest ? 2 : 1;
}

static bool is_same(const char *path, const struct stat *file)
{
    struct stat status;

    return stat(path, &status) == 0 && status.st_ino == file->st_ino &&
           status.st_dev == file->st_dev;
}

/* A file of ours that is locked must not be read here: closing it would let go of the lock. */
static bool is_locked(const struct process *process, const char *path)
{
    char index[PATH_MAX];
    char lock[PATH_MAX];
    struct stat file;

    snprintf(lock, sizeof lock, "%s/server.lock", process->data_dir);
    snprintf(index, sizeof index, "%s-shm", process->database ? process->database : "");
    return stat(path, &file) == 0 &&
           (is_same(lock, &file) ||
            (process->database && (is_same(process->database, &file) || is_same(index, &file))));
}

static bool read_first_line(const char *path, char line[static FIRST_LINE_MAX + 1])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ssize_t got = fd < 0 ? -1 : read(fd, line, FIRST_LINE_MAX);
    if (fd >= 0)
        close(fd);
    line[got > 0 ? got : 0] = '\0';
    return got >= 0;
}

bool kind_shell(struct launch *launch, struct err *err)
{
    const struct exec_order *from = launch->from;
    char *line = arena_alloc(launch->arena, FIRST_LINE_MAX + 1);
    const char *head[3];
    const char *file;

    if (from->input) {
        if (!process_open_workspace(launch->process, err))
            return false;
        file = launch_input(launch);
        memcpy(line, from->input, strnlen(from->input, FIRST_LINE_MAX));
    } else {
        file = process_file(launch->process, from->file, launch->arena, err);
        if (!file)
            return false;
        if (is_locked(launch->process, file))
            return process_cannot(err, "%s in the workspace is the server's own", from->file);
        if (!read_first_line(file, line))
            return process_cannot(err, "%s in the workspace cannot be read: %s", from->file,
                                  strerrordesc_np(errno));
    }
    size_t count = interpreter_of(line, head);
    /* execve would only say that something is not there. */
    if (head[0][0] == '/' && access(head[0], F_OK) != 0)
        return process_cannot(err, "its interpreter %s cannot be found: %s", head[0],
                              strerrordesc_np(errno));
    head[count++] = file;
    launch_command(launch, head, count);
    return true;
}
