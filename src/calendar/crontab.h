/*
 * What people write who know crontab: five fields, or a word such as @daily. It is no Quartz expression, but it can mostly be
 * said as one, and a message is worth more with it than without.
 *
 * Pure. Nothing here is accepted: see cron_parse.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { CRONTAB_TEXT = 96 }; /* of the Quartz expression, with its NUL */

/* The Quartz expression that means what `text` means to crontab: "0 3 * * *" is "0 0 3 * * ?", "@daily" is "0 0 0 * * ?". Whether
 * it is right is for cron_parse to say. False: it is nothing of crontab's, or Quartz cannot say it (a day of the month or one of the week,
 * whichever comes first), or it is too long. */
__attribute__((warn_unused_result)) bool crontab_to_quartz(const char *text,
                                                           char ret[static CRONTAB_TEXT]);
