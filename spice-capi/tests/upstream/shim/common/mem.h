/* Takes the place of the C project's own, by which the tests get casts that know their alignment. */
#include <common/log.h>
