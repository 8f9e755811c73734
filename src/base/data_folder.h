/*
 * The data folder when none is named: $REPRISE_DATA, else $XDG_STATE_HOME/reprise, else $HOME/.local/state/reprise,
 * else /var/lib/reprise. The server and its client come to the same.
 *
 * As the XDG base directory specification has it, a path that is relative, or empty, counts as unset:
 * it would be another folder wherever one stands. $REPRISE_DATA may be relative, as --data may.
 */
#pragma once

/* free() it. */
__attribute__((returns_nonnull)) char *data_folder_default(void);
