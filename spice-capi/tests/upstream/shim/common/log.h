/* What the tests use of the C project's log: a check that ends the program, lines for GLib, a cast. */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H
#include <glib.h>
#include <spice/macros.h>

#define spice_assert(cond) do { if (!(cond)) g_error("%s:%d: not so: %s", __FILE__, __LINE__, #cond); } while (0)
#define spice_error(...) g_error(__VA_ARGS__)
#define spice_critical(...) g_critical(__VA_ARGS__)
#define spice_warning(...) g_warning(__VA_ARGS__)
#define spice_info(...) g_info(__VA_ARGS__)
#define spice_debug(...) g_debug(__VA_ARGS__)
#define SPICE_ALIGNED_CAST(type, value) ((type)(void *)(value))
#endif
