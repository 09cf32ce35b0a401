/* Sockets as Unix has them. */
#include <sys/socket.h>
#include <unistd.h>

#define socket_close close
