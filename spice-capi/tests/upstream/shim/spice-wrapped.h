/* The public header, without the C project's renaming of opaque types. */
#include <spice/macros.h>
#include <spice.h>
