/* "Did you mean": what is said of words that are no verb. */
#pragma once

/* Complains of `first`, and of `second` behind it (NULL: there is none): tells the verb that is meant, or which ones there are. */
void suggest_verb(const char *first, const char *second);
