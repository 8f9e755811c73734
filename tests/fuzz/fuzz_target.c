/* Any text as a request's target: its path and its query, by the table of the widest list. What was decoded holds
 * no NUL, and offsets point into the path. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "api/oracle/lists.h"
#include "api/oracle/resource.h"
#include "api/query.h"
#include "api/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct schema *const queries[] = {
        &job_list_query_schema,      &run_list_query_schema,       &recent_query_schema,
        &task_run_list_query_schema, &operation_list_query_schema, &cluster_list_query_schema,
    };
    struct arena arena;
    struct target target;
    struct err err = {0};
    arena_init(&arena);
    const char *text = arena_memdup(&arena, data, len);
    if (target_parse(text, &arena, &target, &err)) {
        assert(err.message[0]);
    } else {
        assert(target.count <= TARGET_MAX_SEGMENTS);
        for (size_t i = 0; i < target.count; i++) {
            assert(target.segments[i][0]);
            assert(target.starts[i] <= strlen(target.path));
        }
        for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
            void *parsed;
            if (query_parse(queries[i], target.query, &arena, &parsed, &err))
                assert(err.message[0]);
        }
    }
    arena_release(&arena);
    return 0;
}
