/* Files of a cluster of one attempt. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hex.h"
#include "base/mem.h"
#include "cli/node_cluster.h"

enum {
    CONF_MAX_BYTES = 4 << 20,
    SAY_MAX_BYTES = 15 << 10,
    TAIL_BYTES = 12 << 10,
    OPEN_FOLDERS = 16
};

bool cluster_path(const struct node_cluster *cluster, const char *name, char path[static PATH_MAX])
{
    int len = snprintf(path, PATH_MAX, "%s/%s", cluster->folder, name);
    if (len > 0 && len < PATH_MAX)
        return true;
    errno = ENAMETOOLONG;
    return false;
}

static bool write_all(const char *path, int flags, const char *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    bool done = fd >= 0;
    while (done && len > 0) {
        ssize_t put = write(fd, data, len);
        done = put > 0 || (put < 0 && errno == EINTR);
        if (put > 0)
            data += put, len -= (size_t)put;
    }
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return done;
}

static bool write_named(const struct node_cluster *cluster, const char *name,
                        const struct buf *text)
{
    char path[PATH_MAX];
    if (text->overflowed) {
        errno = EFBIG;
        return false;
    }
    return cluster_path(cluster, name, path) && write_all(path, O_TRUNC, text->data, text->len);
}

/* ---- settings ---- */

/* Its pages show logs and the like to whoever asks on this host, so nobody is let in: in Spark 4 by a filter
 * that wants a token, before by one that wants to be asked from a host that there is not. */
static void close_pages(const struct node_cluster *cluster, struct buf *conf)
{
    static const char proxy_filter[] = "org.apache.hadoop.yarn.server.webproxy.amfilter.AmIpFilter";
    static const char token_filter[] = "org.apache.spark.ui.JWSFilter";
    if (strtol(cluster->version, NULL, 10) >= 4) {
        buf_printf(conf, "spark.ui.filters=%s\n", token_filter);
        buf_printf(conf, "spark.%s.param.secretKey=%s\n", token_filter, cluster->secret);
        return;
    }
    buf_printf(conf, "spark.ui.filters=%s\n", proxy_filter);
    buf_printf(conf, "spark.%s.param.PROXY_HOSTS=192.0.2.1\n", proxy_filter);
    buf_printf(conf, "spark.%s.param.PROXY_URI_BASES=http://192.0.2.1\n", proxy_filter);
}

static bool write_daemons_conf(const struct node_cluster *cluster)
{
    struct buf conf;
    buf_init(&conf, CONF_MAX_BYTES);
    /* Pages on any free port: from a first one up, only so many find one. */
    BUF_LIT(&conf, "spark.authenticate=true\nspark.master.rest.enabled=false\n"
                   "spark.ui.killEnabled=false\nspark.master.ui.port=0\nspark.worker.ui.port=0\n");
    close_pages(cluster, &conf);
    bool done = write_named(cluster, "daemons.conf", &conf);
    buf_release(&conf);
    return done;
}

/* Their logs are what tells that they are up: in our form, whatever the site's is. */
static bool write_log_conf(const struct node_cluster *cluster)
{
    static const char text[] =
        "rootLogger.level = info\nrootLogger.appenderRef.stderr.ref = stderr\n"
        "appender.stderr.type = Console\nappender.stderr.name = stderr\n"
        "appender.stderr.target = SYSTEM_ERR\nappender.stderr.layout.type = PatternLayout\n"
        "appender.stderr.layout.pattern = %d{yy/MM/dd HH:mm:ss} %p %c{1}: %m%n%ex\n";
    char path[PATH_MAX];
    return cluster_path(cluster, "conf/log4j2.properties", path) &&
           write_all(path, O_TRUNC, text, strlen(text));
}

static void add_file(struct buf *conf, const char *path)
{
    char *text = cluster_read(path, false);
    buf_puts(conf, text);
    buf_putc(conf, '\n');
    free(text);
}

/* What the application is given: the site's, what the definition says, and what makes it ours. Later lines
 * win. */
static bool write_application_conf(const struct node_cluster *cluster)
{
    char path[PATH_MAX];
    struct buf conf;
    const char *site = getenv("SPARK_CONF_DIR");
    const char *home = getenv("SPARK_HOME");
    buf_init(&conf, CONF_MAX_BYTES);
    snprintf(path, sizeof path, "%s%s/spark-defaults.conf",
             site   ? site
             : home ? home
                    : "",
             site ? "" : "/conf");
    add_file(&conf, path);
    BUF_LIT(&conf, "spark.ui.enabled=false\n");
    snprintf(path, sizeof path, "%s.in", cluster->stem);
    add_file(&conf, path);
    BUF_LIT(&conf, "spark.authenticate=true\nspark.driver.host=127.0.0.1\n"
                   "spark.driver.bindAddress=127.0.0.1\n");
    buf_printf(&conf, "spark.authenticate.secret=%s\n", cluster->secret);
    bool done = write_named(cluster, "application.conf", &conf);
    buf_release(&conf);
    return done;
}

/* ---- the folder ---- */

/* STEM is RUN/NAME, the folder RUN/spark/NAME. */
static bool make_folder(struct node_cluster *cluster)
{
    const char *slash = strrchr(cluster->stem, '/');
    char path[PATH_MAX];
    int above = slash ? (int)(slash - cluster->stem) : 0;
    int len = snprintf(cluster->folder, sizeof cluster->folder, "%.*s/spark%s", above,
                       cluster->stem, slash ? slash : "");
    if (!slash || len < 0 || len >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    return mkdir(cluster->folder, 0700) == 0 && cluster_path(cluster, "conf", path) &&
           mkdir(path, 0700) == 0;
}

static bool make_secret(struct node_cluster *cluster)
{
    unsigned char bytes[CLUSTER_SECRET_BYTES];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return false;
    hex_text(bytes, sizeof bytes, cluster->secret);
    return true;
}

bool cluster_make_files(struct node_cluster *cluster)
{
    return make_folder(cluster) && make_secret(cluster) && write_daemons_conf(cluster) &&
           write_log_conf(cluster) && write_application_conf(cluster);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    remove(path); /* what stays goes with the run */
    return 0;
}

/* A log of a daemon lies in the folder itself. */
static int remove_but_logs(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    const char *dot = strrchr(path, '.');
    if (where->level == 1 && kind == FTW_F && dot && strcmp(dot, ".log") == 0)
        return 0;
    return remove_one(path, status, kind, where);
}

void cluster_remove_files(const struct node_cluster *cluster, bool keeps_logs)
{
    if (cluster->folder[0])
        nftw(cluster->folder, keeps_logs ? remove_but_logs : remove_one, OPEN_FOLDERS,
             FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* ---- what is told ---- */

char *cluster_read(const char *path, bool last)
{
    char *text = xcalloc(1, CLUSTER_LOG_BYTES + 1);
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    off_t size = fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? status.st_size : 0;
    off_t from = last && size > TAIL_BYTES ? size - TAIL_BYTES : 0;
    ssize_t got = size > 0 ? pread(fd, text, CLUSTER_LOG_BYTES, from) : 0;
    text[got > 0 ? got : 0] = '\0';
    if (fd >= 0)
        close(fd);
    return text;
}

/* In one write, so that a reader sees all of it or nothing: the folder may be somebody else's, where
 * nothing can be renamed. */
void cluster_say(const struct node_cluster *cluster, const char *word, const char *sentence,
                 const char *more)
{
    char path[PATH_MAX];
    char text[SAY_MAX_BYTES];
    snprintf(path, sizeof path, "%s.say", cluster->stem);
    int len = snprintf(text, sizeof text, "%s\n%s\n%s", word, sentence, more);
    if (len > 0)
        write_all(path, O_TRUNC, text, len < (int)sizeof text ? (size_t)len : sizeof text - 1);
}

void cluster_tell_times(const struct node_cluster *cluster, int64_t cleanup_ms)
{
    char path[PATH_MAX];
    char text[96];
    snprintf(path, sizeof path, "%s.cluster", cluster->stem);
    int len = snprintf(text, sizeof text, "setup_ms=%" PRId64 "\n", cluster->setup_ms);
    if (cleanup_ms > 0)
        len +=
            snprintf(text + len, sizeof text - (size_t)len, "cleanup_ms=%" PRId64 "\n", cleanup_ms);
    write_all(path, O_TRUNC, text, (size_t)len);
}
