/* Of the C project's helpers, the two that its display tests and its replay program use. */
#ifndef UPSTREAM_SHIM_MEM_H
#define UPSTREAM_SHIM_MEM_H

#include <glib.h>

#define SPICE_ALIGNED_CAST(type, pointer) ((type)(void *)(pointer))
#define SPICE_VERIFY(truth) G_STATIC_ASSERT(truth)

#endif
