/* Programs that tasks need besides Python: Java and Spark, where the configuration, the server's
 * environment or the usual places have them. Looked up for each start: they may be installed while
 * the server runs. */
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec/process.h"

static const char *executable(const char *path)
{
    return path && path[0] == '/' && access(path, X_OK) == 0 ? path : NULL;
}

static const char *of_path(const struct process *process, const char *name, struct arena *arena)
{
    const char *path = process->inherited[0] + strlen("PATH=");

    for (;; path++) {
        size_t len = strcspn(path, ":");
        const char *found = executable(arena_printf(arena, "%.*s/%s", (int)len, path, name));
        if (found)
            return found;
        path += len;
        if (*path == '\0')
            return NULL;
    }
}

const char *process_java(const struct process *process, struct arena *arena, struct err *err)
{
    const char *wanted = process->java_wanted;
    const char *home = getenv("JAVA_HOME");
    const char *found = NULL;

    if (wanted)
        found = strchr(wanted, '/') ? executable(wanted) : of_path(process, wanted, arena);
    else {
        if (home)
            found = executable(arena_printf(arena, "%s/bin/java", home));
        if (!found)
            found = of_path(process, "java", arena);
    }
    if (!found)
        process_cannot(err, "no java (exec.java): install a Java runtime, on Debian the package "
                            "default-jre-headless");
    return found;
}

const char *process_java_home(const char *java, struct arena *arena)
{
    char path[PATH_MAX];

    if (!realpath(java, path))
        snprintf(path, sizeof path, "%s", java);
    for (int i = 0; i < 2; i++) { /* …/bin/java */
        char *slash = strrchr(path, '/');
        if (slash && slash != path)
            *slash = '\0';
    }
    return arena_strdup(arena, path);
}

static bool is_spark_home(const char *path, struct arena *arena)
{
    struct stat status;

    return path && executable(arena_printf(arena, "%s/bin/spark-submit", path)) &&
           stat(arena_printf(arena, "%s/jars", path), &status) == 0 && S_ISDIR(status.st_mode);
}

/* PyPI's pyspark is a whole Spark, below the interpreter's folder. */
static const char *of_pyspark(const struct process *process, struct arena *arena)
{
    const char *found = NULL;
    glob_t found_all;
    const char *slash = process->python ? strrchr(process->python, '/') : NULL;

    if (!slash)
        return NULL;
    const char *pattern = arena_printf(arena, "%.*s/../lib/python3*/*-packages/pyspark",
                                       (int)(slash - process->python), process->python);
    if (glob(pattern, 0, NULL, &found_all) == 0 && is_spark_home(found_all.gl_pathv[0], arena))
        found = arena_strdup(arena, found_all.gl_pathv[0]);
    globfree(&found_all);
    return found;
}

static const char *of_spark_submit(const struct process *process, struct arena *arena)
{
    const char *program = of_path(process, "spark-submit", arena);
    const char *home = program ? process_java_home(program, arena) : NULL;

    return is_spark_home(home, arena) ? home : NULL;
}

const char *process_spark_home(const struct process *process, struct arena *arena, struct err *err)
{
    const char *home = process->spark_home_wanted ? process->spark_home_wanted
                                                  : getenv("SPARK_HOME");

    if (home && is_spark_home(home, arena))
        return home;
    if (home) {
        process_cannot(err,
                       "%s is no folder of a Spark distribution: it has no bin/spark-submit "
                       "or no jars",
                       process->spark_home_wanted ? "exec.spark-home" : "SPARK_HOME");
        return NULL;
    }
    home = of_pyspark(process, arena);
    if (!home)
        home = of_spark_submit(process, arena);
    if (!home)
        process_cannot(err, "no Spark (exec.spark-home): unpack a Spark distribution, or install "
                            "the Python package pyspark, and name its folder");
    return home;
}
