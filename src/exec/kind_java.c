/* JAR_TASK on this host: java -cp LIBRARIES CLASS ARGS… On a Spark cluster it is spark-submit's. */
#include <string.h>

#include "base/buf.h"
#include "exec/kind.h"

enum { CLASS_PATH_MAX_BYTES = 120 << 10 }; /* the kernel takes 128 KiB a word */

const char *launch_libraries(struct launch *launch, size_t first, char separator, struct err *err)
{
    const struct exec_order *from = launch->from;
    const char *joined = NULL;
    struct buf text;

    buf_init(&text, CLASS_PATH_MAX_BYTES);
    for (size_t i = first; i < from->library_count; i++) {
        const char *path = launch_file(launch, from->libraries[i], err);
        if (!path || strchr(path, separator)) {
            if (path)
                process_cannot(err, "the path of the library %.200s has a '%c'", from->libraries[i],
                               separator);
            goto out;
        }
        if (text.len > 0)
            buf_add(&text, &separator, 1);
        buf_add(&text, path, strlen(path));
    }
    if (text.overflowed)
        process_cannot(err, "the paths of its libraries are more than %d KiB together",
                       CLASS_PATH_MAX_BYTES >> 10);
    else
        joined = text.len > 0 ? arena_strdup(launch->arena, text.data) : "";
out:
    buf_release(&text);
    return joined;
}

bool kind_java(struct launch *launch, struct err *err)
{
    const char *java = process_java(launch->process, launch->arena, err);

    if (!java)
        return false;
    if (launch->from->library_count == 0)
        return process_cannot(err, "dependentLibraries names no archive to find %.200s in",
                              launch->from->main_class);
    const char *class_path = launch_libraries(launch, 0, ':', err);
    if (!class_path)
        return false;
    launch_command(launch, (const char *const[]){java, "-cp", class_path, launch->from->main_class},
                   4);
    return true;
}
