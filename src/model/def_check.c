/* The texts of a definition: parameters, paths, arguments, comparisons, conditions, references. */
#include "model/def_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "model/cluster.h"
#include "model/condition.h"
#include "model/el.h"
#include "model/git.h"
#include "model/params.h"
#include "model/reference.h"
#include "model/secret.h"
#include "model/words.h"

/* A task refers to another one, by {{tasks.T.…}}. */
struct query {
    uint32_t task;
    uint32_t target;
    uint32_t rank; /* of the target in the topological order */
};

struct checker {
    struct job_def *def;
    struct err *err;
    struct arena scratch; /* for one task */
    struct param_variables job_variables;
    uint32_t *rank;        /* task → place in the topological order */
    struct query *queries; /* whether they hold is found for all of them together */
    size_t query_count;
    size_t query_cap;
    uint32_t task;      /* that is being checked */
    bool job_is_broken; /* a part of it could not be read */
};

/* ---- references ---- */

enum { NO_INDEX = -1 };

/* What is asked of each text: of a task (NULL: of the job) in its language. */
struct text_check {
    struct reference_check references;
    bool is_el;
};

/* Where a text stands, for messages: FIELD, FIELD[index] or FIELD[index].PART. */
struct place {
    const char *field;
    int64_t index;
    const char *part;
};

static enum err_code check_expressions(const char *text, const struct reference_check *check,
                                       struct err *err)
{
    const struct el_check el = {check->is_upstream, check->context};
    return el_check(text, &el, err);
}

static enum err_code check_text(const char *text, const struct text_check *check,
                                const struct checker *checker, struct place place)
{
    if (!text)
        return ERR_OK;
    enum err_code code = check->is_el ? check_expressions(text, &check->references, checker->err)
                                      : reference_check(text, &check->references, checker->err);
    if (!code)
        return ERR_OK;
    char task[32] = "";
    char index[32] = "";
    if (check->references.task)
        snprintf(task, sizeof task, "tasks[%u].", checker->task);
    if (place.index != NO_INDEX)
        snprintf(index, sizeof index, "[%lld]", (long long)place.index);
    return def_refuse_at(checker->err, "%s%s%s%s:", task, place.field, index, place.part);
}

static enum err_code check_values(const struct field_list *params, const struct text_check *check,
                                  const struct checker *checker)
{
    const struct param *items = params->items;
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < params->count && !code; i++)
        code = check_text(items[i].value, check, checker,
                          (struct place){"parameters", (int64_t)i, ".value"});
    return code;
}

/* What the words will have put in, and nothing else; expressions say at which character of the whole they are wrong. */
static enum err_code check_argument_references(const char *text, const struct task_def *task,
                                               const struct text_check *check,
                                               struct checker *checker)
{
    const struct place place = {"commandLineArguments", NO_INDEX, ""};
    struct words words;
    struct err ignored;
    if (check->is_el ||
        words_split(text, task->expression_language, &checker->scratch, &words, &ignored))
        return check_text(text, check, checker, place);
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < words.piece_count && !code; i++)
        code = check_text(words.pieces[i].text, check, checker, place);
    return code;
}

/* Every text of a task in which references are put. */
static enum err_code check_task_references(const struct task_def *task,
                                           const struct text_check *check, struct checker *checker)
{
    const struct {
        const char *field;
        const char *text;
    } texts[] = {
        {"notebookPath", task->notebook_path},
        {"filePath", task->file_path},
        {"mainClass", task->main_class},
        {"script", task->script},
        {"url", task->url},
        {"body", task->body},
        {"path", task->path},
        {"gitConfig.branch", task->git_config ? task->git_config->branch : NULL},
        {"gitConfig.repositoryUrl", task->git_config ? task->git_config->repository_url : NULL},
    };
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < ARRAY_LEN(texts) && !code; i++)
        code =
            check_text(texts[i].text, check, checker, (struct place){texts[i].field, NO_INDEX, ""});
    if (!code)
        code = check_argument_references(task->command_line_arguments, task, check, checker);
    const char *const *libraries = task->dependent_libraries.items;
    for (size_t i = 0; i < task->dependent_libraries.count && !code; i++)
        code = check_text(libraries[i], check, checker,
                          (struct place){"dependentLibraries", (int64_t)i, ""});
    const struct if_expression *expressions = task->expressions.items;
    for (size_t i = 0; i < task->expressions.count && !code; i++)
        code = check_text(expressions[i].value, check, checker,
                          (struct place){"expressions", (int64_t)i, ".value"});
    const struct task_header *headers = task->headers.items;
    for (size_t i = 0; i < task->headers.count && !code; i++)
        code = check_text(headers[i].value, check, checker,
                          (struct place){"headers", (int64_t)i, ".value"});
    const struct dependency *dependencies = task->depends_on.items;
    for (size_t i = 0; i < task->depends_on.count && !code && !check->is_el; i++)
        code = check_text(dependencies[i].condition, check, checker,
                          (struct place){"dependsOn", (int64_t)i, ".x-condition"});
    return code ? code : check_values(&task->parameters, check, checker);
}

static bool is_el(const struct task_def *task)
{
    return task->expression_language == LANGUAGE_EL;
}

/* The conditions of the edges that lead here, in the language of the task. */
static enum err_code check_conditions(struct checker *checker, const struct task_def *task,
                                      const struct text_check *check)
{
    const struct dependency *dependencies = task->depends_on.items;
    const struct el_check el = {check->references.is_upstream, check->references.context};
    for (size_t i = 0; i < task->depends_on.count; i++) {
        struct comparison ignored;
        const char *text = dependencies[i].condition;
        enum err_code code =
            !text          ? ERR_OK
            : check->is_el ? el_check_condition(text, &el, checker->err)
                           : comparison_parse(text, &checker->scratch, &ignored, checker->err);
        if (code)
            return def_refuse_at(checker->err, "tasks[%u].dependsOn[%zu].x-condition",
                                 checker->task, i);
    }
    return ERR_OK;
}

/* Says yes to every other task of the job, and takes the question down. */
static bool note_query(const void *context, const char *task_key)
{
    struct checker *checker = (struct checker *)(uintptr_t)context;
    int64_t target = job_def_find(checker->def, task_key);
    if (target < 0 || target == checker->task)
        return false;
    GROW(checker->queries, checker->query_count, checker->query_cap);
    checker->queries[checker->query_count++] =
        (struct query){checker->task, (uint32_t)target, checker->rank[target]};
    return true;
}

/* Of what is no task of the job another check tells. */
static bool may_publish(const void *context, const char *task_key)
{
    const struct checker *checker = context;
    int64_t target = job_def_find(checker->def, task_key);
    return target < 0 || task_type_has_process(checker->def->tasks[target].type);
}

static int by_rank(const void *a, const void *b)
{
    const struct query *x = a;
    const struct query *y = b;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

static uint32_t later(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* Answers the queries from `first` on whose targets are the next 64 different ones: each target is
 * a bit, and a task inherits the bits of its dependencies. Returns how many queries that were, and
 * lowers *bad_task to the first task with a target that is not upstream of it. `reach` has a zero
 * for each task, before and after. */
static size_t answer_batch(const struct checker *checker, size_t first, uint64_t *reach,
                           uint32_t *bad_task)
{
    const struct job_def *def = checker->def;
    const struct query *queries = checker->queries;
    const uint32_t start = queries[first].rank;
    uint32_t end = start; /* tasks outside of [start, end] play no part */
    uint64_t bit = 1;
    size_t last = first;
    for (; last < checker->query_count; last++) {
        if (last > first && queries[last].rank != queries[last - 1].rank)
            bit <<= 1;
        if (!bit)
            break;
        reach[queries[last].target] |= bit;
        end = later(end, later(queries[last].rank, checker->rank[queries[last].task]));
    }
    for (uint32_t rank = start; rank <= end; rank++) {
        uint32_t task = def->order[rank];
        for (uint32_t d = 0; d < def->nodes[task].dep_count; d++)
            reach[task] |= reach[def->nodes[task].deps[d].task];
    }
    bit = 1;
    for (size_t i = first; i < last; i++) {
        if (i > first && queries[i].rank != queries[i - 1].rank)
            bit <<= 1;
        if (!(reach[queries[i].task] & bit) && queries[i].task < *bad_task)
            *bad_task = queries[i].task;
    }
    for (uint32_t rank = start; rank <= end; rank++)
        reach[def->order[rank]] = 0;
    return last - first;
}

struct marked {
    const struct job_def *def;
    const uint8_t *marks;
};

static bool is_marked(const void *context, const char *task_key)
{
    const struct marked *marked = context;
    int64_t target = job_def_find(marked->def, task_key);
    return target >= 0 && marked->marks[target];
}

/* Whether every target is upstream of the task that refers to it. The first task that refers to
 * another one is gone through again, to find the text. */
static enum err_code answer_queries(struct checker *checker)
{
    struct job_def *def = checker->def;
    if (!checker->query_count)
        return ERR_OK;
    qsort(checker->queries, checker->query_count, sizeof *checker->queries, by_rank);
    uint64_t *reach = xcalloc(def->task_count, sizeof *reach);
    uint32_t bad_task = UINT32_MAX;
    for (size_t i = 0; i < checker->query_count;)
        i += answer_batch(checker, i, reach, &bad_task);
    free(reach);
    if (bad_task == UINT32_MAX)
        return ERR_OK;
    uint8_t *marks = xcalloc(def->task_count, 1);
    job_def_mark_upstream(def, bad_task, marks);
    const struct task_def *task = &def->tasks[bad_task];
    const struct marked marked = {def, marks};
    const struct text_check check = {{task->task_key, is_marked, &marked, NULL}, is_el(task)};
    checker->task = bad_task;
    enum err_code code = check_conditions(checker, task, &check);
    if (!code)
        code = check_task_references(task, &check, checker);
    free(marks);
    return code;
}

/* ---- the other texts of a task ---- */

static enum err_code check_path(struct checker *checker, const char *path, const char *field)
{
    const char *ignored;
    if (path && workspace_path(path, &checker->scratch, &ignored, checker->err))
        return def_refuse_at(checker->err, "tasks[%u].%s", checker->task, field);
    return ERR_OK;
}

static enum err_code check_libraries(struct checker *checker, const struct task_def *task)
{
    const char *const *libraries = task->dependent_libraries.items;
    const char *ignored;
    for (size_t i = 0; i < task->dependent_libraries.count; i++)
        if (workspace_path(libraries[i], &checker->scratch, &ignored, checker->err))
            return def_refuse_at(checker->err, "tasks[%u].dependentLibraries[%zu]", checker->task,
                                 i);
    return ERR_OK;
}

/* What the engine decides is decided once: there is nothing to retry. */
static enum err_code check_no_retries(const struct checker *checker, const struct task_def *task)
{
    const char *field = task->max_retries               ? "maxRetries must be 0"
                        : task->min_retry_interval_ms   ? "minRetryIntervalMillis must be 0"
                        : task->is_retry_on_timeout > 0 ? "isRetryOnTimeout must be false"
                                                        : NULL;
    if (!field)
        return ERR_OK;
    return err_set(checker->err, ERR_INVALID_PARAMETER,
                   "tasks[%u].%s: an IF_ELSE_TASK has no attempts that could be retried",
                   checker->task, field);
}

static enum err_code check_if_else(struct checker *checker, const struct task_def *task)
{
    enum err_code code = check_no_retries(checker, task);
    if (code)
        return code;
    if (is_el(task))
        return err_set(checker->err, ERR_INVALID_PARAMETER,
                       "tasks[%u].x-expressionLanguage: an IF_ELSE_TASK has expressions of its own",
                       checker->task);
    const struct if_expression *expressions = task->expressions.items;
    size_t count = task->expressions.count;
    for (size_t i = 0; i < count; i++) {
        struct comparison ignored;
        if (comparison_parse(expressions[i].value, &checker->scratch, &ignored, checker->err))
            return def_refuse_at(checker->err, "tasks[%u].expressions[%zu].value", checker->task,
                                 i);
    }
    struct condition *ignored;
    code = condition_parse(task->condition, expressions, count, &checker->scratch, &ignored,
                           checker->err);
    if (code)
        return err_set(checker->err, code, "tasks[%u].%s", checker->task, checker->err->message);
    return ERR_OK;
}

static enum err_code check_task_params(struct checker *checker, const struct task_def *task)
{
    struct param *params = task->parameters.items;
    size_t count = task->parameters.count;
    if (!count)
        return ERR_OK;
    char where[48];
    snprintf(where, sizeof where, "tasks[%u].parameters", checker->task);
    enum err_code code = params_check(params, count, where, checker->err);
    if (!code)
        code = param_variables_check(&checker->job_variables, params_of(&task->parameters), where,
                                     checker->err);
    return code;
}

/* Which job runs is fixed when the definition is saved: no references. */
static enum err_code check_job_key(struct checker *checker, const struct task_def *task)
{
    struct uuid ignored;
    if (uuid_parse(task->job_key, &ignored))
        return ERR_OK;
    return err_set(checker->err, ERR_INVALID_PARAMETER,
                   "tasks[%u].jobKey must be the key of a job, 36 characters long", checker->task);
}

static bool sends_secret(const struct task_def *task)
{
    const struct task_header *headers = task->headers.items;
    for (size_t i = 0; i < task->headers.count; i++)
        if (headers[i].secret)
            return true;
    return false;
}

/* A Host that whoever starts a run may choose, or that nobody sees. None has a brace or a dollar sign itself. */
static bool hides_host(const struct task_def *task)
{
    const struct task_header *headers = task->headers.items;
    for (size_t i = 0; i < task->headers.count; i++)
        if (header_is_host(&headers[i]) && (headers[i].secret || strpbrk(headers[i].value, "{$")))
            return true;
    return false;
}

static enum err_code check_url(const struct checker *checker, const struct task_def *task)
{
    if (sends_secret(task) && !secret_host_is_plain(task->url))
        return err_set(checker->err, ERR_INVALID_PARAMETER,
                       "tasks[%u].url must name its host without a reference, up to the first '/' "
                       "behind it: a secret is sent there",
                       checker->task);
    if (sends_secret(task) && hides_host(task))
        return err_set(
            checker->err, ERR_INVALID_PARAMETER,
            "tasks[%u].headers: Host must have neither a reference nor a secret in it: it "
            "is a part of the address that a secret is sent to",
            checker->task);
    /* A text that begins with a reference is looked at when it is known what that yields. */
    if (strncasecmp(task->url, "http://", 7) == 0 || strncasecmp(task->url, "https://", 8) == 0 ||
        reference_span(task->url) || el_span(task->url))
        return ERR_OK;
    return err_set(checker->err, ERR_INVALID_PARAMETER,
                   "tasks[%u].url must begin with http:// or https://", checker->task);
}

static enum err_code check_script(struct checker *checker, const struct task_def *task)
{
    if (task->type == TASK_SHELL && !task->script == !task->file_path)
        return err_set(checker->err, ERR_INVALID_PARAMETER,
                       "tasks[%u] must have either script or filePath", checker->task);
    return ERR_OK;
}

/* What the types that are ours ask for besides. */
static enum err_code check_node(struct checker *checker, const struct task_def *task)
{
    const char *ignored;
    if (task->type == TASK_HTTP)
        return check_url(checker, task);
    if (task->type == TASK_PATH &&
        workspace_place(task->path, &checker->scratch, &ignored, checker->err))
        return def_refuse_at(checker->err, "tasks[%u].path", checker->task);
    return ERR_OK;
}

static enum err_code check_source(struct checker *checker, const struct task_def *task)
{
    const struct git_config *git = git_config_of(&checker->def->details, task);
    if (checker->job_is_broken && !task->git_config)
        return ERR_OK; /* the job's may be what is wrong */
    if (task->git_config && task->git_config->credential &&
        !secret_host_is_plain(task->git_config->repository_url))
        return err_set(
            checker->err, ERR_INVALID_PARAMETER,
            "tasks[%u].gitConfig.repositoryUrl must name its host without a reference, up to "
            "the first '/' behind it: the credential is sent there",
            checker->task);
    if (task->source != SOURCE_GIT_PROVIDER || (git && git->repository_url))
        return ERR_OK;
    return err_set(checker->err, ERR_MISSING_PARAMETER,
                   "tasks[%u].gitConfig.repositoryUrl is required where source is GIT_PROVIDER%s",
                   checker->task, task->git_config ? "" : ", here or in the job's gitConfig");
}

static enum err_code check_secrets(struct checker *checker, const struct task_def *task)
{
    return task_secrets_check(task, checker->task, &checker->scratch, checker->err);
}

static enum err_code check_paths(struct checker *checker, const struct task_def *task)
{
    enum err_code code = check_path(checker, task->file_path, "filePath");
    return code ? code : check_path(checker, task->notebook_path, "notebookPath");
}

static enum err_code check_cluster(struct checker *checker, const struct task_def *task)
{
    return cluster_check_task(task, checker->task, checker->err);
}

static enum err_code check_decision(struct checker *checker, const struct task_def *task)
{
    return task->type == TASK_IF_ELSE ? check_if_else(checker, task) : ERR_OK;
}

static enum err_code check_child(struct checker *checker, const struct task_def *task)
{
    return task->type == TASK_JOB ? check_job_key(checker, task) : ERR_OK;
}

static struct text_check text_check_of(struct checker *checker, const struct task_def *task)
{
    return (struct text_check){{task->task_key, note_query, checker, may_publish}, is_el(task)};
}

static enum err_code check_edges(struct checker *checker, const struct task_def *task)
{
    const struct text_check check = text_check_of(checker, task);
    return check_conditions(checker, task, &check);
}

static enum err_code check_arguments(struct checker *checker, const struct task_def *task)
{
    struct words ignored;
    if (words_split(task->command_line_arguments, task->expression_language, &checker->scratch,
                    &ignored, checker->err))
        return def_refuse_at(checker->err, "tasks[%u].commandLineArguments", checker->task);
    return ERR_OK;
}

static enum err_code check_references(struct checker *checker, const struct task_def *task)
{
    const struct text_check check = text_check_of(checker, task);
    return check_task_references(task, &check, checker);
}

/* With a report each of these is made, and what is wrong noted; else the first that fails ends it. */
static enum err_code check_task(struct checker *checker, const struct task_def *task,
                                const struct def_report *report)
{
    static const struct {
        enum err_code (*check)(struct checker *checker, const struct task_def *task);
        bool takes_broken; /* does it bear that fields are unset which must be there? */
    } checks[] = {
        {check_task_params, false}, {check_secrets, false}, {check_paths, true},
        {check_libraries, false},   {check_source, false},  {check_cluster, false},
        {check_decision, false},    {check_child, false},   {check_script, false},
        {check_node, false},        {check_edges, true},    {check_arguments, true},
        {check_references, true},
    };
    bool is_broken = report && report->broken_task[checker->task];
    enum err_code code = ERR_OK;
    if (is_broken && (!task->task_key || task->type < 0))
        return ERR_OK;
    for (size_t i = 0; i < ARRAY_LEN(checks) && (!code || report); i++) {
        if ((is_broken && !checks[i].takes_broken) || !checks[i].check(checker, task))
            continue;
        code = checker->err->code;
        if (report)
            def_report_add(report, checker->err);
    }
    arena_clear(&checker->scratch);
    return code;
}

/* ---- all of them ---- */

static enum err_code check_job_dependencies(const struct checker *checker)
{
    const struct field_list *list = &checker->def->details.dependencies;
    const struct job_dependency *items = list->items;
    for (size_t i = 0; i < list->count; i++) {
        struct uuid ignored;
        if (!uuid_parse(items[i].job_key, &ignored))
            return err_set(checker->err, ERR_INVALID_PARAMETER,
                           "dependencies[%zu].jobKey must be the key of a job, 36 characters long",
                           i);
        for (size_t j = 0; j < i; j++)
            if (items[j].period == items[i].period && !strcmp(items[j].job_key, items[i].job_key))
                return err_set(checker->err, ERR_INVALID_PARAMETER,
                               "dependencies[%zu].jobKey names the same job and period as"
                               " dependencies[%zu]",
                               i, j);
    }
    return ERR_OK;
}

static enum err_code check_job(struct checker *checker)
{
    const struct field_list *params = &checker->def->details.parameters;
    struct param *items = params->items;
    enum err_code code = params_check(items, params->count, "parameters", checker->err);
    if (!code)
        code = check_job_dependencies(checker);
    if (!code)
        code = cluster_check_job(&checker->def->details, checker->err);
    if (code)
        return code;
    for (size_t i = 0; i < params->count; i++)
        param_variables_add(&checker->job_variables, items[i].name);
    const struct text_check job_level = {.is_el = checker->def->details.expression_language ==
                                                  LANGUAGE_EL};
    return check_values(params, &job_level, checker);
}

/* With a report every task is gone through. */
static enum err_code check_tasks(struct checker *checker, const struct def_report *report)
{
    enum err_code code = ERR_OK;
    for (uint32_t i = 0; i < checker->def->task_count && (!code || report); i++) {
        checker->task = i;
        enum err_code of_task = check_task(checker, &checker->def->tasks[i], report);
        code = code ? code : of_task;
    }
    return code;
}

static enum err_code check_all(struct checker *checker, const struct def_report *report)
{
    checker->job_is_broken = report && report->job_is_broken;
    enum err_code code = checker->job_is_broken ? ERR_OK : check_job(checker);
    if (code && report)
        def_report_add(report, checker->err);
    if (code && !report)
        return code;
    enum err_code of_tasks = check_tasks(checker, report);
    code = code ? code : of_tasks;
    /* Who is upstream of whom is known where everything is right. */
    if (code || (report && report->problems->count))
        return code;
    code = answer_queries(checker);
    if (code && report)
        def_report_add(report, checker->err);
    return code;
}

enum err_code def_check_texts(struct job_def *def, const struct def_report *report, struct err *err)
{
    struct checker checker = {.def = def, .err = err};
    arena_init(&checker.scratch);
    param_variables_init(&checker.job_variables);
    checker.rank = xcalloc(def->task_count, sizeof *checker.rank);
    for (uint32_t i = 0; i < def->task_count; i++)
        checker.rank[def->order[i]] = i;
    enum err_code code = check_all(&checker, report);
    free(checker.queries);
    free(checker.rank);
    param_variables_release(&checker.job_variables);
    arena_release(&checker.scratch);
    return code;
}
