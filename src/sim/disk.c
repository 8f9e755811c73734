#include "sim/disk.h"

#include <stdlib.h>

#include "base/mem.h"
#include "sim/fail.h"

static enum store_result on_commit(void *context, int64_t number, bool *ret_applied)
{
    const struct disk *disk = context;
    (void)number;
    *ret_applied = disk->fate == COMMIT_UNANSWERED;
    return disk->fate == COMMIT_OK ? STORE_OK : STORE_FAILED;
}

struct disk *disk_new(void)
{
    struct disk *disk = xcalloc(1, sizeof *disk);
    const struct store_faults faults = {on_commit, disk};
    disk->store = store_open_memory(&faults);
    disk->reader = store_reader_open(disk->store);
    return disk;
}

void disk_free(struct disk *disk)
{
    if (!disk)
        return;
    store_reader_close(disk->reader);
    store_close(disk->store);
    free(disk);
}

void disk_commit(struct disk *disk, enum commit_fate fate, struct store_commit *commit)
{
    disk->fate = fate;
    enum store_result result = store_commit(disk->store, commit);
    disk->fate = COMMIT_OK;
    if (result != (fate == COMMIT_OK ? STORE_OK : STORE_FAILED))
        broken("the store refuses a batch of %zu rows (%d)", commit->rows->count, (int)result);
}
