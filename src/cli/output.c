#include "cli/output.h"

/* A byte that is shown takes up to ten. */
enum { PIECE_SHOWN_MAX = 1 << 30 };

static void write_shown(struct output *output, struct buf *shown)
{
    fwrite(shown->len ? shown->data : "", 1, shown->len, output->out);
    buf_release(shown);
    fflush(output->out);
}

void output_put(struct output *output, const char *data, size_t len)
{
    struct buf shown;
    if (!output->to_terminal) {
        fwrite(data, 1, len, output->out);
        fflush(output->out);
        return;
    }
    buf_init(&shown, PIECE_SHOWN_MAX);
    log_filter_add(&output->filter, data, len, &shown);
    write_shown(output, &shown);
}

void output_end(struct output *output)
{
    struct buf shown;
    buf_init(&shown, PIECE_SHOWN_MAX);
    log_filter_end(&output->filter, &shown);
    write_shown(output, &shown);
}
