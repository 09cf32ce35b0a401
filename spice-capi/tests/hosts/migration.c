/* Migration: the host's calls, and what a viewer is told. */
#include "viewer.h"

static int connects, ends;
static void connect_complete(SpiceMigrateInstance *sin) { (void)sin; connects++; }
static void end_complete(SpiceMigrateInstance *sin) { (void)sin; ends++; }
static const SpiceMigrateInterface migrate_if = {
    { SPICE_INTERFACE_MIGRATION, "m", SPICE_INTERFACE_MIGRATION_MAJOR, SPICE_INTERFACE_MIGRATION_MINOR }, connect_complete, end_complete,
};

int main(void) {
    host_begin();
    int port;
    SpiceServer *server = open_server(&port);
    SpiceMigrateInstance migrate = { .base.sif = &migrate_if.base }, second = migrate;
    CHECK(!spice_server_add_interface(server, &migrate.base), "add");
    CHECK(spice_server_add_interface(server, &second.base) == -1, "a second one");
    /* Nobody is here: it is done at once. */
    CHECK(!spice_server_migrate_connect(server, "target", 5900, 0, NULL), "connect");
    WAIT_FOR(connects == 1);
    CHECK(!spice_server_migrate_end(server, 1), "end");
    WAIT_FOR(ends == 1);
    /* A viewer that cannot link to the target beforehand is sent there when all is over. */
    Viewer viewer;
    CHECK(!link_over(&viewer, dial(port), SPICE_CHANNEL_MAIN, 0, 0, "", 0), "link");
    CHECK(await(&viewer, SPICE_MSG_MAIN_INIT), "init");
    WAIT_FOR(spice_server_get_num_clients(server) == 1);
    CHECK(!spice_server_migrate_connect(server, "target.example.org", 5901, 5902, "CN=target"), "connect");
    WAIT_FOR(connects == 2);
    CHECK(!spice_server_migrate_start(server), "start");
    CHECK(!spice_server_migrate_end(server, 1), "end");
    CHECK(await(&viewer, SPICE_MSG_MAIN_MIGRATE_SWITCH_HOST), "where to");
    uint16_t ports[2];
    memcpy(ports, message.body, 4);
    CHECK(ports[0] == 5901 && ports[1] == 5902, "%d %d", ports[0], ports[1]);
    CHECK(memmem(message.body, message.size, "target.example.org", 18) && memmem(message.body, message.size, "CN=target", 9), "names");
    leave(&viewer);
    WAIT_FOR(spice_server_get_num_clients(server) == 0);
    spice_server_destroy(server);
    return 0;
}
