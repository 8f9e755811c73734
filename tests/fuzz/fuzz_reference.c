/* Any text as a value with references, as arguments, as a comparison, as a condition, as a path, and as what a task
 * published: each is refused with a message or taken, and what is resolved is not resolved again. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "model/condition.h"
#include "model/reference.h"
#include "model/values.h"
#include "model/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool find_task(const void *context, const char *task_key, struct reference_task *ret)
{
    *ret = (struct reference_task){
        .state = STATE_SUCCESS, .error_code = "", .execution_count = 1, .values = context};
    return strcmp(task_key, "load") == 0;
}

static void resolve(const char *text, const char *published)
{
    static const struct param params[] = {{"a", "{{job.id}}"}, {"b.c", "x"}};
    const struct reference_scope scope = {
        .job_name = "j",
        .start_ms = 1700000000000,
        .parameters = params,
        .parameter_count = 2,
        .hub_region = "earth",
        .task_name = "t",
        .execution_count = 1,
        .find_task = find_task,
        .context = published,
    };
    struct buf out;
    struct err err = {0};
    buf_init(&out, 1 << 20);
    if (reference_resolve(text, &scope, &out, &err))
        assert(err.message[0]);
    else if (!strstr(text, "{{"))
        assert(strcmp(out.data ? out.data : "", text) == 0);
    buf_release(&out);
}

static void compare(const char *text, struct arena *arena)
{
    struct comparison comparison;
    struct condition *condition;
    struct err err = {0};
    bool holds;
    if (comparison_parse(text, arena, &comparison, &err))
        assert(err.message[0]);
    else if (comparison_eval(comparison.op, comparison.left, comparison.right, &holds, &err))
        assert(err.message[0]);
    const struct if_expression expressions[] = {{.key = "A", .value = "1 == 1"},
                                                {.key = "B", .value = "1 == 2"}};
    const bool values[] = {true, false};
    if (!condition_parse(text, expressions, 2, arena, &condition, &err))
        (void)condition_eval(condition, values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena arena;
    struct buf published;
    struct words words;
    struct err err = {0};
    struct values_faults faults;
    const char *path;
    arena_init(&arena);
    const char *text = arena_memdup(&arena, data, len);
    buf_init(&published, VALUES_TEXT_MAX_BYTES);
    if (len <= VALUES_MAX_BYTES)
        values_read((const char *)data, len, &published, &faults);
    const struct reference_check check = {.task = NULL};
    (void)reference_check(text, &check, &err);
    resolve(text, published.data);
    compare(text, &arena);
    if (words_split(text, FIELD_UNSET, &arena, &words, &err))
        assert(err.message[0]);
    else
        for (size_t i = 0; i < words.count; i++)
            assert(strlen(words.items[i]) <= len);
    if (workspace_path(text, &arena, &path, &err) == ERR_OK)
        assert(!strstr(path, "/../"));
    values_pairs(published.data, &arena);
    buf_release(&published);
    arena_release(&arena);
    return 0;
}
