#include "base/data_folder.h"

#include <stdlib.h>

#include "base/buf.h"

enum { LONGEST = 1 << 18 }; /* what a variable of the environment holds is shorter */

static const char *absolute(const char *variable)
{
    const char *path = getenv(variable);
    return path && *path == '/' ? path : NULL;
}

char *data_folder_default(void)
{
    const char *own = getenv("REPRISE_DATA");
    const char *state = absolute("XDG_STATE_HOME");
    const char *home = absolute("HOME");
    struct buf path;

    buf_init(&path, LONGEST);
    if (own && *own)
        buf_puts(&path, own);
    else if (state)
        buf_printf(&path, "%s/reprise", state);
    else if (home)
        buf_printf(&path, "%s/.local/state/reprise", home);
    else
        BUF_LIT(&path, "/var/lib/reprise");
    return buf_detach(&path, NULL);
}
