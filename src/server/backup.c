#include "server/backup.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "server/config.h"
#include "server/install.h"
#include "store/store.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const char usage[] =
    "Usage: reprise backup FILE [--data DIR] [--config FILE]\n\n"
    "Copies the database of the data folder, as of one moment, into a new file; a server that runs on it\n"
    "goes on. To restore: stop the server, put the copy in the place of DIR/reprise.db, and remove\n"
    "DIR/reprise.db-wal and DIR/reprise.db-shm. Output of tasks is in DIR/runs: copy that after it.\n\n"
    "Exit codes: 0 done, 1 it could not be done, 2 usage.\n\n"
    "  reprise backup /backup/reprise-monday.db\n";

static int make(const struct config *config, const char *file)
{
    struct err err;
    /* A file size limit: the write fails, as on a full disk. */
    sigaction(SIGXFSZ, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    const char *database = install_database(config_text(config, CONFIG_store), &err);
    if (!database || store_backup_sqlite(database, file, &err)) {
        fprintf(stderr, "reprise: %s to %s: %s\n", config_text(config, CONFIG_store), file,
                err.message);
        return EXIT_FAILED;
    }
    printf("Copied %s to %s\n", database, file);
    return 0;
}

/* The first word, which is taken out of the options that it stands among; NULL: there is none. */
static const char *take_word(int *argc, char **argv)
{
    int at = config_first_word(*argc, argv);
    if (at >= *argc)
        return NULL;
    const char *word = argv[at];
    memmove(argv + at, argv + at + 1, (size_t)(*argc - at) * sizeof *argv); /* with the NULL */
    --*argc;
    return word;
}

int backup(int argc, char **argv)
{
    struct config config;
    struct err err;
    bool help = false;
    int code = EXIT_USAGE;
    const char *file = take_word(&argc, argv);
    config_init(&config);
    if (config_load(&config, argc, argv, &help, &err)) {
        fprintf(stderr, "reprise: %s\n", err.message);
    } else if (help) {
        fputs(usage, stdout);
        code = 0;
    } else if (!file || !*file) {
        fprintf(stderr, "reprise: backup needs the FILE to write to\n");
    } else {
        code = make(&config, file);
    }
    config_release(&config);
    return code;
}
