#include "calendar/schedule.h"

enum err_code schedule_parse_cron(const char *expression, const char *where, struct cron *ret,
                                  struct err *err)
{
    struct cron_error error;
    if (cron_parse(expression, ret, &error))
        return ERR_OK;
    return err_set(err, ERR_INVALID_PARAMETER, "%s, column %d: the %s %s", where, error.column,
                   cron_field_name(error.field), error.message);
}

enum err_code schedule_find_zone(struct zones *zones, const char *id, const char *where,
                                 struct zone **ret, struct err *err)
{
    struct err why;
    enum err_code code = zones_get(zones, id, ret, &why);
    if (code == ERR_INVALID_PARAMETER)
        return err_set(err, code, "%s %s", where, why.message);
    if (code)
        *err = why;
    return code;
}
