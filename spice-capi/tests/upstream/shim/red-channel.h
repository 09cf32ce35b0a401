/* The display tests include this internal header for what comes with it: assertions and a cast. */
#include "common/log.h"
#include "common/mem.h"
