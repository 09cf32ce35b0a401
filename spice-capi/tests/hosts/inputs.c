/* What viewers type and point at reaches the host's devices, on its thread. */
#include "viewer.h"

static uint8_t scan[64];
static int scans, wrong_thread, moved_x, moved_y, moved_z, mouse_buttons = -1;
static int at_x = -1, at_y = -1, tablet_buttons = -1, wheel, size_w, size_h;

static void here(void) { if (!pthread_equal(pthread_self(), host_thread)) wrong_thread = 1; }
static void push_scan(SpiceKbdInstance *sin, uint8_t frag) { (void)sin; here(); if (scans < 64) scan[scans++] = frag; }
static uint8_t get_leds(SpiceKbdInstance *sin) { (void)sin; return 0; }
static void motion(SpiceMouseInstance *sin, int dx, int dy, int dz, uint32_t buttons) { (void)sin; here(); moved_x += dx; moved_y += dy; moved_z += dz; mouse_buttons = buttons; }
static void buttons(SpiceMouseInstance *sin, uint32_t state) { (void)sin; here(); mouse_buttons = state; }
static void tablet_size(SpiceTabletInstance *sin, int w, int h) { (void)sin; here(); size_w = w; size_h = h; }
static void tablet_position(SpiceTabletInstance *sin, int x, int y, uint32_t state) { (void)sin; here(); at_x = x; at_y = y; tablet_buttons = state; }
static void tablet_wheel(SpiceTabletInstance *sin, int by, uint32_t state) { (void)sin; (void)state; here(); wheel += by; }
static void tablet_press(SpiceTabletInstance *sin, uint32_t state) { (void)sin; here(); tablet_buttons = state; }

static const SpiceKbdInterface kbd_if = { { SPICE_INTERFACE_KEYBOARD, "k", SPICE_INTERFACE_KEYBOARD_MAJOR, SPICE_INTERFACE_KEYBOARD_MINOR }, push_scan, get_leds };
static const SpiceMouseInterface mouse_if = { { SPICE_INTERFACE_MOUSE, "m", SPICE_INTERFACE_MOUSE_MAJOR, SPICE_INTERFACE_MOUSE_MINOR }, motion, buttons };
static const SpiceTabletInterface tablet_if = { { SPICE_INTERFACE_TABLET, "t", SPICE_INTERFACE_TABLET_MAJOR, SPICE_INTERFACE_TABLET_MINOR }, tablet_size, tablet_position, tablet_wheel, tablet_press };
static SpiceKbdInstance kbd = { .base.sif = &kbd_if.base };
static SpiceMouseInstance mouse = { .base.sif = &mouse_if.base };
static SpiceTabletInstance tablet = { .base.sif = &tablet_if.base };

int main(void) {
    host_begin();
    int port;
    SpiceServer *server = open_server(&port);
    static uint32_t memory[320 * 200];
    Guest *guest = guest_new(server, 0);
    CHECK(!spice_server_add_interface(server, &kbd.base) && !spice_server_add_interface(server, &mouse.base), "add");
    create_primary(guest, memory, 320, 200, 320 * 4);
    run_for(30);
    CHECK(spice_server_is_server_mouse(server), "without a tablet");

    Viewer viewer = join(port, ""), inputs = attach(port, &viewer, SPICE_CHANNEL_INPUTS, 0, "");
    CHECK(await(&inputs, SPICE_MSG_INPUTS_INIT), "init");
    uint32_t down = 0x1e, up = 0x9e, extended = 0x48e0;
    say(&inputs, SPICE_MSGC_INPUTS_KEY_DOWN, &down, 4);
    say(&inputs, SPICE_MSGC_INPUTS_KEY_UP, &up, 4);
    say(&inputs, SPICE_MSGC_INPUTS_KEY_DOWN, &extended, 4);
    WAIT_FOR(scans == 4);
    CHECK(scan[0] == 0x1e && scan[1] == 0x9e && scan[2] == 0xe0 && scan[3] == 0x48, "%x %x %x %x", scan[0], scan[1], scan[2], scan[3]);

    struct __attribute__((packed)) { int32_t dx, dy; uint16_t buttons; } moves = { 5, -3, SPICE_MOUSE_BUTTON_MASK_RIGHT };
    say(&inputs, SPICE_MSGC_INPUTS_MOUSE_MOTION, &moves, sizeof moves);
    WAIT_FOR(moved_x == 5);
    /* Hosts have the right button before the middle one. */
    CHECK(moved_y == -3 && mouse_buttons == 2, "%d, buttons %d", moved_y, mouse_buttons);
    struct __attribute__((packed)) { uint8_t button; uint16_t buttons; } press = { SPICE_MOUSE_BUTTON_DOWN, 0 };
    say(&inputs, SPICE_MSGC_INPUTS_MOUSE_PRESS, &press, sizeof press);
    WAIT_FOR(moved_z == 1);

    /* Lights go to viewers. */
    spice_server_kbd_leds(&kbd, SPICE_KEYBOARD_MODIFIER_FLAGS_CAPS_LOCK);
    CHECK(await(&inputs, SPICE_MSG_INPUTS_KEY_MODIFIERS), "lights");
    CHECK(message.body[0] & SPICE_KEYBOARD_MODIFIER_FLAGS_CAPS_LOCK, "caps lock");
    spice_server_kbd_leds(&kbd, 0);

    /* A tablet: viewers say where they are. */
    CHECK(!spice_server_add_interface(server, &tablet.base), "tablet");
    WAIT_FOR(size_w == 320 && size_h == 200);
    uint16_t mode = SPICE_MOUSE_MODE_CLIENT;
    say(&viewer, SPICE_MSGC_MAIN_MOUSE_MODE_REQUEST, &mode, 2);
    do CHECK(await(&viewer, SPICE_MSG_MAIN_MOUSE_MODE), "mode"); while (message.body[2] != SPICE_MOUSE_MODE_CLIENT);
    CHECK(!spice_server_is_server_mouse(server), "with a tablet");
    mode = SPICE_MOUSE_MODE_SERVER;
    say(&viewer, SPICE_MSGC_MAIN_MOUSE_MODE_REQUEST, &mode, 2);
    WAIT_FOR(spice_server_is_server_mouse(server));
    mode = SPICE_MOUSE_MODE_CLIENT;
    say(&viewer, SPICE_MSGC_MAIN_MOUSE_MODE_REQUEST, &mode, 2);
    WAIT_FOR(!spice_server_is_server_mouse(server));
    struct __attribute__((packed)) { uint32_t x, y; uint16_t buttons; uint8_t display; } position = { 100, 50, SPICE_MOUSE_BUTTON_MASK_LEFT, 0 };
    say(&inputs, SPICE_MSGC_INPUTS_MOUSE_POSITION, &position, sizeof position);
    WAIT_FOR(at_x == 100 && at_y == 50);
    CHECK(tablet_buttons == 1, "buttons %d", tablet_buttons);
    press.button = SPICE_MOUSE_BUTTON_UP;
    say(&inputs, SPICE_MSGC_INPUTS_MOUSE_PRESS, &press, sizeof press);
    WAIT_FOR(wheel == -1);
    CHECK(!spice_server_remove_interface(&tablet.base), "remove");
    do CHECK(await(&viewer, SPICE_MSG_MAIN_MOUSE_MODE), "mode"); while (message.body[2] != SPICE_MOUSE_MODE_SERVER);

    /* Who leaves lets go of the keys. */
    scans = 0;
    leave(&inputs);
    WAIT_FOR(scans >= 2);
    CHECK(scan[scans - 2] == 0xe0 && scan[scans - 1] == 0xc8, "%x %x", scan[scans - 2], scan[scans - 1]);
    CHECK(!wrong_thread, "called on another thread");
    leave(&viewer);
    spice_server_destroy(server);
    guest_free(guest);
    return 0;
}
