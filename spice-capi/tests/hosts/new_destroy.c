/* Servers come and go, and leave nothing behind. */
#include "host.h"

int main(void) {
    host_begin();
    for (int i = 0; i < 3; i++) spice_server_destroy(spice_server_new());
    int port, before = -1;
    for (int i = 0; i < 5; i++) {
        SpiceServer *server = open_server(&port);
        run_for(20);
        spice_server_destroy(server);
        CHECK(host_watches == 0, "%d watches are left", host_watches);
        CHECK(host_timers == 0, "%d timers are left", host_timers);
        if (before < 0) before = open_descriptors();
    }
    CHECK(open_descriptors() == before, "%d descriptors, not %d", open_descriptors(), before);
    /* One without a place to listen at, with a guest that draws for its host alone. */
    SpiceServer *server = spice_server_new();
    CHECK(!spice_server_init(server, &core), "init without a port");
    spice_server_destroy(server);
    return 0;
}
