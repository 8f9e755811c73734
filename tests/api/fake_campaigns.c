/* The fake server's campaigns: none is planned, and one is there whatever its key. */
#include "api/fake.h"

static enum err_code plan_campaign(void *context, struct store_reader *reader,
                                   const struct api_workspace *workspace,
                                   const struct campaign_request *request, struct arena *arena,
                                   struct campaign_plan *ret, struct err *err)
{
    (void)context, (void)reader, (void)workspace, (void)request, (void)arena, (void)ret;
    return err_set(err, ERR_INCORRECT_STATE, "Job x have no instances to rerun");
}

static bool get_campaign(struct store_reader *reader, int64_t workspace, const struct uuid *key,
                         struct arena *arena, struct campaign_row *ret)
{
    (void)reader, (void)arena;
    *ret = (struct campaign_row){
        .workspace = workspace, .key = *key, .name = "again", .jobs = "[]", .revision = 1};
    return true;
}

static size_t campaigns(struct store_reader *reader, int64_t workspace,
                        const struct campaign_filter *filter, struct arena *arena,
                        struct campaign_row **ret)
{
    (void)reader, (void)workspace, (void)filter, (void)arena;
    *ret = NULL;
    return 0;
}

static size_t campaign_cells(struct store_reader *reader, int64_t workspace,
                             const struct uuid *campaign, int64_t from_position, size_t max,
                             struct arena *arena, struct campaign_cell_row **ret)
{
    (void)reader, (void)workspace, (void)campaign, (void)from_position, (void)max, (void)arena;
    *ret = NULL;
    return 0;
}

static bool campaign_counts(struct store_reader *reader, int64_t workspace,
                            const struct uuid *campaign, struct campaign_counts *ret)
{
    (void)reader, (void)workspace, (void)campaign;
    *ret = (struct campaign_counts){{0}};
    return true;
}

void fake_add_campaigns(struct api_backend *backend)
{
    backend->plan_campaign = plan_campaign;
    backend->reads.get_campaign = get_campaign;
    backend->reads.campaigns = campaigns;
    backend->reads.campaign_cells = campaign_cells;
    backend->reads.campaign_counts = campaign_counts;
}
