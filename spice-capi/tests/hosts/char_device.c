/* Char devices: ports with a name, USB devices, a shared folder, and what is left of them. */
#include "client.h"
#include "device.h"

static SpiceServer *server;
static int port;
static Channel *viewer;

static void begin(void)
{
    server = serve(&port);
    viewer = join(port);
}
static void end(void)
{
    hang_up(viewer);
    WAIT_FOR(spice_server_get_num_clients(server) == 0, "still counted");
    spice_server_destroy(server);
    EQUAL(watches, 0, "watches that are left");
    EQUAL(timers, 0, "timers that are left");
}
static int known(const char *subtype)
{
    for (const char **name = spice_server_char_device_recognized_subtypes(); *name; name++) if (!strcmp(*name, subtype)) return 1;
    return 0;
}
static void subtypes(void)
{
    CHECK(spice_server_char_device_recognized_subtypes(), "no list");
    CHECK(known("vdagent") && known("usbredir"), "agents and USB devices are not known");
    CHECK(!known("nonsense"), "nonsense is known");
}
/* What nobody knows is no error of the host, and is told nothing. */
static void what_nobody_knows(void)
{
    begin();
    Device *device = device_new("nonsense", NULL);
    EQUAL(spice_server_add_interface(server, &device->sin.base), 0, "add");
    spice_server_char_device_wakeup(&device->sin);
    run_for(20);
    EQUAL(device->states + device->writes + device->events, 0, "calls of a device that nobody knows");
    if (device->sin.st) device_remove(device);
    device_free(device);
    end();
}
static void they_come_and_go(void)
{
    begin();
    static const struct { const char *subtype, *name; } all[] = {
        { "usbredir", NULL }, { "vdagent", NULL }, { "port", "org.example.port" }, { "port", "org.spice-space.webdav.0" },
        { "port", "org.spice-space.stream.0" }, { "smartcard", NULL },
    };
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < COUNT(all); i++) {
            /* The C library does not survive a second one. */
            if (!strcmp(all[i].subtype, "smartcard") && (!known("smartcard") || (round && with_c_faults()))) continue;
            Device *device = device_added(server, all[i].subtype, all[i].name);
            run_for(5);
            device_remove(device);
            run_for(5);
            device_free(device);
        }
    /* Several at a time. */
    Device *devices[12];
    for (int i = 0; i < COUNT(devices); i++) devices[i] = device_added(server, i % 2 ? "usbredir" : "port", i % 2 ? NULL : "org.example.port");
    for (int i = 0; i < COUNT(devices); i++) device_remove(devices[i]);
    for (int i = 0; i < COUNT(devices); i++) device_free(devices[i]);
    end();
}
static void they_go_once(void)
{
    begin();
    Device *device = device_added(server, "usbredir", NULL);
    device_remove(device);
    EQUAL(spice_server_remove_interface(&device->sin.base), -1, "remove what has been removed");
    device_free(device);
    device = device_added(server, "vdagent", NULL);
    device_remove(device);
    EQUAL(spice_server_remove_interface(&device->sin.base), -1, "remove what has been removed");
    device_free(device);
    end();
}
/* Devices may be there before the server is. */
static void before_the_server(void)
{
    server = prepare(&port);
    EQUAL(spice_server_init(server, &core), 0, "init");
    Device *device = device_added(server, "port", "org.example.early");
    viewer = join(port);
    say(viewer, SPICE_MSGC_MAIN_ATTACH_CHANNELS, NULL, 0);
    AWAIT(viewer, SPICE_MSG_MAIN_CHANNELS_LIST);
    EQUAL(offered(viewer, SPICE_CHANNEL_PORT, NULL), 1, "ports");
    device_remove(device);
    device_free(device);
    end();
}

/* ---- what is said ---- */

static void greeting_of_a_port(Channel *channel, const char *name, int opened)
{
    AWAIT(channel, SPICE_MSG_PORT_INIT);
    uint32_t size = u32_at(channel->data), at = u32_at(channel->data + 4);
    EQUAL(size, strlen(name) + 1, "length of the name with its end");
    CHECK(at + size <= channel->size && !strcmp((char *)channel->data + at, name), "another name");
    EQUAL(channel->data[8], opened, "whether it is open");
}
static void both_ways(const char *subtype, const char *name, uint8_t type)
{
    begin();
    Device *device = device_added(server, subtype, name);
    EQUAL(device->connected, 0, "nobody is at the device");
    Channel *channel = attach(port, viewer, type, 0, 0);
    if (type != SPICE_CHANNEL_USBREDIR) greeting_of_a_port(channel, name, 0);
    WAIT_FOR(device->connected == 1, "a viewer is at the device, which is not told");
    say(channel, SPICE_MSGC_SPICEVMC_DATA, "to the guest", 12);
    WAIT_FOR(device->written->len == 12, "%u bytes come to the device", device->written->len);
    CHECK(!memcmp(device->written->data, "to the guest", 12), "other bytes");
    device_says(device, "to the viewer", 13);
    AWAIT(channel, SPICE_MSG_SPICEVMC_DATA);
    EQUAL(channel->size, 13, "bytes that come to the viewer");
    CHECK(!memcmp(channel->data, "to the viewer", 13), "other bytes");
    /* More than fits into one message, both ways. */
    size_t total = 300000, came = 0;
    uint8_t *bytes = g_malloc(total);
    for (size_t i = 0; i < total; i++) bytes[i] = i * 7 + i / 251;
    device_says(device, bytes, total);
    while (came < total) {
        AWAIT(channel, SPICE_MSG_SPICEVMC_DATA);
        CHECK(came + channel->size <= total && !memcmp(channel->data, bytes + came, channel->size), "other bytes, or more");
        came += channel->size;
        /* A device is not read to its end each time: hosts say again that there is more. */
        if (device->unread->len) spice_server_char_device_wakeup(&device->sin);
    }
    g_byte_array_set_size(device->written, 0);
    for (size_t said = 0; said < total; said += 10000) {
        say(channel, SPICE_MSGC_SPICEVMC_DATA, bytes + said, 10000);
        run_for(2);
    }
    WAIT_FOR(device->written->len == total, "%u bytes come to the device", device->written->len);
    CHECK(!memcmp(device->written->data, bytes, total), "other bytes");
    g_free(bytes);
    /* The viewer goes, another comes, and then the device goes. */
    hang_up(channel);
    WAIT_FOR(device->connected == 0, "the viewer has left the device, which is not told");
    channel = attach(port, viewer, type, 0, 0);
    WAIT_FOR(device->connected == 1, "another viewer is at the device, which is not told");
    device_remove(device);
    CHECK(ends(channel), "the channel of a device that has been taken away");
    hang_up(channel);
    int error = knock(port, (Link){ .type = type, .session = viewer->session });
    CHECK(error == SPICE_LINK_ERR_CHANNEL_NOT_AVAILABLE || error == -1, "the channel of a device that has been taken away: %d", error);
    CHECK(stays(viewer, 50), "the session has ended with a device");
    device_free(device);
    end();
}
static void a_port(void) { both_ways("port", "org.example.port", SPICE_CHANNEL_PORT); }
static void a_usb_device(void) { both_ways("usbredir", NULL, SPICE_CHANNEL_USBREDIR); }
static void a_shared_folder(void) { both_ways("port", "org.spice-space.webdav.0", SPICE_CHANNEL_WEBDAV); }

static void events_of_a_port(void)
{
    begin();
    Device *device = device_added(server, "port", "org.example.port");
    spice_server_port_event(&device->sin, SPICE_PORT_EVENT_OPENED);
    Channel *channel = attach(port, viewer, SPICE_CHANNEL_PORT, 0, 0);
    greeting_of_a_port(channel, "org.example.port", 1);
    spice_server_port_event(&device->sin, SPICE_PORT_EVENT_BREAK);
    AWAIT(channel, SPICE_MSG_PORT_EVENT);
    EQUAL(channel->size, 1, "size of an event");
    EQUAL(channel->data[0], SPICE_PORT_EVENT_BREAK, "event");
    spice_server_port_event(&device->sin, SPICE_PORT_EVENT_CLOSED);
    AWAIT(channel, SPICE_MSG_PORT_EVENT);
    EQUAL(channel->data[0], SPICE_PORT_EVENT_CLOSED, "event");
    uint8_t event = SPICE_PORT_EVENT_BREAK;
    say(channel, SPICE_MSGC_PORT_EVENT, &event, 1);
    WAIT_FOR(device->events == 1, "an event of the viewer");
    EQUAL(device->last_event, SPICE_PORT_EVENT_BREAK, "event of the viewer");
    hang_up(channel);
    WAIT_FOR(device->connected == 0, "left");
    channel = attach(port, viewer, SPICE_CHANNEL_PORT, 0, 0);
    greeting_of_a_port(channel, "org.example.port", 0);
    device_remove(device);
    CHECK(ends(channel), "the channel of a device that has been taken away");
    hang_up(channel);
    device_free(device);
    end();
}
/* A device that takes a little at a time, and nothing for a while. */
static void what_is_taken_in_part(int flags)
{
    begin();
    SpiceCharDeviceInterface own = device_interface;
    own.flags = flags;
    Device *device = device_new("port", "org.example.slow");
    device->sin.base.sif = &own.base;
    device->takes = 0;
    EQUAL(spice_server_add_interface(server, &device->sin.base), 0, "add");
    Channel *channel = attach(port, viewer, SPICE_CHANNEL_PORT, 0, 0);
    greeting_of_a_port(channel, "org.example.slow", 0);
    WAIT_FOR(device->connected == 1, "not told");
    char bytes[100];
    for (int i = 0; i < 100; i++) bytes[i] = i;
    for (int i = 0; i < 100; i += 20) say(channel, SPICE_MSGC_SPICEVMC_DATA, bytes + i, 20);
    WAIT_FOR(device->writes > 0, "nothing is written");
    run_for(50);
    EQUAL(device->written->len, 0, "bytes that were taken");
    device->takes = 7;
    /* A device that says so itself is not asked before. */
    gint64 until = now_ms() + patience_ms();
    while (device->written->len < 100) {
        CHECK(now_ms() < until, "%u of 100 bytes were written", device->written->len);
        if (flags & SPICE_CHAR_DEVICE_NOTIFY_WRITABLE) spice_server_char_device_wakeup(&device->sin);
        turn();
    }
    EQUAL(device->written->len, 100, "bytes");
    CHECK(!memcmp(device->written->data, bytes, 100), "other bytes");
    device_remove(device);
    hang_up(channel);
    device_free(device);
    end();
}
static void a_little_at_a_time(void) { what_is_taken_in_part(0); }
static void a_little_when_it_says_so(void) { what_is_taken_in_part(SPICE_CHAR_DEVICE_NOTIFY_WRITABLE); }

/* What a device says while nobody is there does not come to the next one out of the middle: none of it does, or all. */
static void nobody_is_there(void)
{
    begin();
    Device *device = device_added(server, "usbredir", NULL);
    spice_server_char_device_wakeup(&device->sin);
    run_for(20);
    Channel *channel = attach(port, viewer, SPICE_CHANNEL_USBREDIR, 0, 0);
    WAIT_FOR(device->connected == 1, "not told");
    device_says(device, "now", 3);
    AWAIT(channel, SPICE_MSG_SPICEVMC_DATA);
    CHECK(channel->size == 3 && !memcmp(channel->data, "now", 3), "%u bytes", channel->size);
    device_remove(device);
    hang_up(channel);
    device_free(device);
    end();
}
/* They come while a viewer is here, and are offered to it. */
static void offered_when_they_come(void)
{
    begin();
    say(viewer, SPICE_MSGC_MAIN_ATTACH_CHANNELS, NULL, 0);
    AWAIT(viewer, SPICE_MSG_MAIN_CHANNELS_LIST);
    EQUAL(offered(viewer, SPICE_CHANNEL_USBREDIR, NULL), 0, "USB devices");
    Device *first = device_added(server, "usbredir", NULL), *second = device_added(server, "usbredir", NULL);
    uint64_t all = 0, ids;
    while (all != 3) {
        AWAIT(viewer, SPICE_MSG_MAIN_CHANNELS_LIST);
        offered(viewer, SPICE_CHANNEL_USBREDIR, &ids);
        all |= ids;
    }
    Channel *channels[2] = { attach(port, viewer, SPICE_CHANNEL_USBREDIR, 0, 0), attach(port, viewer, SPICE_CHANNEL_USBREDIR, 1, 0) };
    WAIT_FOR(first->connected && second->connected, "not told");
    say(channels[1], SPICE_MSGC_SPICEVMC_DATA, "1", 1);
    WAIT_FOR(second->written->len == 1, "nothing comes to the second");
    EQUAL(first->written->len, 0, "bytes that come to the first");
    device_remove(first);
    device_remove(second);
    for (int i = 0; i < 2; i++) hang_up(channels[i]);
    device_free(first);
    device_free(second);
    end();
}
/* A server ends with devices in it. */
static void the_server_ends(void)
{
    begin();
    Device *devices[3] = { device_added(server, "usbredir", NULL), device_added(server, "port", "org.example.port"), device_added(server, "vdagent", NULL) };
    Channel *channel = attach(port, viewer, SPICE_CHANNEL_USBREDIR, 0, 0);
    WAIT_FOR(devices[0]->connected == 1, "not told");
    for (int i = 0; i < 3; i++) device_remove(devices[i]);
    hang_up(channel);
    for (int i = 0; i < 3; i++) device_free(devices[i]);
    end();
}

MAIN(CASE(subtypes), CASE(what_nobody_knows), CASE(they_come_and_go), CASE(they_go_once), CASE(before_the_server), CASE(a_port), CASE(a_usb_device),
     CASE(a_shared_folder), CASE(events_of_a_port), CASE(a_little_at_a_time), CASE(a_little_when_it_says_so), CASE(nobody_is_there),
     CASE(offered_when_they_come), CASE(the_server_ends))
