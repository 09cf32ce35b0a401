/* Takes the place of the C server's own, by which its tests get the log. */
#include <common/log.h>
