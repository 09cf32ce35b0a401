/* Migration: what the host's calls answer, what viewers are told, and that the host hears when it may go on. */
#include "client.h"

static int connects, ends_;
static void connect_complete(SpiceMigrateInstance *sin UNUSED) { on_host_thread("migrate_connect_complete"); connects++; }
static void end_complete(SpiceMigrateInstance *sin UNUSED) { on_host_thread("migrate_end_complete"); ends_++; }
static const SpiceMigrateInterface migrate_interface = {
    { SPICE_INTERFACE_MIGRATION, "migration", SPICE_INTERFACE_MIGRATION_MAJOR, SPICE_INTERFACE_MIGRATION_MINOR }, connect_complete, end_complete,
};
static SpiceMigrateInstance migrate = { .base.sif = &migrate_interface.base };
static SpiceServer *server;
static int port;

#define SEMI (MAIN_CAPS | 1 << SPICE_MAIN_CAP_SEMI_SEAMLESS_MIGRATE)

static void begin(void)
{
    server = serve(&port);
    EQUAL(spice_server_add_interface(server, &migrate.base), 0, "migration");
}
static void end(void)
{
    WAIT_FOR(spice_server_get_num_clients(server) == 0, "still counted");
    spice_server_destroy(server);
    EQUAL(watches, 0, "watches that are left");
    EQUAL(timers, 0, "timers that are left");
}
static Channel *come(uint32_t caps)
{
    Channel *c = open_channel(port, (Link){ .type = SPICE_CHANNEL_MAIN, .caps = caps, .mini = 1 });
    greeted(c);
    WAIT_FOR(spice_server_get_num_clients(server) == 1, "not counted");
    return c;
}
static void string_is(Channel *c, uint32_t size, uint32_t at, const char *should)
{
    CHECK(at + size <= c->size && size == strlen(should) + 1 && !memcmp(c->data + at, should, size), "not %s", should);
}
/* No port is 0, or what the C library makes of the host's -1. */
static void port_is(uint16_t is, uint16_t should, const char *what)
{
    EQUAL(should == 0 && is == 0xffff ? 0 : is, should, what);
}
/* Where to: in MIGRATE_BEGIN and MIGRATE_SWITCH_HOST alike. */
static void destination(Channel *c, uint16_t plain, uint16_t secure, const char *host, const char *subject)
{
    port_is(u16_at(c->data), plain, "port");
    port_is(u16_at(c->data + 2), secure, "secure port");
    string_is(c, u32_at(c->data + 4), u32_at(c->data + 8), host);
    if (subject) string_is(c, u32_at(c->data + 12), u32_at(c->data + 16), subject);
    else EQUAL(u32_at(c->data + 12), 0, "size of no subject");
}

static void the_interface(void)
{
    begin();
    SpiceMigrateInstance second = { .base.sif = &migrate_interface.base };
    EQUAL(spice_server_add_interface(server, &second.base), -1, "a second one");
    end();
}
static void nobody_is_here(void)
{
    begin();
    EQUAL(spice_server_migrate_start(server), -1, "start without a destination");
    EQUAL(spice_server_migrate_connect(server, NULL, 1, 2, NULL), -1, "connect to nowhere");
    WAIT_FOR(connects == 1, "it failed, and the host waits");
    EQUAL(spice_server_migrate_connect(server, "target", -1, -1, NULL), -1, "connect to no port");
    WAIT_FOR(connects == 2, "it failed, and the host waits");
    EQUAL(spice_server_migrate_connect(server, "target", 5900, -1, "CN=target"), 0, "connect");
    WAIT_FOR(connects == 3, "nobody is here, and the host waits");
    EQUAL(spice_server_migrate_end(server, 1), 0, "end");
    WAIT_FOR(ends_ == 1, "nobody is here, and the host waits");
    EQUAL(spice_server_migrate_connect(server, "target", 5900, -1, NULL), 0, "connect");
    WAIT_FOR(connects == 4, "nobody is here, and the host waits");
    EQUAL(spice_server_migrate_end(server, 0), 0, "end that failed");
    WAIT_FOR(ends_ == 2, "nobody is here, and the host waits");
    end();
}
/* The older way: a viewer is told where the machine is now. */
static void switch_host(void)
{
    server = serve(&port);
    EQUAL(spice_server_migrate_switch(server), 0, "nobody is here");
    EQUAL(spice_server_migrate_info(server, NULL, 1, 2, NULL), -1, "nowhere");
    EQUAL(spice_server_migrate_info(server, "target", -1, -1, NULL), -1, "no port");
    EQUAL(spice_server_migrate_start(server), -1, "start without a destination");
    EQUAL(spice_server_migrate_info(server, "target.example.org", 5901, 5902, "CN=target"), 0, "where to");
    EQUAL(spice_server_migrate_start(server), 0, "start");
    Channel *viewer = come(MAIN_CAPS);
    EQUAL(spice_server_migrate_switch(server), 0, "switch");
    AWAIT(viewer, SPICE_MSG_MAIN_MIGRATE_SWITCH_HOST);
    destination(viewer, 5901, 5902, "target.example.org", "CN=target");
    hang_up(viewer);
    end();
}
/* A viewer that can go there beforehand. */
static void semi_seamless(void)
{
    begin();
    Channel *viewer = come(SEMI);
    EQUAL(spice_server_migrate_connect(server, "target.example.org", 5901, 5902, "CN=target"), 0, "connect");
    AWAIT(viewer, SPICE_MSG_MAIN_MIGRATE_BEGIN);
    destination(viewer, 5901, 5902, "target.example.org", "CN=target");
    EQUAL(connects, 0, "the host was told before the viewer had been there");
    say(viewer, SPICE_MSGC_MAIN_MIGRATE_CONNECTED, NULL, 0);
    WAIT_FOR(connects == 1, "the viewer is there, and the host waits");
    EQUAL(spice_server_migrate_start(server), 0, "start");
    EQUAL(spice_server_migrate_end(server, 1), 0, "end");
    AWAIT(viewer, SPICE_MSG_MAIN_MIGRATE_END);
    EQUAL(ends_, 0, "the host was told before the viewer had gone");
    hang_up(viewer);
    WAIT_FOR(ends_ == 1, "the viewer has gone, and the host waits");
    end();
}
static void it_fails(void)
{
    begin();
    Channel *viewer = come(SEMI);
    EQUAL(spice_server_migrate_connect(server, "target", 5901, -1, NULL), 0, "connect");
    AWAIT(viewer, SPICE_MSG_MAIN_MIGRATE_BEGIN);
    say(viewer, SPICE_MSGC_MAIN_MIGRATE_CONNECTED, NULL, 0);
    WAIT_FOR(connects == 1, "the viewer is there, and the host waits");
    EQUAL(spice_server_migrate_end(server, 0), 0, "end that failed");
    AWAIT(viewer, SPICE_MSG_MAIN_MIGRATE_CANCEL);
    CHECK(stays(viewer, 100), "sent away");
    /* And another time. */
    EQUAL(spice_server_migrate_connect(server, "other", 5903, -1, NULL), 0, "connect");
    AWAIT(viewer, SPICE_MSG_MAIN_MIGRATE_BEGIN);
    destination(viewer, 5903, 0, "other", NULL);
    say(viewer, SPICE_MSGC_MAIN_MIGRATE_CONNECTED, NULL, 0);
    WAIT_FOR(connects == 2, "the viewer is there, and the host waits");
    EQUAL(spice_server_migrate_end(server, 1), 0, "end");
    AWAIT(viewer, SPICE_MSG_MAIN_MIGRATE_END);
    hang_up(viewer);
    WAIT_FOR(ends_ >= 1, "the viewer has gone, and the host waits");
    end();
}
/* One that does not get there is sent there in the end. */
static void a_viewer_that_does_not_get_there(void)
{
    begin();
    Channel *viewer = come(SEMI);
    EQUAL(spice_server_migrate_connect(server, "target", 5901, 5902, NULL), 0, "connect");
    AWAIT(viewer, SPICE_MSG_MAIN_MIGRATE_BEGIN);
    say(viewer, SPICE_MSGC_MAIN_MIGRATE_CONNECT_ERROR, NULL, 0);
    WAIT_FOR(connects == 1, "the viewer does not get there, and the host waits");
    EQUAL(spice_server_migrate_end(server, 1), 0, "end");
    AWAIT(viewer, SPICE_MSG_MAIN_MIGRATE_SWITCH_HOST);
    destination(viewer, 5901, 5902, "target", NULL);
    hang_up(viewer);
    WAIT_FOR(ends_ == 1, "the viewer has gone, and the host waits");
    end();
}
static void a_viewer_that_cannot_go_beforehand(void)
{
    begin();
    Channel *viewer = come(MAIN_CAPS);
    EQUAL(spice_server_migrate_connect(server, "target.example.org", 5901, 5902, "CN=target"), 0, "connect");
    WAIT_FOR(connects == 1, "the viewer cannot go there, and the host waits");
    EQUAL(spice_server_migrate_start(server), 0, "start");
    EQUAL(spice_server_migrate_end(server, 1), 0, "end");
    AWAIT(viewer, SPICE_MSG_MAIN_MIGRATE_SWITCH_HOST);
    destination(viewer, 5901, 5902, "target.example.org", "CN=target");
    hang_up(viewer);
    WAIT_FOR(ends_ == 1, "the viewer has gone, and the host waits");
    end();
}
static void a_viewer_that_leaves_meanwhile(void)
{
    begin();
    Channel *viewer = come(SEMI);
    EQUAL(spice_server_migrate_connect(server, "target", 5901, -1, NULL), 0, "connect");
    AWAIT(viewer, SPICE_MSG_MAIN_MIGRATE_BEGIN);
    hang_up(viewer);
    WAIT_FOR(connects == 1, "the viewer has left, and the host waits");
    EQUAL(spice_server_migrate_end(server, 1), 0, "end");
    WAIT_FOR(ends_ == 1, "nobody is here, and the host waits");
    end();
}
/* A machine that has moved without a word has left its viewers behind. */
static void without_a_word(void)
{
    begin();
    Channel *viewer = come(SEMI);
    EQUAL(spice_server_migrate_end(server, 1), -1, "end of what has not begun");
    WAIT_FOR(ends_ == 1, "the host waits");
    CHECK(ends(viewer), "a viewer stays at a machine that has moved");
    hang_up(viewer);
    end();
}

MAIN(CASE(the_interface), CASE(nobody_is_here), CASE(switch_host), CASE(semi_seamless), CASE(it_fails), CASE(a_viewer_that_does_not_get_there),
     CASE(a_viewer_that_cannot_go_beforehand), CASE(a_viewer_that_leaves_meanwhile), CASE(without_a_word))
