#include "cli/verbs.h"

#include <stdint.h>

#include "base/mem.h"
#include "calendar/upcoming.h"

enum { RECENT_MAX_COUNT = 10 };

const struct verb cli_verbs[] = {
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
        .name = "list",
        .summary = "List jobs, newest first",
        .help = "  reprise job list\n"
                "  reprise job list -o name | xargs -n 1 reprise job get",
        .run = verb_job_list,
        .options = {OPTION_LIMIT, OPTION_PAGE},
    },
    {
        .group = "job",
        .name = "get",
        .args = "JOB",
        .summary = "Show a job: its parameters, tasks and what they depend on",
        .help = "JOB is a key, or a name that only one job has.\n\n"
                "  reprise job get nightly\n"
                "  reprise job get nightly -o json > nightly.json",
        .min_args = 1,
        .max_args = 1,
        .run = verb_job_get,
    },
    {
        .group = "job",
        .name = "update",
        .args = "JOB",
        .summary = "Replace a job's definition; runs that exist keep theirs",
        .help = "  reprise job update nightly -f nightly.yaml",
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
        .options = {OPTION_LIMIT, OPTION_PAGE},
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
                "  reprise job simulate nightly --assume load=FAILED --repair --then load=SUCCESS",
        .max_args = 1,
        .run = verb_job_simulate,
        .options = {'f', OPTION_ASSUME, OPTION_PARAM, OPTION_REPAIR, OPTION_TASK,
                    OPTION_WITH_DOWNSTREAM, OPTION_WITH_UPSTREAM, OPTION_MODE, OPTION_THEN,
                    OPTION_STRICT},
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
        .help = "  reprise run list --job nightly --status FAILED --limit 20",
        .run = verb_run_list,
        .options = {OPTION_JOB, OPTION_STATUS, OPTION_LIMIT, OPTION_PAGE},
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
    },
    {
        .group = "run",
        .name = "get",
        .args = "RUN",
        .summary = "Show a run: the tree of its tasks, with states and reasons",
        .help = "RUN is a key, or @latest.\n\n"
                "  reprise run get @latest",
        .min_args = 1,
        .max_args = 1,
        .run = verb_run_get,
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
        .help = "Without --task: every task that did not succeed. Tasks that are kept are not "
                "touched. --plan shows what would happen to each task, and why, and changes "
                "nothing.\n\n"
                "  reprise run repair @latest --plan\n"
                "  reprise run repair @latest --param date=2026-01-31 --watch\n"
                "  reprise run repair @latest --task load --with-downstream --definition current",
        .min_args = 1,
        .max_args = 1,
        .run = verb_run_repair,
        .options = {OPTION_TASK, OPTION_WITH_DOWNSTREAM, OPTION_WITH_UPSTREAM, OPTION_PARAM,
                    OPTION_DEFINITION, OPTION_MODE, OPTION_IF_MATCH, OPTION_PLAN, OPTION_WATCH,
                    OPTION_WAIT},
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
            "the run has ended.\n\n"
            "  reprise run logs @latest --task load\n"
            "  reprise run logs @latest --task load --stream stdout > load.txt",
        .min_args = 1,
        .max_args = 1,
        .run = verb_run_logs,
        .options = {OPTION_TASK, OPTION_ATTEMPT, OPTION_STREAM, OPTION_FOLLOW},
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
        .help = "  reprise run cancel @latest --wait",
        .min_args = 1,
        .max_args = 1,
        .run = verb_run_cancel,
        .options = {OPTION_IF_MATCH, OPTION_WAIT},
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
        .options = {OPTION_TASK},
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
        .options = {OPTION_TASK, OPTION_ATTEMPT},
    },
    {
        .group = "rerun",
        .name = "list",
        .summary = "List campaigns, newest first",
        .help = "  reprise rerun list --status RUNNING",
        .run = verb_rerun_list,
        .options = {OPTION_STATUS, OPTION_LIMIT, OPTION_PAGE},
    },
    {
        .group = "rerun",
        .name = "get",
        .args = "CAMPAIGN",
        .summary = "Show a campaign: a grid of jobs and planned times, and what went wrong",
        .help = "  reprise rerun get 0199f6c2-5d1e-7c3a-9b1e-3f2a1c0d4e5f",
        .min_args = 1,
        .max_args = 1,
        .run = verb_rerun_get,
    },
    {
        .group = "rerun",
        .name = "pause",
        .args = "CAMPAIGN",
        .summary = "Start nothing new of a campaign; what runs goes on",
        .help = "  reprise rerun pause 0199f6c2-5d1e-7c3a-9b1e-3f2a1c0d4e5f",
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
            "  reprise rerun resume 0199f6c2-5d1e-7c3a-9b1e-3f2a1c0d4e5f --wait",
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
        .help = "  reprise rerun cancel 0199f6c2-5d1e-7c3a-9b1e-3f2a1c0d4e5f",
        .min_args = 1,
        .max_args = 1,
        .run = verb_rerun_cancel,
    },
    {
        .name = "rerun",
        .args = "JOB",
        .summary = "Rerun the runs of a range of planned times, as one campaign",
        .help =
            "Runs that were started by hand, or are active, are not rerun. With --wait the exit "
            "code is 0 when it ends with SUCCESS and 1 when it ends otherwise.\n\n"
            "  reprise rerun nightly --from 2026-01-01T00:00:00Z --to 2026-01-31T23:59:59Z\n"
            "  reprise rerun nightly --from 2026-01-30T00:00:00Z --to 2026-01-31T00:00:00Z "
            "--downstream --concurrent 4 --where first --version current",
        .min_args = 1,
        .max_args = 1,
        .run = verb_rerun,
        .options = {OPTION_FROM, OPTION_TO, OPTION_JOB, OPTION_DOWNSTREAM, OPTION_CONCURRENT,
                    OPTION_WHERE, OPTION_TASK, OPTION_VERSION, OPTION_INSTANCES, OPTION_CANARY,
                    OPTION_SUPPLEMENT, OPTION_REVERSE, OPTION_STOP_ON_FAIL, OPTION_LABEL,
                    OPTION_WAIT},
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
    },
    {
        .group = "cluster",
        .name = "create",
        .summary = "Register a cluster that tasks can name",
        .help = "The file is JSON as the API takes it, or the same as YAML.\n\n"
                "  reprise cluster create -f spark.yaml",
        .run = verb_cluster_create,
        .options = {'f', OPTION_STRICT},
    },
    {
        .group = "cluster",
        .name = "list",
        .summary = "List clusters, newest first",
        .help = "  reprise cluster list",
        .run = verb_cluster_list,
        .options = {OPTION_LIMIT, OPTION_PAGE},
    },
    {
        .group = "cluster",
        .name = "get",
        .args = "CLUSTER",
        .summary = "Show a cluster",
        .help = "CLUSTER is a key, or a name that only one cluster has.\n\n"
                "  reprise cluster get local",
        .min_args = 1,
        .max_args = 1,
        .run = verb_cluster_get,
    },
    {
        .group = "cluster",
        .name = "update",
        .args = "CLUSTER",
        .summary = "Replace what a cluster was made from",
        .help = "  reprise cluster update spark -f spark.yaml",
        .min_args = 1,
        .max_args = 1,
        .run = verb_cluster_update,
        .options = {'f', OPTION_STRICT, OPTION_IF_MATCH},
    },
    {
        .group = "cluster",
        .name = "delete",
        .args = "CLUSTER",
        .summary = "Delete a cluster",
        .help = "  reprise cluster delete spark",
        .min_args = 1,
        .max_args = 1,
        .run = verb_cluster_delete,
        .options = {OPTION_IF_MATCH},
    },
    {
        .group = "cluster",
        .name = "start",
        .args = "CLUSTER",
        .summary = "Make a stopped cluster active",
        .help = "  reprise cluster start spark",
        .min_args = 1,
        .max_args = 1,
        .run = verb_cluster_start,
        .options = {OPTION_IF_MATCH},
    },
    {
        .group = "cluster",
        .name = "stop",
        .args = "CLUSTER",
        .summary = "Stop an active cluster",
        .help = "  reprise cluster stop spark",
        .min_args = 1,
        .max_args = 1,
        .run = verb_cluster_stop,
        .options = {OPTION_IF_MATCH},
    },
    {
        .group = "cluster",
        .name = "restart",
        .args = "CLUSTER",
        .summary = "Restart an active cluster",
        .help = "  reprise cluster restart spark",
        .min_args = 1,
        .max_args = 1,
        .run = verb_cluster_restart,
        .options = {OPTION_IF_MATCH},
    },
    {
        .group = "user",
        .name = "add",
        .args = "NAME",
        .summary = "Make a user",
        .help = "viewer reads; operator runs, cancels and repairs too; admin does everything.\n\n"
                "  reprise user add eva --role operator",
        .min_args = 1,
        .max_args = 1,
        .run = verb_user_add,
        .options = {OPTION_ROLE},
    },
    {
        .group = "user",
        .name = "list",
        .summary = "List users",
        .help = "  reprise user list",
        .run = verb_user_list,
        .options = {OPTION_LIMIT, OPTION_PAGE},
    },
    {
        .group = "user",
        .name = "role",
        .args = "NAME",
        .summary = "Change what a user may do in the workspace at hand",
        .help = "  reprise user role eva --role admin",
        .min_args = 1,
        .max_args = 1,
        .run = verb_user_role,
        .options = {OPTION_ROLE},
    },
    {
        .group = "user",
        .name = "disable",
        .args = "NAME",
        .summary = "Let a user in no more, whatever the credential",
        .help = "  reprise user disable eva",
        .min_args = 1,
        .max_args = 1,
        .run = verb_user_disable,
    },
    {
        .group = "user",
        .name = "enable",
        .args = "NAME",
        .summary = "Let a user in again",
        .help = "  reprise user enable eva",
        .min_args = 1,
        .max_args = 1,
        .run = verb_user_enable,
    },
    {
        .group = "user",
        .name = "password",
        .args = "NAME",
        .summary = "Set a password, for POST /v3/auth/tokens",
        .help = "The password is the first line of standard input.\n\n"
                "  reprise user password eva < password.txt",
        .min_args = 1,
        .max_args = 1,
        .run = verb_user_password,
    },
    {
        .group = "token",
        .name = "create",
        .args = "[NAME]",
        .summary = "Make a token of a user, and show it this once",
        .help = "Without NAME: of whoever calls. The last word is the token.\n\n"
                "  reprise token create eva --label laptop --expires 2027-01-31T00:00:00Z",
        .max_args = 1,
        .run = verb_token_create,
        .options = {OPTION_LABEL, OPTION_EXPIRES},
    },
    {
        .group = "token",
        .name = "list",
        .args = "[NAME]",
        .summary = "List the tokens of a user",
        .help = "  reprise token list eva",
        .max_args = 1,
        .run = verb_token_list,
        .options = {OPTION_LIMIT, OPTION_PAGE},
    },
    {
        .group = "token",
        .name = "revoke",
        .args = "TOKENKEY",
        .summary = "Make a token useless",
        .help = "TOKENKEY is in `reprise token list`; it is not the token.\n\n"
                "  reprise token revoke 6434c0a043db97128a6fba1276103857",
        .min_args = 1,
        .max_args = 1,
        .run = verb_token_revoke,
    },
    {
        .group = "key",
        .name = "add",
        .args = "NAME",
        .summary = "Register a public key of a user, for OCI signatures",
        .help = "The last word is the keyId.\n\n"
                "  openssl rsa -in ~/.oci/key.pem -pubout -out key.pub\n"
                "  reprise key add eva --public-key key.pub",
        .min_args = 1,
        .max_args = 1,
        .run = verb_key_add,
        .options = {OPTION_PUBLIC_KEY, OPTION_LABEL},
    },
    {
        .group = "key",
        .name = "list",
        .args = "[NAME]",
        .summary = "List the public keys of a user",
        .help = "  reprise key list eva",
        .max_args = 1,
        .run = verb_key_list,
        .options = {OPTION_LIMIT, OPTION_PAGE},
    },
    {
        .group = "key",
        .name = "revoke",
        .args = "KEYID",
        .summary = "Make a public key useless",
        .help = "  reprise key revoke ocid1.tenancy…/ocid1.user…/20:3b:97:…",
        .min_args = 1,
        .max_args = 1,
        .run = verb_key_revoke,
    },
    {
        .group = "access-key",
        .name = "create",
        .args = "[NAME]",
        .summary = "Make an access key of a user, and show its secret this once",
        .help = "For SDK-HMAC-SHA256. The last two words are AK and SK.\n\n"
                "  reprise access-key create eva",
        .max_args = 1,
        .run = verb_access_key_create,
        .options = {OPTION_LABEL},
    },
    {
        .group = "access-key",
        .name = "list",
        .args = "[NAME]",
        .summary = "List the access keys of a user",
        .help = "  reprise access-key list eva",
        .max_args = 1,
        .run = verb_access_key_list,
        .options = {OPTION_LIMIT, OPTION_PAGE},
    },
    {
        .group = "access-key",
        .name = "revoke",
        .args = "AK",
        .summary = "Make an access key useless",
        .help = "  reprise access-key revoke HLMQ5ZK2V7RWTB3C4DXN",
        .min_args = 1,
        .max_args = 1,
        .run = verb_access_key_revoke,
    },
    {
        .group = "secret",
        .name = "set",
        .args = "NAME",
        .summary = "Keep a secret under a name",
        .help =
            "The value is standard input, without the line ends behind it. It never comes back.\n\n"
            "  reprise secret set git-token < token.txt",
        .min_args = 1,
        .max_args = 1,
        .run = verb_secret_set,
    },
    {
        .group = "secret",
        .name = "list",
        .summary = "List the names of secrets",
        .help = "  reprise secret list",
        .run = verb_secret_list,
        .options = {OPTION_LIMIT, OPTION_PAGE},
    },
    {
        .group = "secret",
        .name = "delete",
        .args = "NAME",
        .summary = "Remove a secret",
        .help = "  reprise secret delete git-token",
        .min_args = 1,
        .max_args = 1,
        .run = verb_secret_delete,
    },
    {
        .name = "audit",
        .summary = "Show who changed what, and who was not let in",
        .help = "--action takes a whole action, or only its first word. --resource is the key of a "
                "job, run, campaign, cluster or workspace.\n\n"
                "  reprise audit --limit 20\n"
                "  reprise audit --action job --user eva --from 2026-01-31T00:00:00Z\n"
                "  reprise audit --resource \"$RUN\"",
        .run = verb_audit,
        .options = {OPTION_USER, OPTION_ACTION, OPTION_RESOURCE, OPTION_FROM, OPTION_TO,
                    OPTION_LIMIT, OPTION_PAGE},
    },
    {
        .name = "sign-in",
        .summary = "Print an address that signs in to the page, once",
        .help = "  reprise sign-in",
        .run = verb_sign_in,
    },
    {
        .name = "completion",
        .args = "SHELL",
        .summary = "Print a script that completes verbs in bash, zsh or fish",
        .help = "  source <(reprise completion bash)\n"
                "  reprise completion bash > /etc/bash_completion.d/reprise\n"
                "  reprise completion zsh > ~/.zfunc/_reprise\n"
                "  reprise completion fish > ~/.config/fish/completions/reprise.fish",
        .min_args = 1,
        .max_args = 1,
        .run = verb_completion,
    },
    {
        .name = "version",
        .summary = "Print the version of this program",
        .run = verb_version,
    },
};

const size_t cli_verb_count = ARRAY_LEN(cli_verbs);
