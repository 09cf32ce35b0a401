/* What viewers type and point at comes to the host's devices, on its thread; lights go back; and nothing stays pressed when a
 * viewer goes. */
#include "client.h"
#include "guest.h"

static uint8_t scans[4096];
static int scan_count;
static struct { int calls, dx, dy, dz; uint32_t buttons; } moved;
static int presses;
/* Buttons, by whatever they were told. */
static uint32_t pressed;
static struct { int calls, x, y, wheel, wheels, sizes, width, height; uint32_t buttons; int presses; } at;
static uint8_t lights;

static void push_scan(SpiceKbdInstance *sin UNUSED, uint8_t byte)
{
    on_host_thread("push_scan_freg");
    CHECK(scan_count < COUNT(scans), "scan codes without end");
    scans[scan_count++] = byte;
}
static uint8_t get_leds(SpiceKbdInstance *sin UNUSED) { on_host_thread("get_leds"); return lights; }
static void motion(SpiceMouseInstance *sin UNUSED, int dx, int dy, int dz, uint32_t buttons)
{
    on_host_thread("motion");
    moved.calls++;
    moved.dx += dx;
    moved.dy += dy;
    moved.dz += dz;
    moved.buttons = pressed = buttons;
}
static void buttons(SpiceMouseInstance *sin UNUSED, uint32_t state) { on_host_thread("buttons"); presses++; pressed = state; }
static void set_logical_size(SpiceTabletInstance *sin UNUSED, int width, int height) { on_host_thread("set_logical_size"); at.sizes++; at.width = width; at.height = height; }
static void position(SpiceTabletInstance *sin UNUSED, int x, int y, uint32_t state) { on_host_thread("position"); at.calls++; at.x = x; at.y = y; at.buttons = state; }
static void wheel(SpiceTabletInstance *sin UNUSED, int by, uint32_t state) { on_host_thread("wheel"); at.wheels++; at.wheel += by; at.buttons = state; }
static void tablet_buttons(SpiceTabletInstance *sin UNUSED, uint32_t state) { on_host_thread("buttons of the tablet"); at.presses++; at.buttons = state; }

static const SpiceKbdInterface kbd_interface = { { SPICE_INTERFACE_KEYBOARD, "keyboard", SPICE_INTERFACE_KEYBOARD_MAJOR, SPICE_INTERFACE_KEYBOARD_MINOR }, push_scan, get_leds };
static const SpiceMouseInterface mouse_interface = { { SPICE_INTERFACE_MOUSE, "mouse", SPICE_INTERFACE_MOUSE_MAJOR, SPICE_INTERFACE_MOUSE_MINOR }, motion, buttons };
static const SpiceTabletInterface tablet_interface = { { SPICE_INTERFACE_TABLET, "tablet", SPICE_INTERFACE_TABLET_MAJOR, SPICE_INTERFACE_TABLET_MINOR }, set_logical_size, position, wheel, tablet_buttons };
static SpiceKbdInstance kbd = { .base.sif = &kbd_interface.base };
static SpiceMouseInstance mouse = { .base.sif = &mouse_interface.base };
static SpiceTabletInstance tablet = { .base.sif = &tablet_interface.base };

static SpiceServer *server;
static int port;
static Guest *guest;
static Channel *viewer, *inputs;

static void begin(void)
{
    server = serve(&port);
    guest = guest_added(server, 0);
    create_primary(guest, 320, 200);
    EQUAL(spice_server_add_interface(server, &kbd.base), 0, "keyboard");
    EQUAL(spice_server_add_interface(server, &mouse.base), 0, "mouse");
    CHECK(kbd.st && mouse.st, "devices without a state");
    viewer = join(port);
    inputs = attach(port, viewer, SPICE_CHANNEL_INPUTS, 0, 1 << SPICE_INPUTS_CAP_KEY_SCANCODE);
    AWAIT(inputs, SPICE_MSG_INPUTS_INIT);
    EQUAL(inputs->size, 2, "size of INIT");
}
static void end(void)
{
    hang_up(inputs);
    hang_up(viewer);
    WAIT_FOR(spice_server_get_num_clients(server) == 0, "a viewer that has left is still counted");
    guest_remove(guest);
    spice_server_destroy(server);
    guest_free(guest);
}
static void scanned(const char *what, int count, ...)
{
    va_list should;
    WAIT_FOR(scan_count >= count, "%s: %d scan codes, not %d", what, scan_count, count);
    run_for(20);
    va_start(should, count);
    for (int i = 0; i < count; i++) {
        int code = va_arg(should, int);
        if (scans[i] != code) FAIL("%s: scan code %d is %02x, not %02x", what, i, scans[i], code);
    }
    va_end(should);
    EQUAL(scan_count, count, what);
    scan_count = 0;
}
static void key(uint16_t message, uint32_t code) { say(inputs, message, &code, 4); }

static void keys(void)
{
    begin();
    key(SPICE_MSGC_INPUTS_KEY_DOWN, 0x1e);
    key(SPICE_MSGC_INPUTS_KEY_UP, 0x9e);
    scanned("a key", 2, 0x1e, 0x9e);
    /* More bytes of a key are the higher ones of the number. */
    key(SPICE_MSGC_INPUTS_KEY_DOWN, 0x48e0);
    key(SPICE_MSGC_INPUTS_KEY_UP, 0xc8e0);
    scanned("a key of two bytes", 4, 0xe0, 0x48, 0xe0, 0xc8);
    key(SPICE_MSGC_INPUTS_KEY_DOWN, 0x451de1);
    scanned("a key of three bytes", 3, 0xe1, 0x1d, 0x45);
    for (int i = 0; i < 50; i++) key(i % 2 ? SPICE_MSGC_INPUTS_KEY_UP : SPICE_MSGC_INPUTS_KEY_DOWN, i % 2 ? 0xa0 : 0x20);
    WAIT_FOR(scan_count == 50, "%d of 50 scan codes", scan_count);
    for (int i = 0; i < 50; i++) EQUAL(scans[i], i % 2 ? 0xa0 : 0x20, "in the order in which they were said");
    scan_count = 0;
    /* One that repeats, and a zero, which is none. */
    key(SPICE_MSGC_INPUTS_KEY_DOWN, 0x10);
    key(SPICE_MSGC_INPUTS_KEY_DOWN, 0x10);
    key(SPICE_MSGC_INPUTS_KEY_DOWN, 0);
    key(SPICE_MSGC_INPUTS_KEY_UP, 0x90);
    scanned("a key that repeats", 3, 0x10, 0x10, 0x90);
    /* Scan codes as they are. */
    CHECK(inputs->caps & 1 << SPICE_INPUTS_CAP_KEY_SCANCODE, "no message of scan codes as they are");
    say(inputs, SPICE_MSGC_INPUTS_KEY_SCANCODE, "\xe0\x1d\x2e\xae\xe0\x9d", 6);
    scanned("scan codes", 6, 0xe0, 0x1d, 0x2e, 0xae, 0xe0, 0x9d);
    end();
}
static void keys_are_let_go_of(void)
{
    begin();
    key(SPICE_MSGC_INPUTS_KEY_DOWN, 0x1e);
    key(SPICE_MSGC_INPUTS_KEY_DOWN, 0x48e0);
    key(SPICE_MSGC_INPUTS_KEY_DOWN, 0x30);
    key(SPICE_MSGC_INPUTS_KEY_UP, 0xb0);
    scanned("keys", 5, 0x1e, 0xe0, 0x48, 0x30, 0xb0);
    /* The inputs channel goes, the session stays. */
    hang_up(inputs);
    WAIT_FOR(scan_count >= 3, "keys that a viewer held are not let go of");
    run_for(20);
    EQUAL(scan_count, 3, "scan codes of two keys that are let go of");
    int plain = 0, extended = 0;
    for (int i = 0; i < 3; i++) {
        if (scans[i] == 0xe0 && i < 2 && scans[i + 1] == 0xc8) { extended = 1; i++; }
        else if (scans[i] == 0x9e) plain = 1;
    }
    CHECK(plain && extended, "%02x %02x %02x", scans[0], scans[1], scans[2]);
    scan_count = 0;
    /* Another time there is nothing to let go of. */
    inputs = attach(port, viewer, SPICE_CHANNEL_INPUTS, 0, 0);
    AWAIT(inputs, SPICE_MSG_INPUTS_INIT);
    hang_up(inputs);
    run_for(100);
    EQUAL(scan_count, 0, "scan codes of keys that nobody held");
    /* With the whole session. */
    inputs = attach(port, viewer, SPICE_CHANNEL_INPUTS, 0, 0);
    key(SPICE_MSGC_INPUTS_KEY_DOWN, 0x2a);
    scanned("a key", 1, 0x2a);
    hang_up(viewer);
    hang_up(inputs);
    scanned("what is held by a session that ends", 1, 0xaa);
    viewer = join(port);
    inputs = attach(port, viewer, SPICE_CHANNEL_INPUTS, 0, 0);
    end();
}
/* Those of one viewer; another goes on. */
static void keys_of_another_viewer(void)
{
    begin();
    Channel *other = join(port), *theirs = attach(port, other, SPICE_CHANNEL_INPUTS, 0, 0);
    AWAIT(theirs, SPICE_MSG_INPUTS_INIT);
    uint32_t control = 0x1d, letter = 0x20, letter_up = 0xa0;
    say(theirs, SPICE_MSGC_INPUTS_KEY_DOWN, &control, 4);
    say(theirs, SPICE_MSGC_INPUTS_KEY_DOWN, &letter, 4);
    say(theirs, SPICE_MSGC_INPUTS_KEY_UP, &letter_up, 4);
    scanned("keys of another viewer", 3, 0x1d, 0x20, 0xa0);
    hang_up(theirs);
    hang_up(other);
    scanned("what it held", 1, 0x9d);
    key(SPICE_MSGC_INPUTS_KEY_DOWN, 0x11);
    key(SPICE_MSGC_INPUTS_KEY_UP, 0x91);
    scanned("keys of who is still here", 2, 0x11, 0x91);
    end();
}

typedef struct PACKED { int32_t dx, dy; uint16_t buttons; } Motion;
typedef struct PACKED { uint8_t button; uint16_t buttons; } Press;
typedef struct PACKED { uint32_t x, y; uint16_t buttons; uint8_t display; } Position;

static void motions(void)
{
    begin();
    CHECK(spice_server_is_server_mouse(server), "without a tablet it is the server's mouse");
    Motion motion_ = { 5, -3, SPICE_MOUSE_BUTTON_MASK_LEFT };
    say(inputs, SPICE_MSGC_INPUTS_MOUSE_MOTION, &motion_, sizeof motion_);
    WAIT_FOR(moved.calls == 1, "the mouse does not move");
    EQUAL(moved.dx, 5, "to the right");
    EQUAL(moved.dy, -3, "down");
    EQUAL(moved.dz, 0, "wheel");
    EQUAL(moved.buttons, 1, "the left button");
    /* Every fourth is acknowledged. */
    for (int i = 0; i < 7; i++) say(inputs, SPICE_MSGC_INPUTS_MOUSE_MOTION, &motion_, sizeof motion_);
    AWAIT(inputs, SPICE_MSG_INPUTS_MOUSE_MOTION_ACK);
    AWAIT(inputs, SPICE_MSG_INPUTS_MOUSE_MOTION_ACK);
    EQUAL(moved.calls, 8, "motions");
    EQUAL(moved.dx, 40, "to the right");
    CHECK(silent(inputs, SPICE_MSG_INPUTS_MOUSE_MOTION_ACK, 50), "a third acknowledgement of eight motions");
    end();
}
static void buttons_of_the_mouse(void)
{
    begin();
    /* Hosts have left, right, middle; the protocol left, middle, right. */
    static const struct { uint8_t button; uint16_t said; uint32_t heard; } states[] = {
        { SPICE_MOUSE_BUTTON_LEFT, SPICE_MOUSE_BUTTON_MASK_LEFT, 1 },
        { SPICE_MOUSE_BUTTON_MIDDLE, SPICE_MOUSE_BUTTON_MASK_MIDDLE, 4 },
        { SPICE_MOUSE_BUTTON_RIGHT, SPICE_MOUSE_BUTTON_MASK_RIGHT, 2 },
    };
    for (int i = 0; i < COUNT(states); i++) {
        Press press = { states[i].button, states[i].said };
        say(inputs, SPICE_MSGC_INPUTS_MOUSE_PRESS, &press, sizeof press);
        /* The host hears of it, be it by a motion of nothing. */
        WAIT_FOR(pressed == states[i].heard, "button %d that is pressed: %x", press.button, pressed);
        EQUAL(moved.dx | moved.dy | moved.dz, 0, "a button moves nothing");
        press.buttons = 0;
        say(inputs, SPICE_MSGC_INPUTS_MOUSE_RELEASE, &press, sizeof press);
        WAIT_FOR(pressed == 0, "button %d that is let go of: %x", press.button, pressed);
    }
    /* Two at a time. */
    say(inputs, SPICE_MSGC_INPUTS_MOUSE_PRESS, &(Press){ SPICE_MOUSE_BUTTON_LEFT, SPICE_MOUSE_BUTTON_MASK_LEFT }, sizeof(Press));
    say(inputs, SPICE_MSGC_INPUTS_MOUSE_PRESS, &(Press){ SPICE_MOUSE_BUTTON_RIGHT, SPICE_MOUSE_BUTTON_MASK_LEFT | SPICE_MOUSE_BUTTON_MASK_RIGHT }, sizeof(Press));
    WAIT_FOR(pressed == 3, "two buttons: %x", pressed);
    say(inputs, SPICE_MSGC_INPUTS_MOUSE_RELEASE, &(Press){ SPICE_MOUSE_BUTTON_RIGHT, SPICE_MOUSE_BUTTON_MASK_LEFT }, sizeof(Press));
    WAIT_FOR(pressed == 1, "one of two buttons: %x", pressed);
    say(inputs, SPICE_MSGC_INPUTS_MOUSE_RELEASE, &(Press){ SPICE_MOUSE_BUTTON_LEFT, 0 }, sizeof(Press));
    WAIT_FOR(pressed == 0, "none of two buttons: %x", pressed);
    Press up = { SPICE_MOUSE_BUTTON_UP, 0 }, down = { SPICE_MOUSE_BUTTON_DOWN, SPICE_MOUSE_BUTTON_MASK_LEFT };
    say(inputs, SPICE_MSGC_INPUTS_MOUSE_PRESS, &up, sizeof up);
    WAIT_FOR(moved.dz == -1, "wheel up");
    say(inputs, SPICE_MSGC_INPUTS_MOUSE_PRESS, &down, sizeof down);
    WAIT_FOR(moved.dz == 0, "wheel down");
    WAIT_FOR(pressed == 1, "buttons at the wheel: %x", pressed);
    EQUAL(moved.dx, 0, "the wheel moves nothing");
    /* The wheel is none of the buttons; those of the side are beyond it. */
    uint16_t all = SPICE_MOUSE_BUTTON_MASK_LEFT | SPICE_MOUSE_BUTTON_MASK_MIDDLE | SPICE_MOUSE_BUTTON_MASK_RIGHT | SPICE_MOUSE_BUTTON_MASK_UP
                   | SPICE_MOUSE_BUTTON_MASK_DOWN;
    say(inputs, SPICE_MSGC_INPUTS_MOUSE_MOTION, &(Motion){ 0, 1, all }, sizeof(Motion));
    WAIT_FOR(moved.dy == 1, "a motion");
    EQUAL(moved.buttons, 7, "all buttons and the wheel");
    say(inputs, SPICE_MSGC_INPUTS_MOUSE_MOTION, &(Motion){ 0, 1, 0x60 }, sizeof(Motion));
    WAIT_FOR(moved.dy == 2, "a motion");
    EQUAL(moved.buttons, 0xc0, "the buttons of the side");
    end();
}
/* The mode that a viewer was told last; whether the server takes the better one by itself is left open here. */
static uint16_t current_mode;
static void heard_mode(void)
{
    EQUAL(viewer->size, 4, "size of MOUSE_MODE");
    current_mode = u16_at(viewer->data + 2);
    CHECK(u16_at(viewer->data) & current_mode, "mode %d is not one of %d", current_mode, u16_at(viewer->data));
}
static void next_mode(void)
{
    AWAIT(viewer, SPICE_MSG_MAIN_MOUSE_MODE);
    heard_mode();
}
static void mouse_mode(uint32_t mode)
{
    uint16_t wanted = mode;
    /* The host's word counts: what viewers are told may be on the way. */
    if (spice_server_is_server_mouse(server) == (mode == SPICE_MOUSE_MODE_SERVER)) return;
    say(viewer, SPICE_MSGC_MAIN_MOUSE_MODE_REQUEST, &wanted, sizeof wanted);
    gint64 until = now_ms() + patience_ms();
    while (current_mode != mode || spice_server_is_server_mouse(server) != (mode == SPICE_MOUSE_MODE_SERVER)) {
        CHECK(now_ms() < until, "mode %d, which was asked for: the viewer was told %d, the host %s", mode, current_mode,
              spice_server_is_server_mouse(server) ? "the server's" : "the viewer's");
        if (listen_for(viewer, 10) == 1 && viewer->type == SPICE_MSG_MAIN_MOUSE_MODE) heard_mode();
    }
}
static void a_tablet(void)
{
    begin();
    EQUAL(spice_server_add_interface(server, &tablet.base), 0, "tablet");
    CHECK(tablet.st, "a tablet without a state");
    WAIT_FOR(at.width == 320 && at.height == 200, "set_logical_size: %d x %d", at.width, at.height);
    do next_mode(); while (!(u16_at(viewer->data) & SPICE_MOUSE_MODE_CLIENT));
    mouse_mode(SPICE_MOUSE_MODE_CLIENT);
    CHECK(!spice_server_is_server_mouse(server), "it is the viewer's mouse now");
    Position where = { 100, 50, SPICE_MOUSE_BUTTON_MASK_RIGHT, 0 };
    say(inputs, SPICE_MSGC_INPUTS_MOUSE_POSITION, &where, sizeof where);
    WAIT_FOR(at.calls == 1, "position");
    EQUAL(at.x, 100, "x");
    EQUAL(at.y, 50, "y");
    EQUAL(at.buttons, 2, "the right button");
    Press press = { SPICE_MOUSE_BUTTON_MIDDLE, SPICE_MOUSE_BUTTON_MASK_MIDDLE };
    say(inputs, SPICE_MSGC_INPUTS_MOUSE_PRESS, &press, sizeof press);
    WAIT_FOR(at.buttons == 4, "the middle button");
    say(inputs, SPICE_MSGC_INPUTS_MOUSE_RELEASE, &(Press){ SPICE_MOUSE_BUTTON_MIDDLE, 0 }, sizeof press);
    WAIT_FOR(at.buttons == 0, "no button");
    say(inputs, SPICE_MSGC_INPUTS_MOUSE_PRESS, &(Press){ SPICE_MOUSE_BUTTON_UP, 0 }, sizeof press);
    WAIT_FOR(at.wheel == -1, "wheel up");
    say(inputs, SPICE_MSGC_INPUTS_MOUSE_PRESS, &(Press){ SPICE_MOUSE_BUTTON_DOWN, 0 }, sizeof press);
    WAIT_FOR(at.wheel == 0 && at.wheels >= 2, "wheel down");
    EQUAL(moved.calls, 0, "motions of the mouse, while the tablet is used");
    /* Back to the mouse. */
    mouse_mode(SPICE_MOUSE_MODE_SERVER);
    CHECK(spice_server_is_server_mouse(server), "it is the server's mouse again");
    int calls = at.calls;
    Motion motion_ = { 1, 1, 0 };
    say(inputs, SPICE_MSGC_INPUTS_MOUSE_MOTION, &motion_, sizeof motion_);
    WAIT_FOR(moved.calls == 1, "the mouse does not move");
    EQUAL(at.calls, calls, "positions, while the mouse is used");
    mouse_mode(SPICE_MOUSE_MODE_CLIENT);
    /* Another picture has another size; a server may change its mode in between. */
    spice_qxl_destroy_primary_surface(&guest->qxl, 0);
    create_primary(guest, 640, 480);
    WAIT_FOR(at.width == 640 && at.height == 480, "set_logical_size of another picture: %d x %d", at.width, at.height);
    EQUAL(spice_server_remove_interface(&tablet.base), 0, "remove");
    while (current_mode != SPICE_MOUSE_MODE_SERVER) next_mode();
    WAIT_FOR(spice_server_is_server_mouse(server), "without a tablet it is the server's mouse");
    calls = at.calls;
    say(inputs, SPICE_MSGC_INPUTS_MOUSE_POSITION, &where, sizeof where);
    run_for(50);
    EQUAL(at.calls, calls, "positions of a tablet that has been taken away");
    /* And again, as hosts do when the guest changes its device. */
    EQUAL(spice_server_add_interface(server, &tablet.base), 0, "tablet");
    do next_mode(); while (!(u16_at(viewer->data) & SPICE_MOUSE_MODE_CLIENT));
    EQUAL(spice_server_remove_interface(&tablet.base), 0, "remove");
    end();
}
/* Where a pointer is at is nothing to a mouse, and a motion nothing to a tablet. */
static void what_is_meant_for_the_other(void)
{
    begin();
    EQUAL(spice_server_add_interface(server, &tablet.base), 0, "tablet");
    do next_mode(); while (!(u16_at(viewer->data) & SPICE_MOUSE_MODE_CLIENT));
    mouse_mode(SPICE_MOUSE_MODE_CLIENT);
    say(inputs, SPICE_MSGC_INPUTS_MOUSE_MOTION, &(Motion){ 1, 1, 0 }, sizeof(Motion));
    say(inputs, SPICE_MSGC_INPUTS_MOUSE_POSITION, &(Position){ 7, 8, 0, 0 }, sizeof(Position));
    WAIT_FOR(at.x == 7 && at.y == 8, "a position");
    EQUAL(moved.calls, 0, "motions, while the tablet is used");
    mouse_mode(SPICE_MOUSE_MODE_SERVER);
    int calls = at.calls;
    say(inputs, SPICE_MSGC_INPUTS_MOUSE_POSITION, &(Position){ 5, 5, 0, 0 }, sizeof(Position));
    say(inputs, SPICE_MSGC_INPUTS_MOUSE_MOTION, &(Motion){ 1, 1, 0 }, sizeof(Motion));
    WAIT_FOR(moved.calls == 1, "a motion");
    EQUAL(at.calls, calls, "positions, while the mouse is used");
    EQUAL(spice_server_remove_interface(&tablet.base), 0, "remove");
    end();
}
static void lights_of_the_keyboard(void)
{
    begin();
    EQUAL(spice_server_kbd_leds(&kbd, SPICE_KEYBOARD_MODIFIER_FLAGS_CAPS_LOCK), 0, "kbd_leds");
    AWAIT(inputs, SPICE_MSG_INPUTS_KEY_MODIFIERS);
    EQUAL(u16_at(inputs->data), SPICE_KEYBOARD_MODIFIER_FLAGS_CAPS_LOCK, "lights");
    lights = SPICE_KEYBOARD_MODIFIER_FLAGS_NUM_LOCK | SPICE_KEYBOARD_MODIFIER_FLAGS_SCROLL_LOCK;
    spice_server_kbd_leds(&kbd, lights);
    do AWAIT(inputs, SPICE_MSG_INPUTS_KEY_MODIFIERS);
    while (u16_at(inputs->data) != (SPICE_KEYBOARD_MODIFIER_FLAGS_NUM_LOCK | SPICE_KEYBOARD_MODIFIER_FLAGS_SCROLL_LOCK));
    /* Who comes is told how they are. */
    hang_up(inputs);
    inputs = attach(port, viewer, SPICE_CHANNEL_INPUTS, 0, 0);
    AWAIT(inputs, SPICE_MSG_INPUTS_INIT);
    EQUAL(u16_at(inputs->data), SPICE_KEYBOARD_MODIFIER_FLAGS_NUM_LOCK | SPICE_KEYBOARD_MODIFIER_FLAGS_SCROLL_LOCK, "lights of who comes");
    end();
}
/* A viewer's own locks: keys are pressed for what differs. */
static void locks_of_a_viewer(void)
{
    begin();
    uint16_t locks = SPICE_KEYBOARD_MODIFIER_FLAGS_CAPS_LOCK;
    say(inputs, SPICE_MSGC_INPUTS_KEY_MODIFIERS, &locks, 2);
    scanned("caps lock", 2, 0x3a, 0xba);
    say(inputs, SPICE_MSGC_INPUTS_KEY_MODIFIERS, &locks, 2);
    run_for(50);
    EQUAL(scan_count, 0, "scan codes for locks that are as they should be");
    locks = SPICE_KEYBOARD_MODIFIER_FLAGS_NUM_LOCK | SPICE_KEYBOARD_MODIFIER_FLAGS_CAPS_LOCK;
    say(inputs, SPICE_MSGC_INPUTS_KEY_MODIFIERS, &locks, 2);
    scanned("num lock", 2, 0x45, 0xc5);
    locks = 0;
    say(inputs, SPICE_MSGC_INPUTS_KEY_MODIFIERS, &locks, 2);
    WAIT_FOR(scan_count == 4, "%d scan codes for two locks", scan_count);
    /* A guest that does not follow: after a while viewers are told what its lights are; by the C library, what it has pressed. */
    lights = SPICE_KEYBOARD_MODIFIER_FLAGS_SCROLL_LOCK;
    do AWAIT(inputs, SPICE_MSG_INPUTS_KEY_MODIFIERS);
    while (u16_at(inputs->data) != (with_c_faults() ? 0 : SPICE_KEYBOARD_MODIFIER_FLAGS_SCROLL_LOCK));
    end();
}
static void one_of_each(void)
{
    begin();
    SpiceKbdInstance second_kbd = { .base.sif = &kbd_interface.base };
    SpiceMouseInstance second_mouse = { .base.sif = &mouse_interface.base };
    SpiceTabletInstance second_tablet = { .base.sif = &tablet_interface.base };
    EQUAL(spice_server_add_interface(server, &second_kbd.base), -1, "a second keyboard");
    EQUAL(spice_server_add_interface(server, &second_mouse.base), -1, "a second mouse");
    EQUAL(spice_server_add_interface(server, &tablet.base), 0, "tablet");
    EQUAL(spice_server_add_interface(server, &second_tablet.base), -1, "a second tablet");
    key(SPICE_MSGC_INPUTS_KEY_DOWN, 0x1e);
    scanned("a key of the first one", 1, 0x1e);
    EQUAL(spice_server_remove_interface(&tablet.base), 0, "remove");
    /* A tablet may go, the other ones stay. */
    EQUAL(spice_server_remove_interface(&kbd.base), -1, "remove the keyboard");
    EQUAL(spice_server_remove_interface(&mouse.base), -1, "remove the mouse");
    end();
}
static void versions_of_the_interfaces(void)
{
    server = serve(&port);
    SpiceKbdInterface later_kbd = kbd_interface;
    SpiceMouseInterface other_mouse = mouse_interface;
    SpiceTabletInterface later_tablet = tablet_interface;
    SpiceKbdInstance a_kbd = { .base.sif = &later_kbd.base };
    SpiceMouseInstance a_mouse = { .base.sif = &other_mouse.base };
    SpiceTabletInstance a_tablet_ = { .base.sif = &later_tablet.base };
    later_kbd.base.minor_version++;
    other_mouse.base.major_version++;
    later_tablet.base.minor_version++;
    EQUAL(spice_server_add_interface(server, &a_kbd.base), -1, "a keyboard of a later minor version");
    EQUAL(spice_server_add_interface(server, &a_mouse.base), -1, "a mouse of another major version");
    EQUAL(spice_server_add_interface(server, &a_tablet_.base), -1, "a tablet of a later minor version");
    spice_server_destroy(server);
}
/* Without devices, what is said comes to nobody, and harms nobody. */
static void without_devices(void)
{
    server = serve(&port);
    viewer = join(port);
    inputs = attach(port, viewer, SPICE_CHANNEL_INPUTS, 0, 0);
    AWAIT(inputs, SPICE_MSG_INPUTS_INIT);
    Motion motion_ = { 1, 1, 0 };
    Press press = { SPICE_MOUSE_BUTTON_UP, 0 };
    key(SPICE_MSGC_INPUTS_KEY_DOWN, 0x1e);
    for (int i = 0; i < 4; i++) say(inputs, SPICE_MSGC_INPUTS_MOUSE_MOTION, &motion_, sizeof motion_);
    say(inputs, SPICE_MSGC_INPUTS_MOUSE_PRESS, &press, sizeof press);
    say(inputs, SPICE_MSGC_INPUTS_MOUSE_RELEASE, &press, sizeof press);
    AWAIT(inputs, SPICE_MSG_INPUTS_MOUSE_MOTION_ACK);
    CHECK(stays(inputs, 50), "the channel has ended");
    EQUAL(scan_count + moved.calls + presses, 0, "calls");
    hang_up(inputs);
    hang_up(viewer);
    WAIT_FOR(spice_server_get_num_clients(server) == 0, "still counted");
    spice_server_destroy(server);
}
static void full_headers(void)
{
    begin();
    Channel *other = open_channel(port, (Link){ .type = SPICE_CHANNEL_MAIN, .caps = MAIN_CAPS });
    greeted(other);
    Channel *theirs = open_channel(port, (Link){ .type = SPICE_CHANNEL_INPUTS, .session = other->session });
    AWAIT(theirs, SPICE_MSG_INPUTS_INIT);
    CHECK(!theirs->mini && inputs->mini, "headers");
    uint32_t code = 0x21;
    say(theirs, SPICE_MSGC_INPUTS_KEY_DOWN, &code, 4);
    say(theirs, SPICE_MSGC_INPUTS_KEY_UP, &(uint32_t){ 0xa1 }, 4);
    scanned("keys with full headers", 2, 0x21, 0xa1);
    hang_up(theirs);
    hang_up(other);
    end();
}

MAIN(CASE(keys), CASE(keys_are_let_go_of), CASE(keys_of_another_viewer), CASE(motions), CASE(buttons_of_the_mouse), CASE(a_tablet),
     CASE(what_is_meant_for_the_other), CASE(lights_of_the_keyboard), CASE(locks_of_a_viewer), CASE(one_of_each),
     CASE(versions_of_the_interfaces), CASE(without_devices), CASE(full_headers))
