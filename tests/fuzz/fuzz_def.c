/* Any text as the body of createJob: refused with a message, or a definition whose canonical text is one, and the
 * same again. What is refused has problems that say so, and what is taken has none. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "model/def.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void take_again(const struct job_def *def)
{
    struct job_def *loaded;
    struct err err;
    enum err_code code = job_def_load(def->json, 1, &loaded, &err);
    assert(code == ERR_OK);
    assert(strcmp(loaded->json, def->json) == 0);
    assert(loaded->task_count == def->task_count);
    job_def_unref(loaded);
    json_t *json = json_parse(def->json, strlen(def->json), &err);
    assert(json);
    code = job_def_parse(json, true, &loaded, &err);
    assert(code == ERR_OK); /* what is shown can be saved */
    assert(strcmp(loaded->json, def->json) == 0);
    job_def_unref(loaded);
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct err err = {0};
    struct job_def *def = NULL;
    struct arena arena;
    if (!json_is_small((const char *)data, len))
        return 0;
    json_t *json = json_parse((const char *)data, len, &err);
    if (!json) {
        assert(err.message[0]);
        return 0;
    }
    bool strict = len % 2;
    arena_init(&arena);
    bool taken = job_def_parse(json, strict, &def, &err) == ERR_OK;
    struct job_def *valid;
    size_t problems = job_def_problems(json, strict, &arena, &valid).count;
    assert(taken == (problems == 0) && taken == (valid != NULL));
    job_def_unref(valid);
    if (taken)
        take_again(def);
    else
        assert(err.message[0]);
    job_def_unref(def);
    arena_release(&arena);
    json_decref(json);
    return 0;
}
