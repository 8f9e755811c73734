#include "unit/unit.h"

#include "base/uuid.h"

uint32_t draw_below(struct draw *draw, uint32_t below)
{
    draw->state++;
    return (uint32_t)(mix64(draw->state) % below);
}

bool draw_one_in(struct draw *draw, uint32_t n)
{
    return draw_below(draw, n) == 0;
}

void assert_refused(const struct err *err, enum err_code code, const char *part)
{
    if (err->code != code || !strstr(err->message, part))
        fail_msg("got %s \"%s\", expected %s \"…%s…\"", err_code_text(err->code), err->message,
                 err_code_text(code), part);
}
