/* A char device of the host: what is written to it is kept, and what it says is read from it. */
#ifndef DEVICE_H
#define DEVICE_H
#include "host.h"

typedef struct Device {
    SpiceCharDeviceInstance sin;
    GByteArray *written, *unread;
    int connected, states, events, writes;
    uint8_t last_event;
    /* How much it takes at a time; -1: all. */
    int takes;
    int gone;
} Device;

static Device *device_called(SpiceCharDeviceInstance *sin, const char *what)
{
    Device *device = (Device *)((char *)sin - offsetof(Device, sin));
    on_host_thread(what);
    if (device->gone) FAIL("%s of a device that has been taken away", what);
    return device;
}
static void device_state(SpiceCharDeviceInstance *sin, int connected)
{
    Device *device = device_called(sin, "state");
    CHECK(connected == 0 || connected == 1, "state %d", connected);
    device->connected = connected;
    device->states++;
}
static int device_write(SpiceCharDeviceInstance *sin, const uint8_t *buf, int len)
{
    Device *device = device_called(sin, "write");
    CHECK(len >= 0, "a write of %d bytes", len);
    if (device->takes >= 0) len = MIN(len, device->takes);
    g_byte_array_append(device->written, buf, len);
    device->writes++;
    return len;
}
static int device_read(SpiceCharDeviceInstance *sin, uint8_t *buf, int len)
{
    Device *device = device_called(sin, "read");
    CHECK(len >= 0, "a read of %d bytes", len);
    len = MIN(len, (int)device->unread->len);
    if (len) {
        memcpy(buf, device->unread->data, len);
        g_byte_array_remove_range(device->unread, 0, len);
    }
    return len;
}
static void device_event(SpiceCharDeviceInstance *sin, uint8_t event)
{
    Device *device = device_called(sin, "event");
    device->events++;
    device->last_event = event;
}
static UNUSED SpiceCharDeviceInterface device_interface = {
    .base = { SPICE_INTERFACE_CHAR_DEVICE, "a char device", SPICE_INTERFACE_CHAR_DEVICE_MAJOR, SPICE_INTERFACE_CHAR_DEVICE_MINOR },
    .state = device_state, .write = device_write, .read = device_read, .event = device_event,
};
static UNUSED Device *device_new(const char *subtype, const char *name)
{
    Device *device = g_new0(Device, 1);
    device->sin.base.sif = &device_interface.base;
    device->sin.subtype = subtype;
    device->sin.portname = name;
    device->written = g_byte_array_new();
    device->unread = g_byte_array_new();
    device->takes = -1;
    return device;
}
static UNUSED Device *device_added(SpiceServer *server, const char *subtype, const char *name)
{
    Device *device = device_new(subtype, name);
    EQUAL(spice_server_add_interface(server, &device->sin.base), 0, subtype);
    CHECK(device->sin.st, "%s has no state", subtype);
    return device;
}
static UNUSED void device_remove(Device *device)
{
    EQUAL(spice_server_remove_interface(&device->sin.base), 0, "remove a char device");
    device->gone = 1;
}
static UNUSED void device_free(Device *device)
{
    g_byte_array_unref(device->written);
    g_byte_array_unref(device->unread);
    g_free(device);
}
/* The device has something to say. */
static UNUSED void device_says(Device *device, const void *bytes, size_t size)
{
    g_byte_array_append(device->unread, bytes, size);
    spice_server_char_device_wakeup(&device->sin);
}
#endif
