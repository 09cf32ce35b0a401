/* The public headers alone. */
#include <spice.h>
