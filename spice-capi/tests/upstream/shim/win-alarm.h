/* `alarm`, as Unix has it. */
#include <unistd.h>
