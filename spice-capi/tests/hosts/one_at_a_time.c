/* The old behaviour, by SPICE_MAX_CLIENTS=1 or by the C library's own way: a second viewer takes the place of the first. */
#include "viewer.h"

int main(void) {
    host_begin();
    unsetenv("SPICE_DEBUG_ALLOW_MC");
    setenv("SPICE_MAX_CLIENTS", "1", 1);
    int port;
    SpiceServer *server = open_server(&port);
    Viewer first = join(port, "");
    WAIT_FOR(spice_server_get_num_clients(server) == 1);
    Viewer second = join(port, "");
    CHECK(is_closed(&first), "the first one is still here");
    leave(&first);
    WAIT_FOR(spice_server_get_num_clients(server) == 1);
    leave(&second);
    WAIT_FOR(spice_server_get_num_clients(server) == 0);
    spice_server_destroy(server);
    return 0;
}
