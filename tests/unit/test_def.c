/* model/def: what is accepted, what is refused and by which name, canonical text. */
#include "unit/def_bodies.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/thread.h"

/* ---- canonical text ---- */

static void defaults_are_filled_in(void **state)
{
    (void)state;
    struct job_def *def = parse_good(TASKS(TASK("a", "") "," IF_ELSE("b", "")));
    assert_string_equal(
        def->tasks_json,
        "[{\"dependsOn\":[],\"isRetryOnTimeout\":false,\"maxRetries\":0,"
        "\"minRetryIntervalMillis\":0,\"runIf\":\"ALL_SUCCESS\",\"taskKey\":\"a\","
        "\"type\":\"PYTHON_TASK\",\"filePath\":\"a.py\",\"source\":\"WORKSPACE\","
        "\"gitConfig\":null,\"commandLineArguments\":null,\"parameters\":[],"
        "\"timeoutSeconds\":null,\"isStreaming\":null,\"cluster\":null},"
        "{\"dependsOn\":[],\"isRetryOnTimeout\":false,\"maxRetries\":0,"
        "\"minRetryIntervalMillis\":0,\"runIf\":\"ALL_SUCCESS\",\"taskKey\":\"b\","
        "\"type\":\"IF_ELSE_TASK\",\"expressions\":[{\"key\":\"A\",\"value\":\"1==1\"}],"
        "\"condition\":\"A\",\"parameters\":[]}]");
    assert_string_equal(def->schedule_json, "null");
    assert_string_equal(def->git_config_json, "null");
    assert_string_equal(def->queue_json, "null");
    assert_string_equal(def->parameters_json, "[]");
    assert_non_null(strstr(def->json, def->tasks_json));
    assert_int_equal(def->version, 1);
    job_def_unref(def);

    def = parse_good("");
    assert_string_equal(def->json,
                        "{\"name\":\"j\",\"description\":null,\"path\":null,\"runAs\":null,"
                        "\"schedule\":null,\"continuous\":null,\"maxConcurrentRuns\":1,"
                        "\"gitConfig\":null,\"queue\":null,\"jobClusters\":[],\"tasks\":[],"
                        "\"parameters\":[],\"timeoutSeconds\":0}");
    assert_int_equal(def->task_count, 0);
    job_def_unref(def);
}

static void stored_texts_load_as_they_were(void **state)
{
    (void)state;
    struct job_def *def = parse_good(
        "\"description\":\"d\\u007f\xc3\xa9\",\"path\":\"/Workspace\",\"runAs\":\"u\","
        "\"schedule\":{\"quartzCronExpression\":\"0 0 12 * * ?\",\"timezoneId\":\"UTC\"},"
        "\"queue\":{},\"maxConcurrentRuns\":0,\"timeoutSeconds\":60,"
        "\"gitConfig\":{\"branch\":\"main\",\"provider\":\"GITLAB\"},"
        "\"jobClusters\":[{\"clusterKey\":\"k\",\"newCluster\":{\"autoScale\":{\"minWorkers\":1},"
        "\"sparkConf\":\"spark.a b\"}}],\"parameters\":[{\"name\":\"p\"},{\"name\":\"q\",\"value\":\"v\"}]," TASKS(
            IF_ELSE("if", "") "," TASK(
                "a", ",\"dependsOn\":[{\"taskKey\":\"if\",\"outcome\":\"false\"}],"
                     "\"runIf\":\"ALL_DONE\",\"maxRetries\":3,\"timeoutSeconds\":1,"
                     "\"cluster\":{\"clusterName\":\"local\"},\"isStreaming\":false,"
                     "\"commandLineArguments\":\"{{tasks.if.result_state}} 'x y'\","
                     "\"parameters\":[{\"name\":\"p\",\"value\":\"{{job.parameters.q}}\"}]")));
    struct job_def *loaded;
    struct err err;
    assert_int_equal(job_def_load(def->json, 7, &loaded, &err), ERR_OK);
    assert_int_equal(loaded->version, 7);
    assert_string_equal(loaded->json, def->json);
    assert_string_equal(loaded->tasks_json, def->tasks_json);
    assert_string_equal(loaded->queue_json, "{\"isEnabled\":false}");
    assert_string_equal(loaded->schedule_json,
                        "{\"pauseStatus\":\"UNPAUSED\",\"quartzCronExpression\":\"0 0 12 * * ?\","
                        "\"timezoneId\":\"UTC\"}");
    assert_string_equal(loaded->parameters_json,
                        "[{\"name\":\"p\",\"value\":\"\"},{\"name\":\"q\",\"value\":\"v\"}]");
    assert_int_equal(loaded->nodes[1].deps[0].outcome, 0);
    assert_int_equal(loaded->nodes[0].dependents[0].outcome, 0);
    job_def_unref(loaded);
    job_def_unref(def);
}

/* ---- fields and their limits ---- */

static void fields_of_a_job(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {"\"maxConcurrentRuns\":0", NULL},
        {"\"maxConcurrentRuns\":1000", NULL},
        {"\"maxConcurrentRuns\":1001", "maxConcurrentRuns must be from 0 to 1000, not 1001"},
        {"\"maxConcurrentRuns\":-1", "maxConcurrentRuns must be from"},
        {"\"timeoutSeconds\":0", NULL},
        {"\"timeoutSeconds\":1", "timeoutSeconds must be 0 (none) or from 60 to 172800, not 1"},
        {"\"timeoutSeconds\":59", "timeoutSeconds must be 0 (none)"},
        {"\"timeoutSeconds\":60", NULL},
        {"\"timeoutSeconds\":172800", NULL},
        {"\"timeoutSeconds\":172801", "timeoutSeconds must be from 0 to 172800"},
        {"\"queue\":{\"isEnabled\":1}", "queue.isEnabled must be true or false"},
        {"\"schedule\":{\"timezoneId\":\"UTC\"}", "schedule.quartzCronExpression is required"},
        {"\"schedule\":{\"quartzCronExpression\":\"x\"}", "schedule.timezoneId is required"},
        {"\"schedule\":{\"quartzCronExpression\":\"x\",\"timezoneId\":\"y\"}", NULL},
        {"\"schedule\":{\"quartzCronExpression\":\"x\",\"timezoneId\":\"y\",\"pauseStatus\":\"\"}",
         "schedule.pauseStatus must be one of PAUSED, UNPAUSED"},
        {"\"gitConfig\":{\"provider\":\"SVN\"}", "gitConfig.provider must be one of GITHUB"},
        {"\"jobClusters\":[{\"newCluster\":{\"clusterName\":\"\"}}]",
         "jobClusters[0].newCluster.clusterName must be 1 to 100"},
        {"\"parameters\":[{\"value\":\"v\"}]", "parameters[0].name is required"},
        {"\"parameters\":[{\"name\":\"a b\"}]", "parameters[0].name must be one or more letters"},
        {"\"parameters\":[{\"name\":\"a\",\"value\":1}]", "parameters[0].value must be a string"},
        {"\"parameters\":[{\"name\":\"a\"},{\"name\":\"a\"}]", "\"a\" is given twice"},
        {"\"parameters\":[{\"name\":\"a.b\"},{\"name\":\"a-b\"}]", "\"a.b\" and \"a-b\""},
        {"\"parameters\":[{\"name\":\"a\",\"value\":\"{{task.name}}\"}]",
         "parameters[0].value: {{task.name}} is known only to the values of a task"},
        {"\"parameters\":[{\"name\":\"a\",\"value\":\"{{job.nme}}\"}]",
         "parameters[0].value: {{job.nme}} is unknown"},
        {"\"tasks\":{}", "tasks must be an array"},
        {"\"tasks\":[1]", "tasks[0] must be an object"},
    };
    assert_refusals(cases, ARRAY_LEN(cases));
}

static void names_of_jobs(void **state)
{
    (void)state;
    char longest[DEF_MAX_NAME + 2];
    memset(longest, 'n', sizeof longest);
    longest[DEF_MAX_NAME + 1] = '\0';
    const struct refusal cases[] = {
        {"a", NULL},
        {"etl_daily.job-2", NULL},
        {longest + 1, NULL},
        {longest, "name must be 1 to 255 characters long, not 256"},
        {"", "name must be 1 to 255 characters long, not 0"},
        {"1a", "name must begin with a letter"},
        {"_a", "name must begin with a letter"},
        {"a b", "name must begin with a letter and hold only"},
        {"a/b", "name must begin with a letter and hold only"},
        {"\xc3\xa4", "name must begin with a letter"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct job_def *def = NULL;
        struct err err = {0};
        json_t *value = json_pack("{s:s}", "name", cases[i].body);
        enum err_code code = job_def_parse(value, true, &def, &err);
        json_decref(value);
        if (cases[i].message)
            assert_refused(&err, ERR_INVALID_PARAMETER, cases[i].message);
        else
            assert_int_equal(code, ERR_OK);
        job_def_unref(def);
    }
    struct job_def *def;
    struct err err = {0};
    json_t *value = json_object();
    job_def_parse(value, true, &def, &err);
    assert_refused(&err, ERR_MISSING_PARAMETER, "name is required");
    json_decref(value);
}

static void fields_of_a_task(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {TASKS("{\"type\":\"PYTHON_TASK\",\"filePath\":\"a\"}"), "tasks[0].taskKey is required"},
        {TASKS("{\"taskKey\":\"a\"}"), "tasks[0].type is required"},
        {TASKS("{\"taskKey\":\"a\",\"type\":\"PYTHON\"}"),
         "tasks[0].type must be one of NOTEBOOK_TASK, PYTHON_TASK, SPARK_SUBMIT_TASK"},
        {TASKS("{\"taskKey\":\"a\",\"type\":\"PYTHON_TASK\"}"), "tasks[0].filePath is required"},
        {TASKS("{\"taskKey\":\"a\",\"type\":\"IF_ELSE_TASK\",\"condition\":\"A\"}"),
         "tasks[0].expressions is required"},
        {TASKS("{\"taskKey\":\"a\",\"type\":\"IF_ELSE_TASK\",\"expressions\":[],"
               "\"condition\":\"A\"}"),
         "tasks[0].expressions must have at least 1 items"},
        {TASKS("{\"taskKey\":\"a\",\"type\":\"IF_ELSE_TASK\",\"expressions\":[{\"key\":\"A\","
               "\"value\":\"1==1\"}]}"),
         "tasks[0].condition is required"},
        {TASKS(TASK("", "")), "tasks[0].taskKey must be 1 to 100 characters long, not 0"},
        {TASKS(TASK("a\\tb", "")), "must not hold control characters"},
        {TASKS(TASK("a\x7f", "")), "found U+007F"},
        {TASKS(TASK("a\xc2\x85", "")), "found U+0085"},
        {TASKS(TASK("a \xc2\xa0 \xe2\x82\xac.{}`'", "")), NULL},
        {TASKS(TASK("a", ",\"maxRetries\":300")), NULL},
        {TASKS(TASK("a", ",\"maxRetries\":301")), "tasks[0].maxRetries must be from 0 to 300"},
        {TASKS(TASK("a", ",\"maxRetries\":-1")), "tasks[0].maxRetries must be from"},
        {TASKS(TASK("a", ",\"minRetryIntervalMillis\":600000")), NULL},
        {TASKS(TASK("a", ",\"minRetryIntervalMillis\":600001")), "from 0 to 600000, not 600001"},
        {TASKS(TASK("a", ",\"timeoutSeconds\":0")), NULL},
        {TASKS(TASK("a", ",\"timeoutSeconds\":1")), NULL},
        {TASKS(TASK("a", ",\"timeoutSeconds\":432000")), NULL},
        {TASKS(TASK("a", ",\"timeoutSeconds\":432001")), "tasks[0].timeoutSeconds must be"},
        {TASKS(TASK("a", ",\"runIf\":\"ALWAYS\"")), "tasks[0].runIf must be one of ALL_SUCCESS"},
        {TASKS(TASK("a", ",\"runIf\":null")), NULL},
        {TASKS(TASK("a", ",\"source\":\"S3\"")), "must be one of WORKSPACE, GIT_PROVIDER"},
        {TASKS(TASK("a", ",\"parameters\":[{\"name\":\"p\"},{\"name\":\"p\"}]")),
         "tasks[0].parameters[1].name \"p\" is given twice"},
        {"\"parameters\":[{\"name\":\"p.q\"}]," TASKS(
             TASK("a", ",\"parameters\":[{\"name\":\"p.q\"}]")),
         NULL},
        {"\"parameters\":[{\"name\":\"p.q\"}]," TASKS(
             TASK("a", ",\"parameters\":[{\"name\":\"p_q\"}]")),
         "tasks[0].parameters[0].name"},
        {TASKS(TASK("a", ",\"parameters\":[{\"name\":\"p.q\"}]") "," TASK(
             "b", ",\"parameters\":[{\"name\":\"p_q\"}]")),
         NULL},
        {TASKS(TASK("a", ",\"filePath2\":1")), NULL},
    };
    assert_refusals(cases, ARRAY_LEN(cases));
    struct job_def *def;
    struct err err = {0};
    parse_as(TASKS(TASK("a", ",\"filePath2\":1")), true, &def, &err);
    assert_refused(&err, ERR_INVALID_PARAMETER, "tasks[0].filePath2 is not a field of Task");
}

static void key_lengths_count_code_points(void **state)
{
    (void)state;
    for (int points = DEF_MAX_TASK_KEY; points <= DEF_MAX_TASK_KEY + 1; points++) {
        struct buf body;
        buf_init(&body, 4096);
        buf_puts(&body, "\"tasks\":[{\"type\":\"PYTHON_TASK\",\"filePath\":\"a\",\"taskKey\":\"");
        for (int i = 0; i < points; i++)
            buf_puts(&body, "\xf0\x9f\x8e\xb5");
        buf_puts(&body, "\"}]");
        const struct refusal refusal = {body.data, points > DEF_MAX_TASK_KEY
                                                       ? "must be 1 to 100 characters long, not 101"
                                                       : NULL};
        assert_refusals(&refusal, 1);
        buf_release(&body);
    }
}

static void texts_of_a_task(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {TASKS("{\"taskKey\":\"a\",\"type\":\"PYTHON_TASK\",\"filePath\":\"../a.py\"}"),
         "tasks[0].filePath must not hold '..'"},
        {TASKS("{\"taskKey\":\"a\",\"type\":\"PYTHON_TASK\",\"filePath\":\"\"}"),
         "tasks[0].filePath must be 1 to"},
        {TASKS("{\"taskKey\":\"a\",\"type\":\"PYTHON_TASK\",\"filePath\":\"dir/\"}"),
         "tasks[0].filePath must name a file"},
        {TASKS("{\"taskKey\":\"a\",\"type\":\"PYTHON_TASK\",\"filePath\":\"{{job.x}}\"}"),
         "tasks[0].filePath: {{job.x}} is unknown"},
        {TASKS(TASK("a", ",\"commandLineArguments\":\"'open\"")),
         "tasks[0].commandLineArguments must have balanced quotes"},
        {TASKS(TASK("a", ",\"commandLineArguments\":\"{{tasks.b.run_id}}\"")),
         "tasks[0].commandLineArguments: {{tasks.b.run_id}} does not name a task upstream of"},
        {TASKS(TASK("a", ",\"commandLineArguments\":\"{{tasks.a.run_id}}\"")),
         "does not name a task upstream of \"a\""},
        /* what quotes and backslashes make of two braces is no reference, there as at run time */
        {TASKS(TASK("a", ",\"commandLineArguments\":\"'{'{{tasks.nope.values.x}}\"")),
         "tasks[0].commandLineArguments: {{tasks.nope.values.x}} does not name a task upstream of"},
        {TASKS(TASK("a", ",\"commandLineArguments\":\"'{{tasks.nope.values.x}}'\"")),
         "tasks[0].commandLineArguments: {{tasks.nope.values.x}} does not name a task upstream of"},
        {TASKS(TASK("a", ",\"commandLineArguments\":\"'{'{tasks.nope.values.x}}\"")), NULL},
        {TASKS(TASK("a", ",\"commandLineArguments\":\"\\\\{{tasks.nope.values.x}}\"")), NULL},
        {TASKS(TASK("a", ",\"parameters\":[{\"name\":\"p\",\"value\":\"{{task.x}}\"}]")),
         "tasks[0].parameters[0].value: {{task.x}} is unknown"},
        {TASKS(TASK("a", ",\"parameters\":[{\"name\":\"p\",\"value\":\"{{job.parameters.q}}\"}]")),
         NULL},
        {TASKS("{\"taskKey\":\"a\",\"type\":\"IF_ELSE_TASK\",\"expressions\":[{\"key\":\"A\","
               "\"value\":\"1\"}],\"condition\":\"A\"}"),
         "tasks[0].expressions[0].value must be a comparison"},
        {TASKS("{\"taskKey\":\"a\",\"type\":\"IF_ELSE_TASK\",\"expressions\":[{\"key\":\"A\","
               "\"value\":\"{{tasks.b.run_id}}==1\"}],\"condition\":\"A\"}"),
         "tasks[0].expressions[0].value: {{tasks.b.run_id}}"},
        {TASKS("{\"taskKey\":\"a\",\"type\":\"IF_ELSE_TASK\",\"expressions\":[{\"key\":\"A-\","
               "\"value\":\"1==1\"}],\"condition\":\"A\"}"),
         "tasks[0].expressions[0].key must be 1 to 100 letters and digits"},
        {TASKS("{\"taskKey\":\"a\",\"type\":\"IF_ELSE_TASK\",\"expressions\":[{\"key\":\"A\","
               "\"value\":\"1==1\"}],\"condition\":\"B\"}"),
         "tasks[0].condition must have the key of an expression"},
        {TASKS(IF_ELSE("a", ",\"maxRetries\":1")), "tasks[0].maxRetries must be 0"},
        {TASKS(IF_ELSE("a", ",\"minRetryIntervalMillis\":1")), "minRetryIntervalMillis must be 0"},
        {TASKS(IF_ELSE("a", ",\"isRetryOnTimeout\":true")), "isRetryOnTimeout must be false"},
        {TASKS(IF_ELSE("a", ",\"maxRetries\":0,\"cluster\":{\"clusterName\":\"local\"}")), NULL},
    };
    assert_refusals(cases, ARRAY_LEN(cases));
}

/* What later work makes run. */
static void what_is_not_supported_is_named(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {"\"continuous\":{\"pauseStatus\":\"PAUSED\"}", NULL},
        {"\"continuous\":null", NULL},
        {"\"x-dataarts\":null", NULL},
        {"\"x-dataarts\":{}", NULL},
        {"\"x-dataarts\":[]", "x-dataarts must be an object"},
        {"\"x-dataarts\":\"{}\"", "x-dataarts must be an object"},
        {TASKS("{\"taskKey\":\"a\",\"type\":\"NOTEBOOK_TASK\",\"notebookPath\":\"../n.ipynb\"}"),
         "tasks[0].notebookPath must not hold '..'"},
        {TASKS("{\"taskKey\":\"a\",\"type\":\"JAR_TASK\",\"mainClass\":\"-version\","
               "\"dependentLibraries\":[\"a.jar\"]}"),
         "tasks[0].mainClass must be the name of a class"},
        {TASKS("{\"taskKey\":\"a\",\"type\":\"JAR_TASK\",\"mainClass\":\"M\","
               "\"dependentLibraries\":[\"a.jar\",\"/x/../b.jar\"]}"),
         "tasks[0].dependentLibraries[1] must not hold '..'"},
        {TASKS(TASK("b", "") ",{\"taskKey\":\"a\",\"type\":\"JOB_TASK\",\"jobKey\":\"nightly\"}"),
         "tasks[1].jobKey must be the key of a job, 36 characters long"},
        {TASKS("{\"taskKey\":\"a\",\"type\":\"JOB_TASK\",\"jobKey\":\"{{job.id}}\"}"),
         "tasks[0].jobKey must be the key of a job"},
        {TASKS("{\"taskKey\":\"a\",\"type\":\"JOB_TASK\",\"jobKey\":"
               "\"01900000-0000-7000-8000-000000000001\"}"),
         NULL},
        {TASKS(TASK("a", ",\"source\":\"GIT_PROVIDER\"")),
         "tasks[0].gitConfig.repositoryUrl is required where source is GIT_PROVIDER, here or"},
        {TASKS(TASK("a", ",\"source\":\"GIT_PROVIDER\"")) ",\"gitConfig\":{\"repositoryUrl\":"
                                                          "\"https://host/x\"}",
         NULL},
        {TASKS(TASK("a", ",\"source\":\"GIT_PROVIDER\",\"gitConfig\":{\"branch\":\"b\"}")),
         "tasks[0].gitConfig.repositoryUrl is required where source is GIT_PROVIDER"},
        {TASKS(TASK("a", ",\"isStreaming\":true")), "tasks[0].isStreaming is not supported"},
        {TASKS(TASK("a", ",\"isStreaming\":false")), NULL},
        {TASKS(TASK("a", ",\"cluster\":{\"newCluster\":{}}")), NULL},
        {TASKS(TASK("a", ",\"cluster\":{\"newCluster\":{\"numWorkers\":65}}")),
         "tasks[0].cluster.newCluster.numWorkers must be from 1 to 64, not 65"},
        {TASKS(TASK("a", ",\"cluster\":{\"newCluster\":{\"autoScale\":{\"maxWorkers\":0}}}")),
         "tasks[0].cluster.newCluster.autoScale.maxWorkers must be from 1 to 64, not 0"},
        {TASKS(TASK("a", ",\"cluster\":{\"newCluster\":{\"autoScale\":{\"minWorkers\":0}}}")),
         "tasks[0].cluster.newCluster.autoScale.maxWorkers must be at least 1 and at least"},
        {TASKS(TASK("a", ",\"cluster\":{\"newCluster\":{\"autoScale\":{\"minWorkers\":0,"
                         "\"maxWorkers\":3}}}")),
         NULL},
        {TASKS(TASK("a", ",\"cluster\":{\"newCluster\":{\"sparkVersion\":\"3.5.x\"}}")),
         "tasks[0].cluster.newCluster.sparkVersion must be a version of Spark"},
        {TASKS(TASK("a", ",\"cluster\":{\"newCluster\":{\"sparkConf\":\"executor.cores 1\"}}")),
         "tasks[0].cluster.newCluster.sparkConf must have names of Spark's settings"},
        {TASKS(TASK("a", ",\"cluster\":{\"newCluster\":{\"sparkConf\":\"{]\"}}")),
         "tasks[0].cluster.newCluster.sparkConf must be lines KEY=VALUE, or a JSON object"},
        {TASKS(TASK("a", ",\"cluster\":{\"newCluster\":{},\"libraries\":{\"jar\":\"../a.jar\"}}")),
         "tasks[0].cluster.libraries.jar must"},
        {TASKS(TASK("a", ",\"cluster\":{\"clusterName\":\"b\",\"libraries\":{\"jar\":\"a.jar\"}}")),
         "tasks[0].cluster.libraries: only on a newCluster is anything installed"},
        {"\"jobClusters\":[{\"clusterKey\":\"k\",\"newCluster\":{}},"
         "{\"newCluster\":{\"clusterName\":\"k\"}}]",
         "jobClusters[1] has the key or the name of jobClusters[0]"},
        {TASKS(TASK("a", ",\"cluster\":{\"clusterName\":\"big\"}")), NULL},
        {TASKS(TASK("a", ",\"cluster\":{\"clusterKey\":\"local\",\"clusterName\":\"local\"}")),
         NULL},
        {TASKS(TASK("a", ",\"cluster\":{\"clusterKey\":\"01900000-0000-7000-8000-000000000001\"}")),
         NULL},
        {TASKS(TASK("a", "") "," TASK(
             "b", ON("a") ",\"commandLineArguments\":\"{{tasks.a.values.k}}\"")),
         NULL},
        /* shown and stored, used by nobody yet */
        {"\"gitConfig\":{\"branch\":\"b\"},\"jobClusters\":[{\"newCluster\":{}}]", NULL},
    };
    assert_refusals(cases, ARRAY_LEN(cases));
}

static void lists_have_limits(void **state)
{
    (void)state;
    static const struct {
        const char *before, *item, *after;
        int most;
        const char *message;
    } cases[] = {
        {"\"jobClusters\":[", "{}", "]", DEF_MAX_JOB_CLUSTERS,
         "jobClusters must have at most 100 items, not 101"},
        {"\"parameters\":[", "{\"name\":\"p%d\"}", "]", DEF_MAX_PARAMETERS,
         "parameters must have at most 1000 items, not 1001"},
        {"\"tasks\":[{\"taskKey\":\"a\",\"type\":\"IF_ELSE_TASK\",\"condition\":\"k0\","
         "\"expressions\":[",
         "{\"key\":\"k%d\",\"value\":\"1==1\"}", "]}]", DEF_MAX_EXPRESSIONS,
         "tasks[0].expressions must have at most 100 items, not 101"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int more = 0; more <= 1; more++) {
            struct buf body;
            buf_init(&body, 1 << 20);
            buf_puts(&body, cases[i].before);
            for (int k = 0; k < cases[i].most + more; k++) {
                const char *number = strchr(cases[i].item, '%');
                buf_puts(&body, k ? "," : "");
                if (number) {
                    buf_add(&body, cases[i].item, (size_t)(number - cases[i].item));
                    buf_int(&body, k);
                    buf_puts(&body, number + 2);
                } else {
                    buf_puts(&body, cases[i].item);
                }
            }
            buf_puts(&body, cases[i].after);
            const struct refusal refusal = {body.data, more ? cases[i].message : NULL};
            assert_refusals(&refusal, 1);
            buf_release(&body);
        }
    }
}

/* ---- sharing ---- */

static void *use_and_let_go(void *argument)
{
    struct job_def *def = argument;
    for (int i = 0; i < 1000; i++)
        job_def_unref(job_def_ref(def));
    job_def_unref(def);
    return NULL;
}

static void definitions_are_shared(void **state)
{
    (void)state;
    struct job_def *def = parse_good(TASKS(TASK("a", "")));
    pthread_t threads[4];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_true(thread_start(&threads[i], use_and_let_go, job_def_ref(def)));
    job_def_unref(def);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        pthread_join(threads[i], NULL);
    job_def_unref(NULL);
}

static void parameters_of_a_run(void **state)
{
    (void)state;
    struct job_def *def = parse_good("\"parameters\":[{\"name\":\"a.b\"}]," TASKS(
        TASK("a", ",\"parameters\":[{\"name\":\"c.d\"}]")));
    const struct param good[] = {{"a.b", ""}, {"c.d", ""}, {"e", ""}};
    const struct param job[] = {{"a_b", ""}};
    const struct param task[] = {{"c-d", ""}};
    struct err err = {0};
    assert_int_equal(job_def_check_parameters(def, good, 3, &err), ERR_OK);
    assert_int_equal(job_def_check_parameters(def, NULL, 0, &err), ERR_OK);
    assert_int_equal(job_def_check_parameters(def, job, 1, &err), ERR_INVALID_PARAMETER);
    assert_refused(&err, ERR_INVALID_PARAMETER, "\"a_b\" and \"a.b\"");
    assert_int_equal(job_def_check_parameters(def, task, 1, &err), ERR_INVALID_PARAMETER);
    assert_refused(&err, ERR_INVALID_PARAMETER, "tasks[0].parameters[0].name");
    job_def_unref(def);
}

/* ---- the tables ---- */

static void assert_documented(const struct schema *schema)
{
    assert_non_null(schema->doc);
    for (size_t i = 0; i < schema->count; i++) {
        const struct field *field = &schema->fields[i];
        if (!field->doc || field->doc[strlen(field->doc) - 1] != '.')
            fail_msg("%s.%s has no sentence that documents it", schema->name, field->name);
        if (field->object)
            assert_documented(field->object);
    }
    for (int i = 0; i < schema->variant_count; i++)
        assert_documented(schema->variants[i]);
}

static void every_field_is_documented(void **state)
{
    (void)state;
    assert_documented(&job_details_schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_filled_in), cmocka_unit_test(stored_texts_load_as_they_were),
        cmocka_unit_test(fields_of_a_job),        cmocka_unit_test(names_of_jobs),
        cmocka_unit_test(fields_of_a_task),       cmocka_unit_test(key_lengths_count_code_points),
        cmocka_unit_test(texts_of_a_task),        cmocka_unit_test(what_is_not_supported_is_named),
        cmocka_unit_test(lists_have_limits),      cmocka_unit_test(definitions_are_shared),
        cmocka_unit_test(parameters_of_a_run),    cmocka_unit_test(every_field_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
