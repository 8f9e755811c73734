#include "exec/news.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "exec/owner.h"

enum { EVERY_MS = 500 };

void news_watch(struct exec *exec, struct attempt *attempt)
{
    char name[ATTEMPT_FILE];

    if (list_is_linked(&attempt->watched) ||
        faccessat(exec->folders.runs_fd, attempt_file(&attempt->id, ".spark", name), F_OK, 0) < 0)
        return;
    if (list_is_empty(&exec->watched))
        exec->news_ms = boot_ms() + EVERY_MS;
    list_append(&exec->watched, &attempt->watched);
}

static void look(struct exec *exec, struct attempt *attempt)
{
    struct report report;

    if (attempt->phase != ATTEMPT_RUNNING)
        return;
    bool is_news = report_news(&report, exec->folders.runs_fd, attempt);
    attempt->is_named |= report.told.external_id != NULL;
    attempt->is_up |= report.told.setup_ms > 0;
    attempt->looked = report.looked;
    bool is_over = attempt->is_named || attempt->looked >= REPORT_LOG_BYTES;
    if (is_over) /* then the cluster that it is on was up */
        list_remove(&attempt->watched);
    if (is_news)
        exec->config.on_report(exec->config.context, &report.told);
    report_release(&report);
}

void news_step(struct exec *exec, int64_t now_ms)
{
    struct list due;

    if (now_ms < news_deadline_ms(exec))
        return;
    exec->news_ms = now_ms + EVERY_MS;
    /* Whoever is told may end any of them, so each goes back to its list before. */
    list_init(&due);
    while (!list_is_empty(&exec->watched)) {
        struct list *node = exec->watched.next;
        list_remove(node);
        list_append(&due, node);
    }
    while (!list_is_empty(&due)) {
        struct list *node = due.next;
        list_remove(node);
        list_append(&exec->watched, node);
        look(exec, LIST_ITEM(node, struct attempt, watched));
    }
}

int64_t news_deadline_ms(const struct exec *exec)
{
    return list_is_empty(&exec->watched) ? INT64_MAX : exec->news_ms;
}
