#include "server/selftest.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "server/clock.h"
#include "sim/fail.h"
#include "sim/replay.h"
#include "sim/sim.h"

enum {
    EXIT_USAGE = 2,
    BATCH_SEEDS = 50,
    DEFAULT_SECONDS = 10,
    SECONDS_MAX = 86400,
    STEPS_MAX = 100000,
};

struct options {
    bool has_seed;
    uint64_t seed;
    uint32_t steps;
    int64_t seconds;
    const char *replay;
};

static const char usage[] =
    "Usage: reprise selftest [--seconds S] [--steps M]\n"
    "       reprise selftest --seed N [--steps M]\n"
    "       reprise selftest --replay FILE\n\n"
    "Proves the engine of this binary in simulated worlds: random jobs and users, tasks that end in\n"
    "every way, crashes between any two effects, commits that fail, clocks that jump. After every\n"
    "step all promises are checked; each seed is run twice and must do the same. A seed that fails\n"
    "prints what happened last and the command that repeats it.\n\n"
    "  --seconds S    How long, from seed 1 on (10)\n"
    "  --steps M      How long each world is at the mercy of faults (250)\n"
    "  --seed N       This seed alone\n"
    "  --replay FILE  Instead: what a database says happened (a backup, or the reprise.db of a server\n"
    "                 that is stopped), once more through the engine; differences are told\n\n"
    "Exit codes: 0 all is well, 1 it is not, 2 usage.\n\n"
    "  reprise selftest --seconds 60\n";

/* ---- options ---- */

static bool read_number(const char *name, const char *text, uint64_t most, uint64_t *ret)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || value < 1 || value > most) {
        fprintf(stderr, "reprise: --%s %s: expected a whole number from 1 to %llu\n", name, text,
                (unsigned long long)most);
        return false;
    }
    *ret = value;
    return true;
}

static bool read_option(struct options *options, int option)
{
    uint64_t value = 0;
    switch (option) {
    case 's':
        options->has_seed = true;
        return read_number("seed", optarg, UINT64_MAX, &options->seed);
    case 'm':
        if (!read_number("steps", optarg, STEPS_MAX, &value))
            return false;
        options->steps = (uint32_t)value;
        return true;
    case 't':
        if (!read_number("seconds", optarg, SECONDS_MAX, &value))
            return false;
        options->seconds = (int64_t)value;
        return true;
    case 'r':
        options->replay = optarg;
        return true;
    default:
        fputs(usage, stderr);
        return false;
    }
}

/* ---- worlds ---- */

/* What is told when a rule is broken. */
struct witness {
    const struct options *options;
    uint64_t seed;
    struct sim_report report;
};

void selftest_tell(FILE *out, const char *where, const char *what, const struct trace *trace,
                   uint64_t seed, uint32_t steps)
{
    const char *line;
    fprintf(out, "FAILED: %s%s%s\n", where, where[0] ? ": " : "", what);
    for (size_t i = 0; trace && (line = trace_line(trace, i)); i++)
        fprintf(out, "  %s\n", line);
    if (seed)
        fprintf(out, "To repeat it: reprise selftest --seed %llu --steps %u\n",
                (unsigned long long)seed, steps);
    fflush(out);
}

static void tell_broken(void *context, const char *where, const char *what)
{
    const struct witness *witness = context;
    selftest_tell(stdout, where, what, witness->report.trace, witness->seed,
                  witness->options->steps);
    exit(1);
}

/* Each seed twice. Returns its digest. */
static uint64_t run_seed(struct witness *witness, uint64_t seed)
{
    witness->seed = seed;
    broken_context("seed %llu", (unsigned long long)seed);
    sim_run(seed, witness->options->steps, &witness->report);
    uint64_t digest = witness->report.digest;
    sim_run(seed, witness->options->steps, &witness->report);
    if (witness->report.digest != digest)
        broken("run twice, it did two different things");
    return digest;
}

static void print_summary(const struct sim_report *report, uint64_t seeds, int64_t ms)
{
    printf("%llu seeds, each twice, in %lld.%01lld s: %zu workspaces, %zu steps, %zu crashes and "
           "failed commits, %zu attempts, %zu commands accepted, %zu refused, %zu replayed, %zu "
           "stale reports, %zu batches by a recovered twin, %zu child runs\n",
           (unsigned long long)seeds, (long long)(ms / 1000), (long long)(ms % 1000 / 100),
           report->workspaces, report->steps, report->crashes, report->starts, report->accepted,
           report->refused, report->replayed, report->stale, report->twins, report->children);
    const char *comma = "runs that became";
    for (int state = 0; state < STATE_COUNT; state++) {
        if (!report->moved[state])
            continue;
        printf("%s %s %zu", comma, state_names[state], report->moved[state]);
        comma = ",";
    }
    printf("\nAll promises held.\n");
}

static int run_worlds(const struct options *options)
{
    struct witness witness = {.options = options};
    broken_handle(tell_broken, &witness);
    int64_t begin_ms = clock_boot_ms();
    int64_t end_ms = begin_ms + options->seconds * 1000;
    uint64_t first = options->has_seed ? options->seed : 1;
    uint64_t seeds = 0;
    uint64_t batch = 0; /* of digests */
    do {
        uint64_t seed = first + seeds++;
        batch = batch * 31 + run_seed(&witness, seed);
        bool is_last = options->has_seed || clock_boot_ms() >= end_ms;
        if (seeds % BATCH_SEEDS && !is_last)
            continue;
        uint64_t from = first + (seeds - 1) / BATCH_SEEDS * BATCH_SEEDS;
        printf("seeds %llu to %llu: ok, digest %016llx\n", (unsigned long long)from,
               (unsigned long long)seed, (unsigned long long)batch);
        fflush(stdout);
        batch = 0;
    } while (!options->has_seed && clock_boot_ms() < end_ms);
    print_summary(&witness.report, seeds, clock_boot_ms() - begin_ms);
    broken_handle(NULL, NULL);
    return 0;
}

/* ---- replay ---- */

#define COPY_NAME "copy.db"

static void print_line(void *context, const char *line)
{
    (void)context;
    printf("%s\n", line);
}

static bool replay_all(struct store *store, size_t *ret_workspaces, size_t *ret_differences)
{
    struct arena arena;
    struct workspace_row *workspaces;
    size_t count;
    arena_init(&arena);
    bool ok = store_workspaces(store, &arena, &workspaces, &count);
    if (!ok)
        count = 0;
    struct store_reader *reader = store_reader_open(store);
    for (size_t i = 0; i < count && ok; i++) {
        struct replay_result result;
        store_read_begin(reader);
        ok = replay_workspace(reader, &workspaces[i], print_line, NULL, &result);
        store_read_end(reader);
        printf("workspace %s: %zu runs, %zu events, %zu attempts, %zu repairs replayed, %zu runs "
               "deleted before: %zu differences\n",
               workspaces[i].name, result.runs, result.events, result.attempts, result.repairs,
               result.deleted, result.differences);
        if (result.deleted && result.differences)
            puts(
                "A run that was deleted may have held a run slot for which others waited: what had "
                "to do with slots may differ for that alone.");
        *ret_differences += result.differences;
    }
    *ret_workspaces = count;
    store_reader_close(reader);
    arena_release(&arena);
    return ok;
}

static bool make_folder(char folder[static PATH_MAX])
{
    const char *wanted = getenv("TMPDIR");
    const char *place = wanted && *wanted ? wanted : "/var/tmp";
    snprintf(folder, PATH_MAX, "%s/reprise-replay-XXXXXX", place);
    if (mkdtemp(folder))
        return true;
    fprintf(stderr, "reprise: --replay: no folder for a copy can be made in %s: %s\n", place,
            strerror(errno));
    return false;
}

/* Opening a database brings its schema up, which is not for a test to do: the server that it is of may be older, and may
 * be running. So a copy is opened, in a folder that is gone afterwards. */
static struct store *open_copy(const char *path, const char *folder, struct err *err)
{
    char copy[PATH_MAX + sizeof "/" COPY_NAME];
    snprintf(copy, sizeof copy, "%s/" COPY_NAME, folder);
    return store_backup_sqlite(path, copy, err) ? NULL : store_open_sqlite_copy(copy, err);
}

static void remove_copy(const char *folder)
{
    static const char *const names[] = {COPY_NAME, COPY_NAME "-wal", COPY_NAME "-shm"};
    char path[PATH_MAX + sizeof "/" COPY_NAME "-wal"];
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

/* Returns the exit code. */
static int replay_copy(const struct options *options, struct store *store)
{
    struct witness witness = {.options = options};
    size_t differences = 0;
    broken_handle(tell_broken, &witness);
    size_t workspaces = 0;
    bool ok = replay_all(store, &workspaces, &differences);
    broken_handle(NULL, NULL);
    store_close(store);
    if (ok && workspaces == 0) {
        fprintf(stderr, "reprise: --replay %s: there is nothing in it that a server has written\n",
                options->replay);
        return EXIT_USAGE;
    }
    if (!ok)
        fprintf(stderr, "reprise: --replay %s: it could not be read to the end\n", options->replay);
    return ok && differences == 0 ? 0 : 1;
}

static int replay_in(const char *folder, const struct options *options)
{
    struct err err;
    struct store *store = open_copy(options->replay, folder, &err);
    if (store)
        return replay_copy(options, store);
    fprintf(stderr, "reprise: --replay %s: %s\n", options->replay, err.message);
    return EXIT_USAGE;
}

static pid_t replaying; /* the process that does it */

static void pass_on(int signal)
{
    kill(replaying, signal);
}

/* In a process of its own: whatever ends that, be it a broken rule, Ctrl-C or SIGTERM, the copy goes, which may be large. */
static int replay(const struct options *options)
{
    static const int endings[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    char folder[PATH_MAX];
    sigset_t held, before;
    int status = 0;
    if (access(options->replay, R_OK) != 0) {
        fprintf(stderr, "reprise: --replay %s: %s\n", options->replay, strerror(errno));
        return EXIT_USAGE;
    }
    if (!make_folder(folder))
        return EXIT_USAGE;
    sigemptyset(&held);
    for (size_t i = 0; i < ARRAY_LEN(endings); i++)
        sigaddset(&held, endings[i]);
    sigprocmask(SIG_BLOCK, &held, &before); /* until there is somebody to pass them on to */
    replaying = fork();                     /* allow fork: nothing large is here yet */
    if (replaying == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        /* A file size limit: the copy fails, as on a full disk. */
        sigaction(SIGXFSZ, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
        sigprocmask(SIG_SETMASK, &before, NULL);
        exit(replay_in(folder, options));
    }
    for (size_t i = 0; i < ARRAY_LEN(endings) && replaying > 0; i++)
        sigaction(endings[i], &(struct sigaction){.sa_handler = pass_on}, NULL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (replaying < 0)
        fprintf(stderr, "reprise: --replay: %s\n", strerror(errno));
    while (replaying > 0 && waitpid(replaying, &status, 0) < 0 && errno == EINTR)
        ;
    remove_copy(folder);
    if (replaying > 0 && WIFSIGNALED(status))
        fprintf(stderr, "reprise: --replay: %s\n", strsignal(WTERMSIG(status)));
    return replaying > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int selftest(int argc, char **argv)
{
    static const struct option known[] = {
        {"seed", required_argument, NULL, 's'},    {"steps", required_argument, NULL, 'm'},
        {"seconds", required_argument, NULL, 't'}, {"replay", required_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    struct options options = {.steps = SIM_STEPS, .seconds = DEFAULT_SECONDS};
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (option == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        if (!read_option(&options, option))
            return EXIT_USAGE;
    }
    if (optind < argc) {
        fprintf(stderr, "reprise: selftest takes no %s\n", argv[optind]);
        return EXIT_USAGE;
    }
    return options.replay ? replay(&options) : run_worlds(&options);
}
