/* SHELL_TASK: /bin/sh FILE ARGS…, or what the #! of the file names. The file is in the workspace, or
 * the script that the order holds. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/locks.h"
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

/* Of what was found, wherever its path leads by now. */
static bool read_first_line(const struct launch *launch, int path_fd,
                            char line[static FIRST_LINE_MAX + 1], struct err *err)
{
    const char *file = launch->from->file;
    const char *place = launch->from->root ? "repository" : "workspace";
    int fd = locks_reopen(path_fd, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0 && errno == EBUSY)
        return process_cannot(err, "%s in the %s is the server's own", file, place);
    ssize_t got = fd < 0 ? -1 : read(fd, line, FIRST_LINE_MAX);
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (got < 0)
        return process_cannot(err, "%s in the %s cannot be read: %s", file, place,
                              strerrordesc_np(error));
    line[got] = '\0';
    return true;
}

/* The path of its file, and how that begins. */
static const char *find_script(struct launch *launch, char line[static FIRST_LINE_MAX + 1],
                               struct err *err)
{
    int fd;
    const char *path = launch_open_file(launch, launch->from->file, &fd, err);

    if (!path)
        return NULL;
    bool is_read = read_first_line(launch, fd, line, err);
    close(fd);
    return is_read ? path : NULL;
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
        file = find_script(launch, line, err);
        if (!file)
            return false;
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
