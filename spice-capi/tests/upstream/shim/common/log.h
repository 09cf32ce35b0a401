/* Of the C project's logging, what its test programs use: an assertion that ends the program. */
#ifndef UPSTREAM_SHIM_LOG_H
#define UPSTREAM_SHIM_LOG_H

#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"

#define spice_assert(truth)                                                        \
    do {                                                                           \
        if (!(truth)) {                                                            \
            fprintf(stderr, "%s:%d: assertion `%s'\n", __FILE__, __LINE__, #truth); \
            abort();                                                               \
        }                                                                          \
    } while (0)

#endif
