/* Servers come and go: initialised or not, with different loops, again and again; and leave nothing behind. */
#include "host.h"

static void never_initialised(void)
{
    for (int i = 0; i < 50; i++) {
        SpiceServer *server = spice_server_new();
        CHECK(server, "spice_server_new");
        spice_server_destroy(server);
    }
    EQUAL(watches, 0, "watches");
    EQUAL(timers, 0, "timers");
}
static void configured_but_never_initialised(void)
{
    SpiceServer *server = spice_server_new();
    EQUAL(spice_server_set_ticket(server, "test", 10, TRUE, TRUE), 0, "ticket");
    EQUAL(spice_server_set_port(server, free_port()), 0, "port");
    spice_server_set_addr(server, "127.0.0.1", 0);
    spice_server_set_name(server, "a name");
    spice_server_set_uuid(server, (const uint8_t *)"0123456789abcdef");
    spice_server_destroy(server);
}
static void without_a_listener(void)
{
    SpiceServer *server = serve_nowhere();
    EQUAL(spice_server_get_num_clients(server), 0, "viewers");
    run_for(20);
    spice_server_destroy(server);
    EQUAL(watches, 0, "watches that are left");
    EQUAL(timers, 0, "timers that are left");
}

/* A loop that does nothing. */
static int idle_things;
static SpiceTimer *idle_timer_add(SpiceTimerFunc func UNUSED, void *opaque UNUSED) { idle_things++; return (SpiceTimer *)g_malloc(1); }
static void idle_timer_start(SpiceTimer *timer UNUSED, uint32_t ms UNUSED) { }
static void idle_timer_cancel(SpiceTimer *timer UNUSED) { }
static void idle_timer_remove(SpiceTimer *timer) { idle_things--; g_free(timer); }
static SpiceWatch *idle_watch_add(int fd UNUSED, int mask UNUSED, SpiceWatchFunc func UNUSED, void *opaque UNUSED) { idle_things++; return (SpiceWatch *)g_malloc(1); }
static void idle_watch_update(SpiceWatch *watch UNUSED, int mask UNUSED) { }
static void idle_watch_remove(SpiceWatch *watch) { idle_things--; g_free(watch); }
static SpiceCoreInterface idle_core = {
    .base = { SPICE_INTERFACE_CORE, "nothing happens", SPICE_INTERFACE_CORE_MAJOR, SPICE_INTERFACE_CORE_MINOR },
    .timer_add = idle_timer_add, .timer_start = idle_timer_start, .timer_cancel = idle_timer_cancel, .timer_remove = idle_timer_remove,
    .watch_add = idle_watch_add, .watch_update_mask = idle_watch_update, .watch_remove = idle_watch_remove,
};
static void a_loop_that_does_nothing(void)
{
    int port;
    for (int i = 0; i < 3; i++) {
        SpiceServer *server = prepare(&port);
        EQUAL(spice_server_init(server, &idle_core), 0, "init");
        spice_server_destroy(server);
        EQUAL(idle_things, 0, "watches and timers that are left");
    }
}
/* A host that is older than channel events (1.2) has none to call. */
static void an_older_loop(void)
{
    SpiceCoreInterface older = core;
    older.base.minor_version = 2;
    older.channel_event = NULL;
    int port;
    SpiceServer *server = prepare(&port);
    EQUAL(spice_server_init(server, &older), 0, "init with a core of 1.2");
    run_for(20);
    spice_server_destroy(server);
}
/* A host of another major version is none that a server can work for; one of a later minor version is. */
static void other_loops(void)
{
    SpiceCoreInterface other = core;
    int port;
    SpiceServer *server = prepare(&port);
    other.base.major_version = SPICE_INTERFACE_CORE_MAJOR + 1;
    EQUAL(spice_server_init(server, &other), -1, "init with a core of another major version");
    EQUAL(watches + timers, 0, "watches and timers of a core that is refused");
    other = core;
    other.base.minor_version = SPICE_INTERFACE_CORE_MINOR + 1;
    EQUAL(spice_server_init(server, &other), 0, "init with a core of a later minor version");
    run_for(20);
    spice_server_destroy(server);
    EQUAL(watches, 0, "watches that are left");
    EQUAL(timers, 0, "timers that are left");
}
static void again_and_again(void)
{
    int port, descriptors = 0, tasks = 0;
    for (int i = 0; i < 30; i++) {
        SpiceServer *server = serve(&port);
        run_for(5);
        spice_server_destroy(server);
        EQUAL(watches, 0, "watches that are left");
        EQUAL(timers, 0, "timers that are left");
        /* The first one may make what the process keeps. */
        if (i == 0) { descriptors = open_descriptors(); tasks = threads(); }
    }
    CHECK(open_descriptors() <= descriptors, "%d descriptors after one server, %d after thirty", descriptors, open_descriptors());
    WAIT_FOR(threads() <= tasks, "%d threads after one server, %d after thirty", tasks, threads());
}
static void the_same_port_again(void)
{
    int port;
    SpiceServer *server = serve(&port);
    spice_server_destroy(server);
    for (int i = 0; i < 3; i++) {
        server = spice_server_new();
        spice_server_set_port(server, port);
        spice_server_set_addr(server, "127.0.0.1", 0);
        EQUAL(spice_server_init(server, &core), 0, "init on the port that the server before has left");
        spice_server_destroy(server);
    }
}

MAIN(CASE(never_initialised), CASE(configured_but_never_initialised), CASE(without_a_listener), CASE(a_loop_that_does_nothing),
     CASE(an_older_loop), CASE(other_loops), CASE(again_and_again), CASE(the_same_port_again))
