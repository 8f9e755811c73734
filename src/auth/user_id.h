/* Ids of users: OCIDs, as the region and 20 random bytes make them. */
#pragma once

#include <stdint.h>

enum { USER_ID_TEXT = 128, USER_ID_UNIQUE_BYTES = 20 };

/* "ocid1.user.oc1.REGION.…" into `text`, which is returned. Of a region that is too long the beginning: the rest
 * is what makes the id unique. */
char *user_id_format(const char *region, const uint8_t unique[static USER_ID_UNIQUE_BYTES],
                     char text[static USER_ID_TEXT]);
