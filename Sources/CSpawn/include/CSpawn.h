#include <spawn.h>

/// Closes the files from `first` on in the process that is started: `posix_spawn_file_actions_addclosefrom_np`, which
/// the headers hide from Swift as an extension of GNU.
int spawn_actions_close_from(posix_spawn_file_actions_t *actions, int first);
