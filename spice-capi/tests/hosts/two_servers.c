/* Two servers in a process, and two displays of one: each has its own viewers and pictures. */
#include "viewer.h"

/* The width of the surface that a display channel is sent first. */
static uint32_t shown(int port, Viewer *viewer, uint8_t id) {
    Viewer display = attach(port, viewer, SPICE_CHANNEL_DISPLAY, id, "");
    struct __attribute__((packed)) { uint8_t cache_id; int64_t cache; uint8_t dictionary_id; int32_t window; } init = { 1, 1 << 20, 1, 1 << 20 };
    uint32_t width;
    say(&display, SPICE_MSGC_DISPLAY_INIT, &init, sizeof init);
    CHECK(await(&display, SPICE_MSG_DISPLAY_SURFACE_CREATE), "no surface");
    memcpy(&width, message.body + 4, 4);
    leave(&display);
    return width;
}

int main(void) {
    host_begin();
    int ports[2];
    static uint32_t memory[3][100 * 100];
    SpiceServer *servers[2] = { open_server(&ports[0]), open_server(&ports[1]) };
    Guest *first = guest_new(servers[0], 0), *beside = guest_new(servers[0], 1), *second = guest_new(servers[1], 0);
    create_primary(first, memory[0], 80, 100, 80 * 4);
    create_primary(beside, memory[1], 60, 50, 60 * 4);
    create_primary(second, memory[2], 100, 100, 100 * 4);
    QXLInstance again = { .base.sif = &guest_interface.base, .id = 0 };
    CHECK(spice_server_add_interface(servers[0], &again.base) == -1, "an id twice");
    Viewer a = join(ports[0], ""), b = join(ports[1], "");
    CHECK(shown(ports[0], &a, 0) == 80 && shown(ports[0], &a, 1) == 60 && shown(ports[1], &b, 0) == 100, "pictures");
    WAIT_FOR(spice_server_get_num_clients(servers[0]) == 1 && spice_server_get_num_clients(servers[1]) == 1);
    /* A viewer beside the first: neither ends. */
    Viewer other = join(ports[0], "");
    WAIT_FOR(spice_server_get_num_clients(servers[0]) == 2);
    CHECK(shown(ports[0], &other, 0) == 80, "the second viewer");
    leave(&other);
    /* One server ends, and the other goes on. */
    CHECK(!spice_server_remove_interface(&first->qxl.base) && !spice_server_remove_interface(&beside->qxl.base), "remove");
    spice_server_destroy(servers[0]);
    CHECK(is_closed(&a), "a viewer of a server that has ended");
    CHECK(shown(ports[1], &b, 0) == 100, "the other server");
    leave(&b);
    CHECK(!spice_server_remove_interface(&second->qxl.base), "remove");
    spice_server_destroy(servers[1]);
    guest_free(first);
    guest_free(beside);
    guest_free(second);
    return 0;
}
