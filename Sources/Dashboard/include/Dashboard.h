#pragma once

#include <stddef.h>

/// A file of the dashboard, in the memory of the program.
struct DashboardFile {
    /// The part of its path below `/ui/`.
    const char *_Nonnull name;
    /// The value of `content-type`.
    const char *_Nonnull type;
    const unsigned char *_Nonnull bytes;
    size_t count;
};

/// The first file is the page itself.
extern const struct DashboardFile *const _Nonnull dashboardFiles;
extern const size_t dashboardFileCount;
