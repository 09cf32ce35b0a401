/* Char devices: a port with a name, and a place for a USB device. */
#include "viewer.h"

typedef struct Device { SpiceCharDeviceInstance sin; GByteArray *in, *out; int connected, limit, events; uint8_t last_event; } Device;

static Device *device_of(SpiceCharDeviceInstance *sin) { return (Device *)sin; }
static void state(SpiceCharDeviceInstance *sin, int connected) { device_of(sin)->connected = connected; }
static int write_some(SpiceCharDeviceInstance *sin, const uint8_t *buf, int len) {
    Device *device = device_of(sin);
    CHECK(pthread_equal(pthread_self(), host_thread), "another thread");
    len = MIN(len, device->limit);
    g_byte_array_append(device->in, buf, len);
    /* The next time, something again. */
    device->limit = len ? 0 : 7;
    return len;
}
static int read_some(SpiceCharDeviceInstance *sin, uint8_t *buf, int len) {
    Device *device = device_of(sin);
    len = MIN(len, (int)device->out->len);
    if (len) { memcpy(buf, device->out->data, len); g_byte_array_remove_range(device->out, 0, len); }
    return len;
}
static void event(SpiceCharDeviceInstance *sin, uint8_t event) { device_of(sin)->events++; device_of(sin)->last_event = event; }
static SpiceCharDeviceInterface char_if = {
    .base = { SPICE_INTERFACE_CHAR_DEVICE, "c", SPICE_INTERFACE_CHAR_DEVICE_MAJOR, SPICE_INTERFACE_CHAR_DEVICE_MINOR },
    .state = state, .write = write_some, .read = read_some, .event = event,
};
static void add(SpiceServer *server, Device *device, const char *subtype, const char *name) {
    memset(device, 0, sizeof *device);
    device->sin.base.sif = &char_if.base;
    device->sin.subtype = subtype;
    device->sin.portname = name;
    device->in = g_byte_array_new();
    device->out = g_byte_array_new();
    device->limit = 7;
    CHECK(!spice_server_add_interface(server, &device->sin.base), "%s", subtype);
    CHECK(device->sin.st, "no state");
}
static void remove_device(Device *device) {
    CHECK(!spice_server_remove_interface(&device->sin.base), "remove");
    g_byte_array_unref(device->in);
    g_byte_array_unref(device->out);
}
static void both_ways(SpiceServer *server, int port, Viewer *viewer, Device *device, uint8_t type) {
    (void)server;
    Viewer channel = attach(port, viewer, type, 0, "");
    if (type == SPICE_CHANNEL_PORT) {
        CHECK(await(&channel, SPICE_MSG_PORT_INIT), "init");
        CHECK(memmem(message.body, message.size, "org.example.port", 16), "another name");
    }
    WAIT_FOR(device->connected == 1);
    say(&channel, SPICE_MSGC_SPICEVMC_DATA, "a message in several pieces", 27);
    WAIT_FOR(device->in->len == 27);
    CHECK(!memcmp(device->in->data, "a message in several pieces", 27), "out of order");
    g_byte_array_append(device->out, (const guint8 *)"answer", 6);
    spice_server_char_device_wakeup(&device->sin);
    CHECK(await(&channel, SPICE_MSG_SPICEVMC_DATA) && message.size == 6 && !memcmp(message.body, "answer", 6), "answer");
    if (type == SPICE_CHANNEL_PORT) {
        spice_server_port_event(&device->sin, SPICE_PORT_EVENT_OPENED);
        CHECK(await(&channel, SPICE_MSG_PORT_EVENT) && message.body[0] == SPICE_PORT_EVENT_OPENED, "event");
        uint8_t sent = SPICE_PORT_EVENT_BREAK;
        say(&channel, SPICE_MSGC_PORT_EVENT, &sent, 1);
        WAIT_FOR(device->events == 1 && device->last_event == SPICE_PORT_EVENT_BREAK);
    }
    leave(&channel);
    WAIT_FOR(device->connected == 0);
    /* The next viewer, and then the device goes. */
    channel = attach(port, viewer, type, 0, "");
    WAIT_FOR(device->connected == 1);
    remove_device(device);
    CHECK(is_closed(&channel), "a channel without a device");
    leave(&channel);
}

int main(void) {
    host_begin();
    const char **names = spice_server_char_device_recognized_subtypes();
    int known = 0;
    for (; *names; names++) known += !strcmp(*names, "vdagent") || !strcmp(*names, "usbredir");
    CHECK(known == 2, "%d", known);
    int port;
    SpiceServer *server = open_server(&port);
    Viewer viewer = join(port, "");
    Device device;
    add(server, &device, "port", "org.example.port");
    both_ways(server, port, &viewer, &device, SPICE_CHANNEL_PORT);
    add(server, &device, "usbredir", NULL);
    both_ways(server, port, &viewer, &device, SPICE_CHANNEL_USBREDIR);
    /* One that nobody knows is refused, and the host is not told. */
    memset(&device, 0, sizeof device);
    device.sin.base.sif = &char_if.base;
    device.sin.subtype = "nonsense";
    CHECK(!spice_server_add_interface(server, &device.sin.base), "nonsense");
    if (device.sin.st) spice_server_remove_interface(&device.sin.base);
    spice_server_destroy(server);
    return 0;
}
