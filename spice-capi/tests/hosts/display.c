/* Displays and their viewers: what viewers are shown of a guest, what the guest is told of them, and that neither ends the
 * other. */
#include "client.h"
#include "guest.h"

static SpiceServer *server;
static int port;
static Guest *guest;
static int displays_gone;

static void on_event(int event, SpiceChannelEventInfo *info)
{
    on_host_thread("channel_event");
    displays_gone += event == SPICE_CHANNEL_EVENT_DISCONNECTED && info->type == SPICE_CHANNEL_DISPLAY;
}
static void begin(void)
{
    core.channel_event = on_event;
    server = serve(&port);
    guest = guest_added(server, 0);
    create_primary(guest, 640, 480);
}
static void end(void)
{
    WAIT_FOR(spice_server_get_num_clients(server) == 0, "still counted");
    if (!guest->gone) guest_remove(guest);
    spice_server_destroy(server);
    EQUAL(watches, 0, "watches that are left");
    EQUAL(timers, 0, "timers that are left");
    guest_free(guest);
}
/* A display channel that is shown something. */
static Channel *shown(Channel *viewer, uint8_t id, uint32_t caps, uint32_t width)
{
    Channel *display = look(port, viewer, id, caps);
    AWAIT(display, SPICE_MSG_DISPLAY_SURFACE_CREATE);
    EQUAL(u32_at(display->data + 4), width, "width of the primary surface");
    return display;
}

/* The guest hears whether there is a viewer, and what it can do. */
static void the_guest_is_told(void)
{
    begin();
    run_for(50);
    EQUAL(guest->caps_present, 0, "nobody is here");
    Channel *viewer = join(port);
    Channel *display = shown(viewer, 0, 1 << SPICE_DISPLAY_CAP_SIZED_STREAM | 1 << SPICE_DISPLAY_CAP_COMPOSITE | 1 << SPICE_DISPLAY_CAP_A8_SURFACE, 640);
    WAIT_FOR(g_atomic_int_get(&guest->caps_present) == 1, "a viewer is here, and the guest is not told");
    WAIT_FOR(guest->caps[0] & 1 << SPICE_DISPLAY_CAP_COMPOSITE && guest->caps[0] & 1 << SPICE_DISPLAY_CAP_A8_SURFACE, "what the viewer can do: %02x", guest->caps[0]);
    /* The C library does not always survive one that leaves in the middle of its first picture. */
    CHECK(stays(display, 100), "sent away");
    hang_up(display);
    WAIT_FOR(displays_gone == 1, "DISCONNECTED of the display channel");
    hang_up(viewer);
    WAIT_FOR(spice_server_get_num_clients(server) == 0, "still counted");
    /* The C library tells of it when the machine starts again, and not before. */
    if (with_c_faults()) {
        run_for(50);
        spice_server_vm_stop(server);
        spice_server_vm_start(server);
    }
    WAIT_FOR(g_atomic_int_get(&guest->caps_present) == 0, "the viewer has left, and the guest is not told");
    end();
}
/* The guest says which parts of its surface are monitors, and viewers are told of those that are on. */
static void monitors(void)
{
    begin();
    Channel *viewer = join(port), *display = shown(viewer, 0, 1 << SPICE_DISPLAY_CAP_MONITORS_CONFIG, 640);
    struct PACKED { QXLMonitorsConfig config; QXLHead heads[3]; } *said = guest_alloc(guest, sizeof *said);
    said->config.count = 3;
    said->config.max_allowed = 4;
    said->heads[0] = (QXLHead){ .id = 0, .width = 320, .height = 480 };
    /* One of no size is off. */
    said->heads[1] = (QXLHead){ .id = 1 };
    said->heads[2] = (QXLHead){ .id = 2, .width = 320, .height = 480, .x = 320 };
    spice_qxl_monitors_config_async(&guest->qxl, address(guest, said), GUEST_GROUP, 5);
    WAIT_FOR(done(guest, 5) == 1, "it is not done");
    /* The one before may be on the way. */
    do AWAIT(display, SPICE_MSG_DISPLAY_MONITORS_CONFIG); while (u16_at(display->data) == 1);
    EQUAL(u16_at(display->data), 2, "monitors that are on");
    EQUAL(u16_at(display->data + 2), 4, "monitors that there may be");
    const uint8_t *second = display->data + 4 + 28;
    EQUAL(display->size, 4 + 2 * 28, "size of MONITORS_CONFIG");
    EQUAL(u32_at(second), 2, "number of the second");
    EQUAL(u32_at(second + 4), 0, "surface of the second");
    EQUAL(u32_at(second + 8), 320, "width of the second");
    EQUAL(u32_at(second + 12), 480, "height of the second");
    EQUAL(u32_at(second + 16), 320, "left edge of the second");
    EQUAL(u32_at(second + 20), 0, "upper edge of the second");
    hang_up(display);
    hang_up(viewer);
    end();
}
/* Two viewers of one guest: each is shown what it draws, and the one stays when the other goes. */
static void two_viewers(void)
{
    begin();
    Channel *viewers[2] = { join(port), join(port) }, *displays[2];
    WAIT_FOR(spice_server_get_num_clients(server) == 2, "%d are counted", spice_server_get_num_clients(server));
    for (int i = 0; i < 2; i++) displays[i] = shown(viewers[i], 0, 0, 640);
    for (int i = 0; i < 3; i++) {
        give(guest, fill(guest, 0, rect(0, 0, 640, 480), 0x111111 * (i + 1)));
        for (int n = 0; n < 2; n++) AWAIT(displays[n], SPICE_MSG_DISPLAY_DRAW_FILL);
    }
    hang_up(displays[0]);
    hang_up(viewers[0]);
    WAIT_FOR(spice_server_get_num_clients(server) == 1, "%d are counted", spice_server_get_num_clients(server));
    give(guest, fill(guest, 0, rect(0, 0, 640, 480), 0x777777));
    AWAIT(displays[1], SPICE_MSG_DISPLAY_DRAW_FILL);
    hang_up(displays[1]);
    hang_up(viewers[1]);
    end();
}
static void never_told(QXLInstance *qxl UNUSED, uint8_t present UNUSED, uint8_t caps[SPICE_CAPABILITIES_SIZE] UNUSED)
{
    FAIL("an interface of version 3.1 has no set_client_capabilities");
}
/* A device of version 3.1, which knows nothing of what its viewers can do, has viewers, too. */
static void an_older_device(void)
{
    begin();
    QXLInterface older = guest_interface;
    older.base.minor_version = 1;
    older.set_client_capabilities = never_told;
    older.client_monitors_config = NULL;
    Guest *old = guest_new(1);
    old->qxl.base.sif = &older.base;
    QXLDevMemSlot slot = guest_slot(old);
    EQUAL(spice_server_add_interface(server, &old->qxl.base), 0, "add");
    spice_qxl_add_memslot(&old->qxl, &slot);
    spice_server_vm_start(server);
    create_primary(old, 320, 200);
    Channel *viewer = join(port), *display = shown(viewer, 1, 1 << SPICE_DISPLAY_CAP_COMPOSITE, 320);
    CHECK(stays(display, 100), "sent away");
    hang_up(display);
    hang_up(viewer);
    WAIT_FOR(spice_server_get_num_clients(server) == 0, "still counted");
    guest_remove(old);
    guest_free(old);
    /* A number that is none. */
    Guest *none = guest_new(-1);
    EQUAL(spice_server_add_interface(server, &none->qxl.base), -1, "a display of number -1");
    guest_free(none);
    end();
}
static void taken_away_with_a_viewer(void)
{
    begin();
    Channel *viewer = join(port), *display = shown(viewer, 0, 0, 640);
    CHECK(stays(display, 100), "sent away");
    spice_qxl_destroy_primary_surface(&guest->qxl, 0);
    guest_remove(guest);
    CHECK(ends(display), "the channel of a display that has been taken away");
    CHECK(stays(viewer, 50), "the session has ended with a display");
    hang_up(display);
    hang_up(viewer);
    end();
}
/* Servers end with a display and a viewer in it, and leave nothing behind, whether the machine runs or stands still. */
static void the_server_ends(void)
{
    int descriptors = 0;
    for (int i = 0; i < 6; i++) {
        begin();
        if (i % 2) spice_server_vm_stop(server);
        Channel *viewer = join(port), *inputs = attach(port, viewer, SPICE_CHANNEL_INPUTS, 0, 0);
        AWAIT(inputs, SPICE_MSG_INPUTS_INIT);
        spice_qxl_destroy_primary_surface(&guest->qxl, 0);
        guest_remove(guest);
        spice_server_destroy(server);
        CHECK(ends(inputs) && ends(viewer), "viewers of a server that has ended");
        hang_up(inputs);
        hang_up(viewer);
        CHECK(dial(port) < 0, "it listens after its end");
        EQUAL(watches, 0, "watches that are left");
        EQUAL(timers, 0, "timers that are left");
        guest_free(guest);
        /* The first ones may make what the process keeps. */
        if (i == 1) descriptors = open_descriptors();
    }
    WAIT_FOR(open_descriptors() <= descriptors, "%d descriptors after two servers, %d after six", descriptors, open_descriptors());
}
/* One that breaks off in the middle of what it is sent is no end of the host, which may well die of SIGPIPE. */
static void who_breaks_off(void)
{
    begin();
    Channel *viewer = join(port);
    for (int i = 0; i < 20; i++) {
        Channel *display = look(port, viewer, 0, 0);
        AWAIT(display, SPICE_MSG_DISPLAY_SURFACE_CREATE);
        for (int n = 0; n < 50; n++) give(guest, fill(guest, 0, rect(n, n, n + 100, n + 100), i << 16 | n));
        struct linger at_once = { 1, 0 };
        setsockopt(display->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(display->fd);
        display->fd = -1;
        hang_up(display);
        run_for(10);
    }
    CHECK(stays(viewer, 50), "the session is over");
    spice_qxl_destroy_primary_surface(&guest->qxl, 0);
    all_came_back(guest);
    hang_up(viewer);
    end();
}

MAIN(CASE(the_guest_is_told), CASE(monitors), CASE(two_viewers), CASE(an_older_device), CASE(taken_away_with_a_viewer), CASE(the_server_ends),
     CASE(who_breaks_off))
