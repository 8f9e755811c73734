/* The verbs on jobs, runs and schedules. */
#include "cli/verbs.h"

#include <stdint.h>

#include "base/mem.h"
#include "calendar/upcoming.h"

enum { RECENT_MAX_COUNT = 10 };

static const struct verb work_verbs[] = {
    {
        .group = "job",
        .name = "create",
        .summary = "Save a new job",
        .help = "The file is JSON as the API takes it, or the same as YAML.\n\n"
                "  reprise job create -f examples/debian-packages/job.yaml",
        .run = verb_job_create,
        .options = {'f', OPTION_STRICT},
    },
    {
        .group = "job",
        .name = "apply",
        .args = "[FILE...]",
        .summary = "Make the jobs of files what the files say",
        .help =
            "A job with the name of the file's is replaced, if it differs; without one, a new job "
            "is saved. A folder stands for the .json, .yaml and .yml files in it. Nothing is "
            "changed before all files have been checked. With --dry-run nothing is changed at all: "
            "it tells what would be created or updated, and what differs.\n\n"
            "  reprise job apply -f jobs/ --dry-run\n"
            "  reprise job apply -f nightly.yaml\n"
            "  reprise job apply -f jobs/*.yaml more/hourly.json",
        .max_args = SIZE_MAX,
        .run = verb_job_apply,
        .options = {'f', OPTION_STRICT, OPTION_DRY_RUN},
        .words = {{'f', NULL, "Job file, JSON or YAML, or a folder; may be given again"}},
    },
    {
        .group = "job",
        .name = "list",
        .summary = "List jobs, newest first",
        .help = "  reprise job list\n"
                "  reprise job list -o name | xargs -n 1 reprise job get",
        .run = verb_job_list,
        .options = {OPTION_LIMIT, OPTION_PAGE, OPTION_ALL},
    },
    {
        .group = "job",
        .name = "get",
        .args = "JOB",
        .summary = "Show a job: its parameters, tasks and what they depend on",
        .help = "JOB is a key, or a name that only one job has.\n\n"
                "  reprise job get nightly\n"
                "  reprise job get nightly -o json",
        .min_args = 1,
        .max_args = 1,
        .run = verb_job_get,
    },
    {
        .group = "job",
        .name = "export",
        .args = "JOB",
        .summary = "Print a job as a file for job apply, JSON whatever -o says",
        .help =
            "Its newest definition, with the defaults of what was left out; whether it is paused is "
            "not in it. A jobKey in it is a key of this server.\n\n"
            "  reprise job export nightly > nightly.json",
        .min_args = 1,
        .max_args = 1,
        .run = verb_job_export,
    },
    {
        .group = "job",
        .name = "update",
        .args = "JOB",
        .summary = "Replace a job's definition; runs that exist keep theirs",
        .help =
            "A schedule that is paused stays so, unless the file has a pauseStatus of its own.\n\n"
            "  reprise job update nightly -f nightly.yaml",
        .min_args = 1,
        .max_args = 1,
        .run = verb_job_update,
        .options = {'f', OPTION_STRICT, OPTION_IF_MATCH},
    },
    {
        .group = "job",
        .name = "delete",
        .args = "JOB",
        .summary = "Delete a job; its runs stay",
        .help = "  reprise job delete nightly",
        .min_args = 1,
        .max_args = 1,
        .run = verb_job_delete,
        .options = {OPTION_IF_MATCH},
    },
    {
        .group = "job",
        .name = "cancel-runs",
        .args = "JOB",
        .summary = "Cancel every active run of a job, queued ones too",
        .help = "Runs that are started later are not touched.\n\n"
                "  reprise job cancel-runs nightly",
        .min_args = 1,
        .max_args = 1,
        .run = verb_job_cancel_runs,
        .options = {OPTION_IF_MATCH},
    },
    {
        .group = "job",
        .name = "permissions",
        .args = "JOB",
        .summary = "List who may do more on a job than the role allows",
        .help = "  reprise job permissions nightly",
        .min_args = 1,
        .max_args = 1,
        .run = verb_job_permissions,
        .options = {OPTION_LIMIT, OPTION_PAGE, OPTION_ALL},
    },
    {
        .group = "job",
        .name = "grant",
        .args = "JOB PERMISSION",
        .summary = "Let a user, or all of a role, do more on a job",
        .help =
            "PERMISSION is read, use (run it, cancel, repair and delete its runs), manage (change "
            "and delete it) or admin.\n\n"
            "  reprise job grant nightly use --user eva\n"
            "  reprise job grant nightly manage --role operator",
        .min_args = 2,
        .max_args = 2,
        .run = verb_job_grant,
        .options = {OPTION_USER, OPTION_ROLE},
        .words = {{OPTION_USER, NULL, "To this user"},
                  {OPTION_ROLE, NULL, "To all of this role: viewer, operator or admin"}},
    },
    {
        .group = "job",
        .name = "revoke",
        .args = "JOB PERMISSION",
        .summary = "Take back what was granted on a job",
        .help = "  reprise job revoke nightly use --user eva",
        .min_args = 2,
        .max_args = 2,
        .run = verb_job_revoke,
        .options = {OPTION_USER, OPTION_ROLE},
        .words = {{OPTION_USER, NULL, "From this user"},
                  {OPTION_ROLE, NULL, "From all of this role: viewer, operator or admin"}},
    },
    {
        .group = "job",
        .name = "validate",
        .summary = "Have the server check a job file, without saving it",
        .help = "Exit code 0: it could be saved; 2: the file cannot be read; 3: it could not, and "
                "everything that is wrong is told.\n\n"
                "  reprise job validate -f nightly.yaml",
        .run = verb_job_validate,
        .options = {'f', OPTION_STRICT},
    },
    {
        .group = "job",
        .name = "simulate",
        .args = "[JOB]",
        .summary = "Show what a run would do, if tasks ended as assumed; nothing is run",
        .help = "Of a job file (-f) or a job of the server. Tasks that are not named succeed, and "
                "decisions are decided where their operands are known. With --repair the run is "
                "then repaired, as --task and so on say.\n\n"
                "  reprise job simulate -f nightly.yaml --assume load=FAILED --assume big=true\n"
                "  reprise job simulate nightly --assume load=FAILED \\\n"
                "      --repair --then load=SUCCESS",
        .max_args = 1,
        .run = verb_job_simulate,
        .options = {'f', OPTION_ASSUME, OPTION_PARAM, OPTION_REPAIR, OPTION_TASK,
                    OPTION_MARK_SUCCESS, OPTION_WITH_DOWNSTREAM, OPTION_WITH_UPSTREAM, OPTION_MODE,
                    OPTION_THEN, OPTION_STRICT},
    },
    {
        .group = "run",
        .name = "start",
        .args = "JOB",
        .summary = "Start a run of a job",
        .help = "With --wait or --watch the exit code is 0 when the run ends with SUCCESS and 1 "
                "when it ends otherwise.\n\n"
                "  reprise run start nightly --param date=2026-01-31 --watch\n"
                "  RUN=$(reprise run start nightly -o name)",
        .min_args = 1,
        .max_args = 1,
        .run = verb_run_start,
        .options = {OPTION_PARAM, OPTION_WATCH, OPTION_WAIT},
    },
    {
        .group = "run",
        .name = "list",
        .summary = "List runs, newest first",
        .help =
            "PLANNED, where a run stands for a time of its schedule, is on the schedule's clock. "
            "A time in parentheses is when a run was made that has not started.\n\n"
            "  reprise run list --job nightly --status FAILED --limit 20\n"
            "  reprise run list --unsuccessful --since yesterday\n"
            "  reprise run list --job nightly --planned 2026-01-31\n"
            "  reprise run list --job nightly --planned 2026-01-01..2026-01-31",
        .run = verb_run_list,
        .options = {OPTION_JOB, OPTION_STATUS, OPTION_UNSUCCESSFUL, OPTION_SINCE, OPTION_PLANNED,
                    OPTION_LIMIT, OPTION_PAGE, OPTION_ALL},
        .words = {{OPTION_JOB, NULL, "Only runs of this job; may be given again"}},
    },
    {
        .group = "run",
        .name = "recent",
        .args = "[JOB...]",
        .summary = "The newest runs of each job",
        .help = "Without JOB: of every job.\n\n"
                "  reprise run recent nightly hourly --count 3",
        .max_args = 100,
        .max_count = RECENT_MAX_COUNT,
        .run = verb_run_recent,
        .options = {OPTION_COUNT, OPTION_LIMIT},
        .words = {{OPTION_COUNT, NULL, "The newest N of each job (5)"}},
    },
    {
        .group = "run",
        .name = "get",
        .args = "RUN",
        .summary = "Show a run: the tree of its tasks, with states and reasons",
        .help = "RUN is a key, six characters or more of how a key begins or ends, @latest, or "
                "JOB@latest: the newest run of all or of that job.\n\n"
                "  reprise run get @latest\n"
                "  reprise run get nightly@latest\n"
                "  reprise run get 8359c275 --repair 0   (before it was repaired)",
        .min_args = 1,
        .max_args = 1,
        .run = verb_run_get,
        .options = {OPTION_OF_REPAIR},
    },
    {
        .group = "run",
        .name = "watch",
        .args = "RUN",
        .summary = "Show a run's tasks until it has ended",
        .help = "On a terminal a tree that changes in place, elsewhere one line for each change. "
                "Exit code 0: it ended with SUCCESS, 1: otherwise.\n\n"
                "  reprise run watch @latest",
        .min_args = 1,
        .max_args = 1,
        .run = verb_run_watch,
    },
    {
        .group = "run",
        .name = "repair",
        .args = "RUN",
        .summary = "Run again, inside a run that has ended, what has to run again",
        .help =
            "Without --task: every task that did not succeed; --also adds to that, or to --task. "
            "What --mark-success names becomes SUCCESS without running, so that the rest goes on. "
            "Tasks that are kept are not touched. --plan shows what would happen to each task, and why, and changes "
            "nothing.\n\n"
            "  reprise run repair @latest --plan\n"
            "  reprise run repair @latest --param date=2026-01-31 --watch\n"
            "  reprise run repair @latest --task load --with-downstream \\\n"
            "      --definition current\n"
            "  reprise run repair @latest --mark-success check --wait",
        .min_args = 1,
        .max_args = 1,
        .run = verb_run_repair,
        .options = {OPTION_TASK, OPTION_ALSO, OPTION_MARK_SUCCESS, OPTION_WITH_DOWNSTREAM,
                    OPTION_WITH_UPSTREAM, OPTION_PARAM, OPTION_DEFINITION, OPTION_MODE,
                    OPTION_IF_MATCH, OPTION_PLAN, OPTION_WATCH, OPTION_WAIT},
    },
    {
        .group = "run",
        .name = "history",
        .args = "RUN",
        .summary = "Show the original attempt of a run and each repair of it",
        .help = "  reprise run history @latest",
        .min_args = 1,
        .max_args = 1,
        .run = verb_run_history,
        .options = {OPTION_LIMIT, OPTION_PAGE, OPTION_ALL},
    },
    {
        .group = "run",
        .name = "diff",
        .args = "RUN",
        .summary = "Show what differs between two attempts of a run",
        .help = "Tasks that ran again with how they ended before and after, parameters, and the "
                "definition. Without --from and --to: the newest attempt and the one before it.\n\n"
                "  reprise run diff @latest --from 0 --to 2",
        .min_args = 1,
        .max_args = 1,
        .run = verb_run_diff,
        .options = {OPTION_FROM, OPTION_TO},
        .words = {{OPTION_FROM, "N", "This attempt of the run; 0 is the original"},
                  {OPTION_TO, "N", "With this one"}},
    },
    {
        .group = "run",
        .name = "logs",
        .args = "RUN",
        .summary = "Print what the tasks of a run wrote",
        .help =
            "The task's stdout goes to stdout, its stderr to stderr: byte for byte, but on a "
            "terminal, where control characters other than colours are made visible. Without "
            "--task: of every task that has started, in order; with --follow, task after task until "
            "the run has ended. In the place of RUN the key of a task run may stand.\n\n"
            "A repair gives a task that it runs again another task run: --repair says which, and "
            "--attempt counts the tries within it. Without them: the newest.\n\n"
            "  reprise run logs @latest --task load\n"
            "  reprise run logs @latest --task load --stream stdout > load.txt\n"
            "  reprise run logs @latest --task load --repair 0   (before it was repaired)",
        .min_args = 1,
        .max_args = 1,
        .run = verb_run_logs,
        .options = {OPTION_TASK, OPTION_OF_REPAIR, OPTION_ATTEMPT, OPTION_STREAM, OPTION_FOLLOW},
    },
    {
        .group = "run",
        .name = "why",
        .args = "RUN",
        .summary = "Tell why each task is where it is, and where parameters came from",
        .help = "With --task also: what the task was given, by which layer (job, task, run, a "
                "repair), what that overrode, and what its references stood for.\n\n"
                "  reprise run why @latest --task report",
        .min_args = 1,
        .max_args = 1,
        .run = verb_run_why,
        .options = {OPTION_TASK},
    },
    {
        .group = "run",
        .name = "cancel",
        .args = "RUN",
        .summary = "Stop a run: what runs is stopped, nothing new starts",
        .help =
            "With --task only that task, which ends CANCELED; the run goes on, and what is behind the task goes by its runIf. "
            "Exit code 0 means that the run was asked to end, or had ended already; with --wait that it has "
            "ended, whichever way.\n\n"
            "  reprise run cancel @latest --wait\n"
            "  reprise run cancel @latest --task stuck",
        .min_args = 1,
        .max_args = 1,
        .run = verb_run_cancel,
        .options = {OPTION_TASK, OPTION_IF_MATCH, OPTION_WAIT},
        .words = {{OPTION_WAIT, NULL, "Wait until it has ended; exit 0 whichever way"}},
    },
    {
        .group = "run",
        .name = "delete",
        .args = "RUN",
        .summary = "Delete a run that has ended, with its logs and outputs",
        .help = "  reprise run delete 0199f6c2-5d1e-7c3a-9b1e-3f2a1c0d4e5f",
        .min_args = 1,
        .max_args = 1,
        .run = verb_run_delete,
        .options = {OPTION_IF_MATCH},
    },
    {
        .group = "task",
        .name = "get",
        .args = "TASKRUN",
        .summary = "Show a task run: its states, attempts and parameters",
        .help = "TASKRUN is a key; with --task it is a run, and the task run is that task's "
                "newest.\n\n"
                "  reprise task get @latest --task load",
        .min_args = 1,
        .max_args = 1,
        .run = verb_task_get,
        .options = {OPTION_TASK, OPTION_OF_REPAIR},
        .words = {{OPTION_TASK, NULL, "The task, where a run is named"}},
    },
    {
        .group = "task",
        .name = "output",
        .args = "TASKRUN",
        .summary = "Print what a task run has put out",
        .help = "TASKRUN is a key; with --task it is a run, and the task run is that task's "
                "newest.\n\n"
                "  reprise task output @latest --task load > load.txt",
        .min_args = 1,
        .max_args = 1,
        .run = verb_task_output,
        .options = {OPTION_TASK, OPTION_OF_REPAIR, OPTION_ATTEMPT},
        .words = {{OPTION_TASK, NULL, "The task, where a run is named"}},
    },
    {
        .group = "rerun",
        .name = "list",
        .summary = "List campaigns, newest first",
        .help = "  reprise rerun list --status RUNNING",
        .run = verb_rerun_list,
        .options = {OPTION_STATUS, OPTION_LIMIT, OPTION_PAGE, OPTION_ALL},
        .words = {{OPTION_STATUS, NULL, "Only campaigns in this state; may be given again"}},
    },
    {
        .group = "rerun",
        .name = "get",
        .args = "CAMPAIGN",
        .summary = "Show a campaign: a grid of jobs and planned times, and what went wrong",
        .help =
            "CAMPAIGN is a key, six characters or more of how a key begins or ends, the name of a campaign, or "
            "@latest. Below the grid stand cells that failed, are blocked, skipped or running, twenty of "
            "them; with --all every cell with its run.\n\n"
            "  reprise rerun get @latest --all",
        .min_args = 1,
        .max_args = 1,
        .run = verb_rerun_get,
        .options = {OPTION_ALL},
        .words = {{OPTION_ALL, NULL, "Every planned time, with its run"}},
    },
    {
        .group = "rerun",
        .name = "pause",
        .args = "CAMPAIGN",
        .summary = "Start nothing new of a campaign; what runs goes on",
        .help = "  reprise rerun pause @latest",
        .min_args = 1,
        .max_args = 1,
        .run = verb_rerun_pause,
    },
    {
        .group = "rerun",
        .name = "resume",
        .args = "CAMPAIGN",
        .summary = "Go on with a campaign that is paused or has failed",
        .help =
            "Of one that has failed, what failed starts again; what succeeded is not touched.\n\n"
            "  reprise rerun resume 'load again' --wait",
        .min_args = 1,
        .max_args = 1,
        .run = verb_rerun_resume,
        .options = {OPTION_WAIT},
    },
    {
        .group = "rerun",
        .name = "cancel",
        .args = "CAMPAIGN",
        .summary = "End a campaign: its active runs are cancelled, nothing new starts",
        .help = "  reprise rerun cancel 1c0d4e5f",
        .min_args = 1,
        .max_args = 1,
        .run = verb_rerun_cancel,
    },
    {
        .name = "rerun",
        .args = "JOB",
        .summary = "Rerun the runs of a range of planned times, as one campaign",
        .help =
            "T is a date, RFC 3339, or ms since 1970. A plain date is that whole day, the last one "
            "too, on the clock of JOB's schedule, or in UTC without one. Runs that were started by "
            "hand, or are active, are not rerun. With --wait the exit "
            "code is 0 when it ends with SUCCESS and 1 when it ends otherwise. --plan shows how many "
            "runs it would be, of which jobs, and changes nothing.\n\n"
            "  reprise rerun nightly --plan \\\n"
            "      --from 2026-01-01 --to 2026-01-31\n"
            "  reprise rerun nightly --downstream --concurrent 4 --where first \\\n"
            "      --from 2026-01-30T00:00:00Z --to 2026-01-31T00:00:00Z",
        .min_args = 1,
        .max_args = 1,
        .run = verb_rerun,
        .options = {OPTION_FROM, OPTION_TO, OPTION_JOB, OPTION_DOWNSTREAM, OPTION_CONCURRENT,
                    OPTION_WHERE, OPTION_TASK, OPTION_VERSION, OPTION_INSTANCES, OPTION_PARAM,
                    OPTION_CANARY, OPTION_SUPPLEMENT, OPTION_REVERSE, OPTION_STOP_ON_FAIL,
                    OPTION_LABEL, OPTION_PLAN, OPTION_WAIT},
        .words = {{OPTION_FROM, "T", "The first planned time"},
                  {OPTION_TO, "T", "The last planned time, itself included"},
                  {OPTION_JOB, NULL, "This job too; may be given again"},
                  {OPTION_TASK, NULL, "With --where node: the task that each run begins at"},
                  {OPTION_PARAM, NULL, "A parameter of every run and repair; may be given again"},
                  {OPTION_LABEL, "NAME", "Name of the campaign"}},
    },
    {
        .group = "schedule",
        .name = "pause",
        .args = "JOB",
        .summary = "Let the schedule of a job rest; runs that exist go on",
        .help =
            "Also of a job that is continuous. Times that pass meanwhile are not made up for.\n\n"
            "  reprise schedule pause nightly",
        .min_args = 1,
        .max_args = 1,
        .run = verb_schedule_pause,
    },
    {
        .group = "schedule",
        .name = "resume",
        .args = "JOB",
        .summary = "Let the schedule of a job go on",
        .help = "  reprise schedule resume nightly",
        .min_args = 1,
        .max_args = 1,
        .run = verb_schedule_resume,
    },
    {
        .group = "schedule",
        .name = "next",
        .args = "EXPR",
        .summary = "Show when a Quartz cron expression fires next; needs no server",
        .help = "Days on which clocks are changed are marked. T is epoch ms or RFC 3339; without "
                "--after: from now on. With -o json: {\"next\":[epoch ms, ...]}, empty when it "
                "fires no more.\n\n"
                "  reprise schedule next '0 30 2 * * ?' --timezone Europe/Berlin\n"
                "  reprise schedule next '0 0 9 ? * 6L' --timezone UTC --count 3",
        .min_args = 1,
        .max_args = 1,
        .max_count = UPCOMING_MAX,
        .run = verb_schedule_next,
        .options = {OPTION_TIMEZONE, OPTION_AFTER, OPTION_COUNT},
        .words = {{OPTION_COUNT, NULL, "So many times (10)"}},
    },
};

size_t cli_verb_count(void)
{
    return ARRAY_LEN(work_verbs) + cli_house_verb_count;
}

const struct verb *cli_verb(size_t at)
{
    return at < ARRAY_LEN(work_verbs) ? &work_verbs[at]
                                      : &cli_house_verbs[at - ARRAY_LEN(work_verbs)];
}
