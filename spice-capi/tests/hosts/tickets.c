/* Passwords: who has the right one is let in, for as long as it is good. */
#include "viewer.h"

static SpiceServer *server;
static int port;

static int knock(const char *password) {
    Viewer viewer;
    int result = try_link(&viewer, port, SPICE_CHANNEL_MAIN, 0, password);
    if (!result) leave(&viewer);
    return result;
}

int main(void) {
    host_begin();
    char longest[62];
    memset(longest, 'x', sizeof longest);
    longest[61] = 0;
    /* Before the server is there. */
    server = spice_server_new();
    CHECK(!spice_server_set_ticket(server, NULL, 0, 0, 0), "none");
    CHECK(!spice_server_set_ticket(server, "", 0, 0, 0), "empty");
    CHECK(spice_server_set_ticket(server, longest, 0, 0, 0) == -1, "61 bytes");
    longest[60] = 0;
    CHECK(!spice_server_set_ticket(server, longest, 0, 0, 0), "60 bytes");
    CHECK(!spice_server_set_ticket(server, "first", 0, 0, 0), "first");
    port = free_port();
    spice_server_set_port(server, port);
    spice_server_set_addr(server, "127.0.0.1", 0);
    CHECK(!spice_server_init(server, &core), "init");
    CHECK(!knock("first"), "the right one");
    CHECK(knock("second") == SPICE_LINK_ERR_PERMISSION_DENIED, "a wrong one");
    /* Another takes its place, and who is here stays. */
    Viewer here = join(port, "first");
    WAIT_FOR(spice_server_get_num_clients(server) == 1);
    CHECK(spice_server_set_ticket(server, "second", 0, 1, 0) == -1, "fails while somebody is here");
    CHECK(!spice_server_set_ticket(server, "second", 0, 0, 0), "second");
    CHECK(knock("first") == SPICE_LINK_ERR_PERMISSION_DENIED, "the one before");
    CHECK(!knock("second"), "the new one");
    run_for(20);
    CHECK(spice_server_get_num_clients(server) >= 1, "who was here has left");
    /* And out with them. */
    CHECK(!spice_server_set_ticket(server, "third", 0, 0, 1), "third");
    CHECK(is_closed(&here), "still here");
    WAIT_FOR(spice_server_get_num_clients(server) == 0);
    /* It is over after a second. */
    CHECK(!spice_server_set_ticket(server, "fourth", 1, 0, 0), "fourth");
    CHECK(!knock("fourth"), "in time");
    run_for(2100);
    CHECK(knock("fourth") == SPICE_LINK_ERR_PERMISSION_DENIED, "too late");
    CHECK(!spice_server_set_ticket(server, NULL, 0, 0, 0), "none");
    CHECK(knock("") == SPICE_LINK_ERR_PERMISSION_DENIED, "nothing for nothing");
    CHECK(!spice_server_set_noauth(server), "noauth");
    CHECK(!knock("anything"), "anybody");
    spice_server_destroy(server);
    return 0;
}
