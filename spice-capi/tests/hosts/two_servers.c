/* Two servers in a process: each has its own viewers and its own picture, and one ends without the other. The pictures are put
 * together from what viewers are sent. */
#include "client.h"
#include "guest.h"

#define SIZE 64

/* What a viewer sees. */
typedef struct Screen { int width, height; uint32_t pixels[256 * 256]; int drawn; } Screen;

static int32_t i32_at(const void *at) { return (int32_t)u32_at(at); }
/* Draws a message. Images are bitmaps, as servers here are told not to compress. */
static void paint(Screen *screen, Channel *c)
{
    const uint8_t *d = c->data;
    if (c->type == SPICE_MSG_DISPLAY_SURFACE_CREATE) {
        EQUAL(u32_at(d), 0, "surface");
        EQUAL(u32_at(d + 12), SPICE_SURFACE_FMT_32_xRGB, "format");
        CHECK(u32_at(d + 16) & SPICE_SURFACE_FLAGS_PRIMARY, "the primary surface");
        screen->width = u32_at(d + 4);
        screen->height = u32_at(d + 8);
        CHECK(screen->width <= 256 && screen->height <= 256, "%d x %d", screen->width, screen->height);
    }
    if (c->type != SPICE_MSG_DISPLAY_DRAW_FILL && c->type != SPICE_MSG_DISPLAY_DRAW_COPY) return;
    int top = i32_at(d + 4), left = i32_at(d + 8), bottom = i32_at(d + 12), right = i32_at(d + 16);
    CHECK(top >= 0 && left >= 0 && bottom <= screen->height && right <= screen->width, "a box beyond the surface");
    const uint8_t *rest = d + 21;
    if (d[20] == SPICE_CLIP_TYPE_RECTS) rest += 4 + 16 * u32_at(rest);
    screen->drawn++;
    if (c->type == SPICE_MSG_DISPLAY_DRAW_FILL) {
        EQUAL(rest[0], SPICE_BRUSH_TYPE_SOLID, "brush");
        for (int y = top; y < bottom; y++) for (int x = left; x < right; x++) screen->pixels[y * 256 + x] = u32_at(rest + 1);
        return;
    }
    const uint8_t *image = d + u32_at(rest);
    int from_top = i32_at(rest + 4), from_left = i32_at(rest + 8);
    EQUAL(image[8], SPICE_IMAGE_TYPE_BITMAP, "kind of image");
    CHECK(image[18] == SPICE_BITMAP_FMT_32BIT || image[18] == SPICE_BITMAP_FMT_RGBA, "format of a bitmap: %d", image[18]);
    int flags = image[19], height = u32_at(image + 24), stride = u32_at(image + 28);
    const uint8_t *data = image + 36;
    for (int y = top; y < bottom; y++)
        for (int x = left; x < right; x++) {
            int row = y - top + from_top;
            if (!(flags & SPICE_BITMAP_FLAGS_TOP_DOWN)) row = height - 1 - row;
            screen->pixels[y * 256 + x] = u32_at(data + row * stride + 4 * (x - left + from_left)) & 0xffffff;
        }
}
/* Reads until every pixel of the screen has this colour. */
static void sees(Channel *display, Screen *screen, uint32_t colour, int width, int height)
{
    for (gint64 until = now_ms() + patience_ms();;) {
        int all = screen->width == width && screen->height == height;
        for (int y = 0; all && y < height; y++) for (int x = 0; all && x < width; x++) all = screen->pixels[y * 256 + x] == colour;
        if (all) return;
        CHECK(now_ms() < until, "a screen of %d x %d of %06x, not %d x %d of %06x", screen->width, screen->height, screen->pixels[0], width, height, colour);
        int came = listen_for(display, 100);
        CHECK(came, "the display channel has ended");
        if (came == 1) paint(screen, display);
    }
}
static Screen screens[4];

static SpiceServer *silent_server(int *port)
{
    SpiceServer *server = serve(port);
    EQUAL(spice_server_set_image_compression(server, SPICE_IMAGE_COMPRESSION_OFF), 0, "no compression");
    EQUAL(spice_server_set_streaming_video(server, SPICE_STREAM_VIDEO_OFF), 0, "no video");
    return server;
}

static void each_has_its_own(void)
{
    int ports[2];
    SpiceServer *servers[2] = { silent_server(&ports[0]), silent_server(&ports[1]) };
    Guest *guests[2] = { guest_added(servers[0], 0), guest_added(servers[1], 0) };
    create_primary(guests[0], SIZE, SIZE);
    create_primary(guests[1], SIZE * 2, SIZE);
    give(guests[0], fill(guests[0], 0, rect(0, 0, SIZE, SIZE), 0x111111));
    give(guests[1], fill(guests[1], 0, rect(0, 0, SIZE * 2, SIZE), 0x222222));
    update(guests[0], 0, rect(0, 0, SIZE, SIZE));
    update(guests[1], 0, rect(0, 0, SIZE, SIZE));
    Channel *viewers[2] = { join(ports[0]), join(ports[1]) };
    Channel *displays[2] = { look(ports[0], viewers[0], 0, 0), look(ports[1], viewers[1], 0, 0) };
    sees(displays[0], &screens[0], 0x111111, SIZE, SIZE);
    sees(displays[1], &screens[1], 0x222222, SIZE * 2, SIZE);
    EQUAL(spice_server_get_num_clients(servers[0]), 1, "viewers of the first");
    EQUAL(spice_server_get_num_clients(servers[1]), 1, "viewers of the second");
    /* A session is its server's. */
    Link link = { .type = SPICE_CHANNEL_INPUTS, .session = viewers[0]->session };
    if (viewers[0]->session != viewers[1]->session)
        EQUAL(knock(ports[1], link), SPICE_LINK_ERR_BAD_CONNECTION_ID, "the other server's session");
    /* Both draw. */
    for (int i = 1; i <= 5; i++) {
        give(guests[0], fill(guests[0], 0, rect(0, 0, SIZE, SIZE), 0x1000 + i));
        give(guests[1], fill(guests[1], 0, rect(0, 0, SIZE * 2, SIZE), 0x2000 + i));
        sees(displays[0], &screens[0], 0x1000 + i, SIZE, SIZE);
        sees(displays[1], &screens[1], 0x2000 + i, SIZE * 2, SIZE);
    }
    uint32_t pixels[SIZE * SIZE];
    for (int i = 0; i < SIZE * SIZE; i++) pixels[i] = 0xabcdef;
    give(guests[0], copy(guests[0], 0, rect(0, 0, SIZE, SIZE), image_new(guests[0], SIZE, SIZE, pixels, 0), rect(0, 0, SIZE, SIZE)));
    sees(displays[0], &screens[0], 0xabcdef, SIZE, SIZE);
    /* One stops, the other does not. */
    spice_server_vm_stop(servers[0]);
    give(guests[1], fill(guests[1], 0, rect(0, 0, SIZE * 2, SIZE), 0x333333));
    sees(displays[1], &screens[1], 0x333333, SIZE * 2, SIZE);
    spice_server_vm_start(servers[0]);
    /* One ends, the other does not. */
    guest_remove(guests[0]);
    spice_server_destroy(servers[0]);
    guest_free(guests[0]);
    CHECK(ends(viewers[0]), "the viewer of a server that has ended");
    CHECK(dial(ports[0]) < 0, "a server that has ended listens");
    give(guests[1], fill(guests[1], 0, rect(0, 0, SIZE * 2, SIZE), 0x444444));
    sees(displays[1], &screens[1], 0x444444, SIZE * 2, SIZE);
    hang_up(displays[0]);
    hang_up(viewers[0]);
    hang_up(displays[1]);
    hang_up(viewers[1]);
    WAIT_FOR(spice_server_get_num_clients(servers[1]) == 0, "still counted");
    guest_remove(guests[1]);
    spice_server_destroy(servers[1]);
    guest_free(guests[1]);
    EQUAL(watches, 0, "watches that are left");
    EQUAL(timers, 0, "timers that are left");
}
/* ---- devices, words and names of their own ---- */

static int told[2], watched[2], typed[2];
static void first_event(int event, SpiceChannelEventInfo *info UNUSED) { told[0] += event == SPICE_CHANNEL_EVENT_INITIALIZED; }
static void second_event(int event, SpiceChannelEventInfo *info UNUSED) { told[1] += event == SPICE_CHANNEL_EVENT_INITIALIZED; }
static SpiceWatch *first_watch(int fd, int mask, SpiceWatchFunc func, void *opaque) { watched[0]++; return loop_watch_add(fd, mask, func, opaque); }
static SpiceWatch *second_watch(int fd, int mask, SpiceWatchFunc func, void *opaque) { watched[1]++; return loop_watch_add(fd, mask, func, opaque); }
static void first_scan(SpiceKbdInstance *sin UNUSED, uint8_t byte) { typed[0] = byte; }
static void second_scan(SpiceKbdInstance *sin UNUSED, uint8_t byte) { typed[1] = byte; }
static uint8_t no_leds(SpiceKbdInstance *sin UNUSED) { return 0; }

static void each_has_its_own_host(void)
{
    SpiceCoreInterface cores[2] = { core, core };
    cores[0].channel_event = first_event;
    cores[0].watch_add = first_watch;
    cores[1].channel_event = second_event;
    cores[1].watch_add = second_watch;
    SpiceKbdInterface kbd_interfaces[2] = {
        { { SPICE_INTERFACE_KEYBOARD, "first", SPICE_INTERFACE_KEYBOARD_MAJOR, SPICE_INTERFACE_KEYBOARD_MINOR }, first_scan, no_leds },
        { { SPICE_INTERFACE_KEYBOARD, "second", SPICE_INTERFACE_KEYBOARD_MAJOR, SPICE_INTERFACE_KEYBOARD_MINOR }, second_scan, no_leds },
    };
    SpiceKbdInstance kbds[2] = { { .base.sif = &kbd_interfaces[0].base }, { .base.sif = &kbd_interfaces[1].base } };
    static const char *const passwords[] = { "left", "right" }, *const names[] = { "one", "two" };
    SpiceServer *servers[2];
    Channel *viewers[2], *inputs[2];
    int ports[2];
    for (int i = 0; i < 2; i++) {
        servers[i] = prepare(&ports[i]);
        spice_server_set_name(servers[i], names[i]);
        EQUAL(spice_server_set_ticket(servers[i], passwords[i], 0, 0, 0), 0, "ticket");
        EQUAL(spice_server_init(servers[i], &cores[i]), 0, "init");
        EQUAL(spice_server_add_interface(servers[i], &kbds[i].base), 0, "a keyboard each");
    }
    CHECK(watched[0] > 0 && watched[1] > 0, "%d and %d watches", watched[0], watched[1]);
    for (int i = 0; i < 2; i++) {
        Link link = { .type = SPICE_CHANNEL_MAIN, .password = passwords[!i], .caps = MAIN_CAPS };
        EQUAL(knock(ports[i], link), SPICE_LINK_ERR_PERMISSION_DENIED, "the other's ticket");
        link.password = passwords[i];
        viewers[i] = open_channel(ports[i], link);
        greeted(viewers[i]);
        AWAIT(viewers[i], SPICE_MSG_MAIN_NAME);
        CHECK(!strcmp((char *)viewers[i]->data + 4, names[i]), "the other's name");
        inputs[i] = open_channel(ports[i], (Link){ .type = SPICE_CHANNEL_INPUTS, .session = viewers[i]->session, .password = passwords[i] });
        AWAIT(inputs[i], SPICE_MSG_INPUTS_INIT);
    }
    WAIT_FOR(told[0] == 2 && told[1] == 2, "%d and %d channels", told[0], told[1]);
    for (int i = 0; i < 2; i++) say(inputs[i], SPICE_MSGC_INPUTS_KEY_DOWN, &(uint32_t){ 0x10 + i }, 4);
    WAIT_FOR(typed[0] == 0x10 && typed[1] == 0x11, "%02x and %02x are typed", typed[0], typed[1]);
    /* One ends, and the other's devices stay. */
    spice_server_destroy(servers[0]);
    CHECK(ends(inputs[0]) && ends(viewers[0]), "viewers of a server that has ended");
    EQUAL(spice_server_get_num_clients(servers[1]), 1, "viewers of the other");
    say(inputs[1], SPICE_MSGC_INPUTS_KEY_DOWN, &(uint32_t){ 0x12 }, 4);
    WAIT_FOR(typed[1] == 0x12, "%02x is typed", typed[1]);
    for (int i = 0; i < 2; i++) {
        hang_up(inputs[i]);
        hang_up(viewers[i]);
    }
    WAIT_FOR(spice_server_get_num_clients(servers[1]) == 0, "still counted");
    spice_server_destroy(servers[1]);
    EQUAL(watches, 0, "watches that are left");
    EQUAL(timers, 0, "timers that are left");
}

static void two_displays_of_one(void)
{
    int port;
    SpiceServer *server = silent_server(&port);
    Guest *guests[2] = { guest_added(server, 0), guest_added(server, 1) };
    create_primary(guests[0], SIZE, SIZE);
    create_primary(guests[1], SIZE, SIZE * 2);
    Channel *viewer = join(port), *displays[2];
    for (int i = 0; i < 2; i++) displays[i] = look(port, viewer, i, 0);
    for (int n = 1; n <= 3; n++)
        for (int i = 0; i < 2; i++) {
            give(guests[i], fill(guests[i], 0, rect(0, 0, SIZE, i ? SIZE * 2 : SIZE), 0x100 * n + i));
            sees(displays[i], &screens[i], 0x100 * n + i, SIZE, i ? SIZE * 2 : SIZE);
        }
    hang_up(displays[0]);
    give(guests[1], fill(guests[1], 0, rect(0, 0, SIZE, SIZE * 2), 0x99));
    sees(displays[1], &screens[1], 0x99, SIZE, SIZE * 2);
    hang_up(displays[1]);
    hang_up(viewer);
    WAIT_FOR(spice_server_get_num_clients(server) == 0, "still counted");
    for (int i = 0; i < 2; i++) guest_remove(guests[i]);
    spice_server_destroy(server);
    CHECK(!pthread_equal(guests[0]->worker, guests[1]->worker), "two displays have one thread between them");
    for (int i = 0; i < 2; i++) guest_free(guests[i]);
}
/* Who comes later sees what is there. */
static void a_picture_for_who_comes_later(void)
{
    int port;
    SpiceServer *server = silent_server(&port);
    Guest *guest = guest_added(server, 0);
    create_primary(guest, SIZE, SIZE);
    give(guest, fill(guest, 0, rect(0, 0, SIZE, SIZE), 0x123456));
    for (int i = 0; i < 4; i++) {
        memset(&screens[0], 0, sizeof screens[0]);
        Channel *viewer = join(port), *display = look(port, viewer, 0, 0);
        sees(display, &screens[0], 0x123456 + i, SIZE, SIZE);
        give(guest, fill(guest, 0, rect(0, 0, SIZE, SIZE), 0x123456 + i + 1));
        sees(display, &screens[0], 0x123456 + i + 1, SIZE, SIZE);
        hang_up(display);
        hang_up(viewer);
        WAIT_FOR(spice_server_get_num_clients(server) == 0, "still counted");
    }
    guest_remove(guest);
    spice_server_destroy(server);
    all_came_back(guest);
    guest_free(guest);
}

MAIN(CASE(each_has_its_own), CASE(each_has_its_own_host), CASE(two_displays_of_one), CASE(a_picture_for_who_comes_later))
