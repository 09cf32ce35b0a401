/* A QXL device: what its guest draws is in the guest's memory when the host asks for it; every command comes back, once; and
 * what is asked for asynchronously is answered with its cookie. Most of it on a server that nobody can come to. */
#include "guest.h"

#define W 64
#define H 48
#define WHOLE rect(0, 0, W, H)
#define RGB(pixel) ((pixel) & 0xffffff)

static SpiceServer *server;
static Guest *guest;
static uint32_t *memory;

static void begin(void)
{
    server = serve_nowhere();
    guest = guest_added(server, 0);
}
static void end(void)
{
    guest_remove(guest);
    spice_server_destroy(server);
    EQUAL(watches, 0, "watches that are left");
    EQUAL(timers, 0, "timers that are left");
    guest_free(guest);
}

static void it_is_attached_and_asked(void)
{
    server = serve_nowhere();
    guest = guest_new(3);
    EQUAL(spice_server_add_interface(server, &guest->qxl.base), 0, "add");
    EQUAL(guest->attached, 1, "attached_worker, by the time that add_interface is back");
    CHECK(guest->init_info >= 1, "get_init_info has not been called");
    CHECK(guest->qxl.st, "no state");
    EQUAL(guest_taken(guest), 0, "commands taken before there is a machine");
    end();
}
/* Hosts say where their memory is, and what there is to see, when they are told that the worker is there. */
static void attaches_slowly(QXLInstance *qxl)
{
    QXLDevMemSlot slot = guest_slot(guest);
    g_usleep(50000);
    EQUAL(guest_taken(guest), 0, "commands taken before the host has said where its memory is");
    spice_qxl_add_memslot(qxl, &slot);
    memory = create_primary(guest, W, H);
    guest->attached++;
}
static void nothing_is_taken_before_it_is_attached(void)
{
    server = serve_nowhere();
    guest = guest_new(0);
    QXLInterface slow = guest_interface;
    slow.attached_worker = attaches_slowly;
    guest->qxl.base.sif = &slow.base;
    Command *command = fill(guest, 0, WHOLE, 0x998877);
    g_async_queue_push(guest->ring, command);
    EQUAL(spice_server_add_interface(server, &guest->qxl.base), 0, "add");
    EQUAL(guest->attached, 1, "attached_worker");
    /* Drawn before the next, which makes the C library look at a ring that was filled before it came. */
    spice_server_vm_start(server);
    update(guest, 0, WHOLE);
    EQUAL(memory[5] & 0xffffff, 0x998877, "a pixel that was drawn");
    all_came_back(guest);
    end();
}
static void two_of_the_same_id(void)
{
    begin();
    Guest *other = guest_new(0);
    EQUAL(spice_server_add_interface(server, &other->qxl.base), -1, "a second display with the same id");
    Guest *third = guest_added(server, 1);
    guest_remove(third);
    guest_free(third);
    guest_free(other);
    end();
}
static void versions_of_the_interface(void)
{
    server = serve_nowhere();
    guest = guest_new(0);
    QXLInterface other = guest_interface;
    guest->qxl.base.sif = &other.base;
    other.base.major_version = SPICE_INTERFACE_QXL_MAJOR + 1;
    EQUAL(spice_server_add_interface(server, &guest->qxl.base), -1, "a later major version");
    other.base.major_version = SPICE_INTERFACE_QXL_MAJOR;
    other.base.minor_version = SPICE_INTERFACE_QXL_MINOR + 1;
    EQUAL(spice_server_add_interface(server, &guest->qxl.base), -1, "a later minor version");
    other.base.minor_version = 1;
    /* Such a host has none of what came later. */
    other.set_client_capabilities = NULL;
    other.client_monitors_config = NULL;
    EQUAL(spice_server_add_interface(server, &guest->qxl.base), 0, "an earlier minor version");
    end();
}

/* ---- pixels ---- */

static void pixels_with(int stride)
{
    begin();
    uint32_t *memory = guest_alloc(guest, W * H * 4);
    memset(memory, 0x55, W * H * 4);
    QXLDevSurfaceCreate create = primary(guest, memory, W, H, stride);
    spice_qxl_create_primary_surface(&guest->qxl, 0, &create);
#define AT(x, y) RGB(memory[(stride < 0 ? H - 1 - (y) : (y)) * W + (x)])
    give(guest, fill(guest, 0, WHOLE, 0x102030));
    give(guest, fill(guest, 0, rect(3, 5, 9, 11), 0xff0000));
    update(guest, 0, WHOLE);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            uint32_t should = x >= 3 && x < 9 && y >= 5 && y < 11 ? 0xff0000 : 0x102030;
            if (AT(x, y) != should) FAIL("pixel %d,%d is %06x, not %06x", x, y, AT(x, y), should);
        }
    /* A part of what was asked for is enough. */
    give(guest, fill(guest, 0, rect(0, 0, 4, 4), 0x00ff00));
    give(guest, fill(guest, 0, rect(20, 20, 30, 30), 0x0000ff));
    update(guest, 0, rect(18, 18, 26, 26));
    EQUAL(AT(20, 20), 0x0000ff, "a pixel of the area");
    EQUAL(AT(25, 25), 0x0000ff, "a pixel of the area");
    EQUAL(AT(18, 18), 0x102030, "a pixel of the area that was not drawn");
    update(guest, 0, WHOLE);
    EQUAL(AT(0, 0), 0x00ff00, "the rest");
    EQUAL(AT(29, 29), 0x0000ff, "the rest");
#undef AT
    spice_qxl_destroy_primary_surface(&guest->qxl, 0);
    all_came_back(guest);
    end();
}
static void pixels(void) { pixels_with(W * 4); }
static void pixels_from_the_bottom_up(void) { pixels_with(-W * 4); }

/* What the kinds of draws do. The picture they find: red to the left, green to the right of it. */
static uint32_t source[16 * 16];
static void before(void)
{
    give(guest, fill(guest, 0, rect(0, 0, W / 2, H), 0xff0000));
    give(guest, fill(guest, 0, rect(W / 2, 0, W, H), 0x00ff00));
}
static void pixel_is(int x, int y, uint32_t should, const char *what)
{
    uint32_t is = RGB(memory[y * W + x]);
    if (is != should) FAIL("%s: pixel %d,%d is %06x, not %06x", what, x, y, is, should);
}
static void kinds_of_draws(void)
{
    begin();
    memory = create_primary(guest, W, H);
    for (int i = 0; i < 256; i++) source[i] = 0x010000 * (i % 16) + 0x0100 * (i / 16) + 0x80;
#define SOURCE(x, y) RGB(source[(y) * 16 + (x)])
    QXLRect all = rect(0, 0, 16, 16);

    for (int lines = 0; lines <= 5; lines += 5) {
        before();
        give(guest, copy(guest, 0, rect(10, 10, 26, 26), image_new(guest, 16, 16, source, lines), all));
        give(guest, copy(guest, 0, rect(40, 2, 44, 6), image_new(guest, 16, 16, source, lines), rect(7, 8, 11, 12)));
        update(guest, 0, WHOLE);
        for (int i = 0; i < 256; i++) pixel_is(10 + i % 16, 10 + i / 16, SOURCE(i % 16, i / 16), "DRAW_COPY");
        pixel_is(9, 10, 0xff0000, "beside DRAW_COPY");
        pixel_is(26, 25, 0xff0000, "beside DRAW_COPY");
        pixel_is(40, 2, SOURCE(7, 8), "DRAW_COPY of a part");
        pixel_is(43, 5, SOURCE(10, 11), "DRAW_COPY of a part");
        pixel_is(44, 5, 0x00ff00, "beside DRAW_COPY of a part");
    }
    /* From the bottom up. */
    before();
    QXLImage *image = image_new(guest, 16, 16, source, 0);
    image->bitmap.flags &= ~QXL_BITMAP_TOP_DOWN;
    give(guest, copy(guest, 0, rect(0, 0, 16, 16), image, all));
    update(guest, 0, WHOLE);
    pixel_is(3, 0, SOURCE(3, 15), "DRAW_COPY of an image from the bottom up");
    pixel_is(3, 15, SOURCE(3, 0), "DRAW_COPY of an image from the bottom up");

    before();
    Command *opaque = draw_new(guest, 0, QXL_DRAW_OPAQUE, rect(8, 8, 24, 24));
    QXLOpaque *o = &drawable_of(opaque)->u.opaque;
    o->src_bitmap = address(guest, image_new(guest, 16, 16, source, 0));
    o->src_area = all;
    o->brush.type = SPICE_BRUSH_TYPE_SOLID;
    o->brush.u.color = 0x0f0f0f;
    o->rop_descriptor = SPICE_ROPD_OP_XOR;
    o->scale_mode = SPICE_IMAGE_SCALE_MODE_NEAREST;
    give(guest, opaque);
    update(guest, 0, WHOLE);
    for (int i = 0; i < 256; i++) pixel_is(8 + i % 16, 8 + i / 16, SOURCE(i % 16, i / 16) ^ 0x0f0f0f, "DRAW_OPAQUE with XOR");

    before();
    give(guest, fill(guest, 0, rect(0, 0, 5, 5), 0x123456));
    Command *bits = draw_new(guest, 0, QXL_COPY_BITS, rect(50, 30, 60, 40));
    drawable_of(bits)->u.copy_bits.src_pos = (QXLPoint){ 0, 0 };
    give(guest, bits);
    update(guest, 0, WHOLE);
    pixel_is(50, 30, 0x123456, "COPY_BITS");
    pixel_is(54, 34, 0x123456, "COPY_BITS");
    pixel_is(55, 35, 0xff0000, "COPY_BITS");
    pixel_is(60, 40, 0x00ff00, "beside COPY_BITS");
    /* With itself: what is under it moves as it was. */
    for (int y = 0; y < 8; y++) give(guest, fill(guest, 0, rect(0, y, 8, y + 1), y + 1));
    bits = draw_new(guest, 0, QXL_COPY_BITS, rect(0, 2, 8, 10));
    drawable_of(bits)->u.copy_bits.src_pos = (QXLPoint){ 0, 0 };
    give(guest, bits);
    update(guest, 0, WHOLE);
    for (int y = 0; y < 8; y++) pixel_is(3, y + 2, y + 1, "COPY_BITS onto itself");

    static const struct { uint8_t type; uint32_t left, right; const char *name; } simple[] = {
        { QXL_DRAW_BLACKNESS, 0x000000, 0x000000, "DRAW_BLACKNESS" },
        { QXL_DRAW_WHITENESS, 0xffffff, 0xffffff, "DRAW_WHITENESS" },
        { QXL_DRAW_INVERS, 0x00ffff, 0xff00ff, "DRAW_INVERS" },
    };
    for (int i = 0; i < COUNT(simple); i++) {
        before();
        Command *command = draw_new(guest, 0, simple[i].type, rect(W / 2 - 2, 0, W / 2 + 2, 2));
        if (simple[i].type == QXL_DRAW_INVERS) drawable_of(command)->effect = QXL_EFFECT_REVERT_ON_DUP;
        give(guest, command);
        update(guest, 0, WHOLE);
        pixel_is(W / 2 - 1, 0, simple[i].left, simple[i].name);
        pixel_is(W / 2, 1, simple[i].right, simple[i].name);
        pixel_is(W / 2 - 3, 0, 0xff0000, simple[i].name);
        pixel_is(W / 2, 2, 0x00ff00, simple[i].name);
    }

    before();
    Command *transparent = draw_new(guest, 0, QXL_DRAW_TRANSPARENT, rect(0, 0, 16, 16));
    drawable_of(transparent)->effect = QXL_EFFECT_BLEND;
    QXLTransparent *t = &drawable_of(transparent)->u.transparent;
    t->src_bitmap = address(guest, image_new(guest, 16, 16, source, 0));
    t->src_area = all;
    t->src_color = t->true_color = SOURCE(4, 4);
    give(guest, transparent);
    update(guest, 0, WHOLE);
    pixel_is(4, 4, 0xff0000, "DRAW_TRANSPARENT where it is so");
    pixel_is(5, 4, SOURCE(5, 4), "DRAW_TRANSPARENT where it is not");

    before();
    Command *blend = draw_new(guest, 0, QXL_DRAW_ALPHA_BLEND, rect(0, 0, 16, 16));
    drawable_of(blend)->effect = QXL_EFFECT_BLEND;
    QXLAlphaBlend *a = &drawable_of(blend)->u.alpha_blend;
    a->alpha = 255;
    a->src_bitmap = address(guest, image_new(guest, 16, 16, source, 0));
    a->src_area = all;
    give(guest, blend);
    update(guest, 0, WHOLE);
    pixel_is(7, 9, SOURCE(7, 9), "DRAW_ALPHA_BLEND of 255");

    /* An operation other than to put. */
    before();
    Command *or = fill(guest, 0, rect(0, 0, 8, 8), 0x0000ff);
    drawable_of(or)->u.fill.rop_descriptor = SPICE_ROPD_OP_OR;
    drawable_of(or)->effect = QXL_EFFECT_BLEND;
    give(guest, or);
    update(guest, 0, WHOLE);
    pixel_is(1, 1, 0xff00ff, "DRAW_FILL with OR");

    /* Within rectangles only. */
    before();
    Command *clipped = fill(guest, 0, WHOLE, 0x0000ff);
    QXLClipRects *rects = guest_alloc(guest, sizeof *rects + 2 * sizeof(QXLRect));
    QXLRect two[2] = { rect(2, 2, 6, 6), rect(40, 30, 44, 34) };
    rects->num_rects = 2;
    rects->chunk.data_size = sizeof two;
    memcpy(rects->chunk.data, two, sizeof two);
    drawable_of(clipped)->clip.type = SPICE_CLIP_TYPE_RECTS;
    drawable_of(clipped)->clip.data = address(guest, rects);
    give(guest, clipped);
    update(guest, 0, WHOLE);
    pixel_is(2, 2, 0x0000ff, "within a clip rectangle");
    pixel_is(43, 33, 0x0000ff, "within a clip rectangle");
    pixel_is(6, 6, 0xff0000, "outside of the clip rectangles");
    pixel_is(39, 33, 0x00ff00, "outside of the clip rectangles");

    spice_qxl_destroy_primary_surface(&guest->qxl, 0);
    all_came_back(guest);
    end();
}
/* What the host has drawn there itself is the picture at first, if it says so. */
static void what_is_there_already(void)
{
    begin();
    uint32_t *data = guest_alloc(guest, W * H * 4);
    for (int i = 0; i < W * H; i++) data[i] = 0x334455;
    QXLDevSurfaceCreate create = primary(guest, data, W, H, W * 4);
    create.flags = QXL_SURF_FLAG_KEEP_DATA;
    spice_qxl_create_primary_surface(&guest->qxl, 0, &create);
    give(guest, fill(guest, 0, rect(0, 0, 2, 2), 0xff0000));
    update(guest, 0, WHOLE);
    EQUAL(RGB(data[0]), 0xff0000, "what was drawn");
    EQUAL(RGB(data[W * H - 1]), 0x334455, "what was there");
    spice_qxl_destroy_primary_surface(&guest->qxl, 0);
    end();
}
static int covered(const QXLRect *rects, int count, int x, int y)
{
    for (int i = 0; i < count; i++)
        if (x >= rects[i].left && x < rects[i].right && y >= rects[i].top && y < rects[i].bottom) return 1;
    return 0;
}
static int area_of(const QXLRect *rects, int count)
{
    int sum = 0;
    for (int i = 0; i < count; i++) sum += (rects[i].right - rects[i].left) * (rects[i].bottom - rects[i].top);
    return sum;
}
static void what_was_drawn_since(void)
{
    begin();
    create_primary(guest, W, H);
    update(guest, 0, WHOLE);
    give(guest, fill(guest, 0, rect(20, 20, 30, 30), 0x0000ff));
    QXLRect dirty[4], whole = WHOLE;
    memset(dirty, 0, sizeof dirty);
    spice_qxl_update_area(&guest->qxl, 0, &whole, dirty, COUNT(dirty), 0);
    CHECK(covered(dirty, 4, 20, 20) && covered(dirty, 4, 29, 29), "what was drawn is not told");
    /* It was not cleared. */
    memset(dirty, 0, sizeof dirty);
    spice_qxl_update_area(&guest->qxl, 0, &whole, dirty, COUNT(dirty), 1);
    CHECK(covered(dirty, 4, 20, 20) && covered(dirty, 4, 29, 29), "what was drawn is told once, although it was not to be cleared");
    /* It was. */
    memset(dirty, 0, sizeof dirty);
    spice_qxl_update_area(&guest->qxl, 0, &whole, dirty, COUNT(dirty), 1);
    EQUAL(area_of(dirty, 4), 0, "pixels that are told again");
    /* More pieces than there is room for: nothing is missing. */
    for (int i = 0; i < 8; i++) give(guest, fill(guest, 0, rect(i * 8, i * 6, i * 8 + 2, i * 6 + 2), 0xff));
    QXLRect one[1];
    memset(one, 0, sizeof one);
    spice_qxl_update_area(&guest->qxl, 0, &whole, one, 1, 1);
    for (int i = 0; i < 8; i++) CHECK(covered(one, 1, i * 8, i * 6), "piece %d is missing in a single rectangle", i);
    end();
}
static void sixteen_bits(void)
{
    begin();
    uint16_t *data = guest_alloc(guest, W * H * 2);
    QXLDevSurfaceCreate create = primary(guest, data, W, H, W * 2);
    create.format = SPICE_SURFACE_FMT_16_555;
    spice_qxl_create_primary_surface(&guest->qxl, 0, &create);
    give(guest, fill(guest, 0, WHOLE, 0));
    give(guest, fill(guest, 0, rect(2, 2, 4, 4), 0x7c1f));
    update(guest, 0, WHOLE);
    for (int i = 0; i < W * H; i++) {
        int x = i % W, y = i / W;
        EQUAL(data[i] & 0x7fff, x >= 2 && x < 4 && y >= 2 && y < 4 ? 0x7c1f : 0, "a pixel of 16 bits");
    }
    spice_qxl_destroy_primary_surface(&guest->qxl, 0);
    all_came_back(guest);
    end();
}

/* ---- asynchronous calls ---- */

#define DONE(cookie) do { \
    WAIT_FOR(done(guest, cookie) > 0, "async_complete of cookie %d", (int)(cookie)); \
    EQUAL(done(guest, cookie), 1, "times that it was completed"); \
} while (0)

static void asynchronous_calls(void)
{
    begin();
    uint32_t *data = guest_alloc(guest, W * H * 4);
    QXLDevSurfaceCreate create = primary(guest, data, W, H, W * 4);
    QXLRect whole = WHOLE;
    /* Cookies are the host's: all 64 bits. */
    uint64_t cookie = 0xfedcba9876543210;
    uint8_t *second = guest_alloc(guest, 4096);
    QXLDevMemSlot slot = { .slot_group_id = GUEST_GROUP, .slot_id = 2, .generation = 9, .virt_start = (uintptr_t)second,
        .virt_end = (uintptr_t)second + 4096, .addr_delta = (uintptr_t)second };
    spice_qxl_add_memslot_async(&guest->qxl, &slot, ++cookie);
    DONE(cookie);
    spice_qxl_create_primary_surface_async(&guest->qxl, 0, &create, ++cookie);
    DONE(cookie);
    give(guest, fill(guest, 0, rect(1, 2, 30, 40), 0xabcdef));
    spice_qxl_update_area_async(&guest->qxl, 0, &whole, 1, ++cookie);
    DONE(cookie);
    g_mutex_lock(&guest->lock);
    EQUAL(guest->rects_calls, 1, "update_area_complete, before async_complete");
    EQUAL(guest->rects_surface, 0, "surface of update_area_complete");
    CHECK(covered((QXLRect *)guest->rects->data, guest->rects->len, 1, 2) && covered((QXLRect *)guest->rects->data, guest->rects->len, 29, 39), "what was drawn is not told");
    g_mutex_unlock(&guest->lock);
    EQUAL(RGB(data[10 * W + 10]), 0xabcdef, "a pixel");
    struct PACKED_CONFIG { QXLMonitorsConfig config; QXLHead heads[1]; } *monitors = guest_alloc(guest, sizeof *monitors);
    monitors->config.count = monitors->config.max_allowed = 1;
    monitors->heads[0] = (QXLHead){ .width = W, .height = H };
    spice_qxl_monitors_config_async(&guest->qxl, address(guest, monitors), GUEST_GROUP, ++cookie);
    DONE(cookie);
    uint32_t *off = guest_alloc(guest, W * H * 4);
    give(guest, surface_create(guest, 5, W, H, W * 4, off));
    give(guest, fill(guest, 5, WHOLE, 0x777777));
    spice_qxl_flush_surfaces_async(&guest->qxl, ++cookie);
    DONE(cookie);
    EQUAL(RGB(off[W + 1]), 0x777777, "a surface that was flushed is in the guest's memory");
    spice_qxl_destroy_surface_async(&guest->qxl, 5, ++cookie);
    DONE(cookie);
    spice_qxl_destroy_primary_surface_async(&guest->qxl, 0, ++cookie);
    DONE(cookie);
    spice_qxl_destroy_surfaces_async(&guest->qxl, ++cookie);
    DONE(cookie);
    all_came_back(guest);
    /* Many, without waiting between them: each comes back, once, in the order of the calls. */
    spice_qxl_create_primary_surface(&guest->qxl, 0, &create);
    for (int i = 0; i < 100; i++) {
        give(guest, fill(guest, 0, WHOLE, i));
        spice_qxl_update_area_async(&guest->qxl, 0, &whole, 1, 1000 + i);
    }
    for (int i = 0; i < 100; i++) DONE(1000 + i);
    for (int i = 0; i < 100; i++)
        EQUAL(g_array_index(guest->cookies, uint64_t, guest->cookies->len - 100 + i), 1000 + i, "a cookie in its order");
    EQUAL(RGB(data[0]), 99, "the last colour");
    all_came_back(guest);
    end();
}

/* ---- surfaces ---- */

static void surfaces(void)
{
    begin();
    memory = create_primary(guest, W, H);
    uint32_t *off = guest_alloc(guest, W * H * 4);
    Command *create = give(guest, surface_create(guest, 5, W, H, W * 4, off));
    give(guest, fill(guest, 5, WHOLE, 0x445566));
    give(guest, fill(guest, 5, rect(4, 4, 8, 8), 0x010203));
    update(guest, 5, WHOLE);
    EQUAL(RGB(off[0]), 0x445566, "a pixel of the surface");
    EQUAL(RGB(off[5 * W + 5]), 0x010203, "a pixel of the surface");
    EQUAL(released(create), 0, "the command that made the surface keeps its memory as long as it lasts");
    /* From it to the primary surface. */
    give(guest, copy(guest, 0, rect(10, 10, 20, 20), image_of_surface(guest, 5, W, H), rect(0, 0, 10, 10)));
    give(guest, fill(guest, 5, WHOLE, 0x999999));
    update(guest, 0, WHOLE);
    pixel_is(10, 10, 0x445566, "a copy of the surface as it was");
    pixel_is(15, 15, 0x010203, "a copy of the surface as it was");
    give(guest, surface_destroy(guest, 5));
    WAIT_FOR(released(create), "the surface has gone, but not the command that made it");
    /* Its number is free. */
    uint32_t *again = guest_alloc(guest, 16 * 16 * 4);
    give(guest, surface_create(guest, 5, 16, 16, 16 * 4, again));
    give(guest, fill(guest, 5, rect(0, 0, 16, 16), 0xaaaaaa));
    update(guest, 5, rect(0, 0, 16, 16));
    EQUAL(RGB(again[255]), 0xaaaaaa, "a pixel of another surface of the same number");
    give(guest, surface_destroy(guest, 5));
    /* What is drawn on the primary surface is let go; of others the C library does not take this. */
    spice_qxl_destroy_surface_wait(&guest->qxl, 0);
    give(guest, surface_create(guest, 6, 16, 16, 16 * 4, again));
    give(guest, surface_create(guest, 7, 16, 16, 16 * 4, guest_alloc(guest, 1024)));
    give(guest, fill(guest, 7, rect(0, 0, 16, 16), 0x1));
    update(guest, 7, rect(0, 0, 16, 16));
    spice_qxl_destroy_surfaces(&guest->qxl);
    all_came_back(guest);
    /* And there can be a primary surface again, of another size. */
    uint32_t *wide = create_primary(guest, W * 2, H);
    give(guest, fill(guest, 0, rect(0, 0, W * 2, H), 0xbbbbbb));
    update(guest, 0, rect(0, 0, W * 2, H));
    EQUAL(RGB(wide[W * 2 * H - 1]), 0xbbbbbb, "the last pixel of a wider one");
    all_came_back(guest);
    end();
}
/* A surface ends by the host's word, too. The C library does not take it of others than the primary one. */
static void surfaces_by_the_hosts_word(void)
{
    if (with_c_faults()) return;
    begin();
    memory = create_primary(guest, W, H);
    for (int i = 0; i < 2; i++) {
        Command *made = give(guest, surface_create(guest, 5, W, H, W * 4, guest_alloc(guest, W * H * 4)));
        give(guest, fill(guest, 5, WHOLE, 0x7a7a7a));
        update(guest, 5, WHOLE);
        EQUAL(released(made), 0, "times that the command of a surface came back that is there");
        spice_qxl_destroy_surface_wait(&guest->qxl, 5);
        WAIT_FOR(released(made), "the surface has gone, but not the command that made it");
    }
    spice_qxl_destroy_primary_surface(&guest->qxl, 0);
    all_came_back(guest);
    end();
}

/* ---- the machine ---- */

static void it_stops_and_starts(void)
{
    begin();
    memory = create_primary(guest, W, H);
    give(guest, fill(guest, 0, WHOLE, 0x123456));
    update(guest, 0, WHOLE);
    spice_server_vm_stop(server);
    /* Once more is no more. */
    spice_server_vm_stop(server);
    int taken = guest_taken(guest);
    Command *later = give(guest, fill(guest, 0, WHOLE, 0x654321));
    /* Even when woken. */
    spice_qxl_wakeup(&guest->qxl);
    run_for(100);
    EQUAL(guest_taken(guest), taken, "commands taken of a machine that stands still");
    spice_server_vm_start(server);
    WAIT_FOR(guest_taken(guest) == taken + 1, "the machine runs again, but no command is taken");
    update(guest, 0, WHOLE);
    pixel_is(0, 0, 0x654321, "what was drawn afterwards");
    spice_qxl_destroy_primary_surface(&guest->qxl, 0);
    WAIT_FOR(released(later), "what was drawn afterwards does not come back");
    /* The older way, a device at a time. */
    spice_qxl_stop(&guest->qxl);
    taken = guest_taken(guest);
    memory = create_primary(guest, W, H);
    give(guest, fill(guest, 0, WHOLE, 0x111111));
    spice_qxl_wakeup(&guest->qxl);
    run_for(100);
    EQUAL(guest_taken(guest), taken, "commands taken of a device that stands still");
    spice_qxl_start(&guest->qxl);
    WAIT_FOR(guest_taken(guest) == taken + 1, "the device runs again, but no command is taken");
    spice_qxl_destroy_primary_surface(&guest->qxl, 0);
    all_came_back(guest);
    end();
}
/* What is drawn right before the machine stops is in its memory, if the host asks for it. */
static void what_was_drawn_before_it_stopped(void)
{
    begin();
    memory = create_primary(guest, W, H);
    for (int i = 0; i < 20; i++) give(guest, fill(guest, 0, WHOLE, 0x100 + i));
    update(guest, 0, WHOLE);
    spice_server_vm_stop(server);
    pixel_is(5, 5, 0x113, "the last colour");
    spice_server_vm_start(server);
    spice_qxl_destroy_primary_surface(&guest->qxl, 0);
    all_came_back(guest);
    end();
}
static void commands_of_a_saved_machine(void)
{
    begin();
    memory = create_primary(guest, W, H);
    spice_server_vm_stop(server);
    uint32_t *off = guest_alloc(guest, W * H * 4);
    for (int i = 0; i < W * H; i++) off[i] = 0x00aa00;
    /* The host keeps the commands that made surfaces, and gives them back. */
    Command *commands[2] = { surface_create(guest, 8, W, H, W * 4, off), surface_create(guest, 9, W, H, W * 4, guest_alloc(guest, W * H * 4)) };
    QXLCommandExt ext[2] = { commands[0]->ext, commands[1]->ext };
    spice_qxl_loadvm_commands(&guest->qxl, ext, 2);
    spice_server_vm_start(server);
    give(guest, copy(guest, 0, rect(0, 0, W, H), image_of_surface(guest, 8, W, H), WHOLE));
    update(guest, 0, WHOLE);
    pixel_is(7, 7, 0x00aa00, "a surface of the saved machine has what was in its memory");
    give(guest, fill(guest, 9, WHOLE, 0x5));
    update(guest, 9, WHOLE);
    spice_qxl_destroy_surfaces(&guest->qxl);
    all_came_back(guest);
    end();
}
static void resets(void)
{
    begin();
    memory = create_primary(guest, W, H);
    give(guest, fill(guest, 0, WHOLE, 0x1));
    spice_qxl_reset_cursor(&guest->qxl);
    spice_qxl_reset_image_cache(&guest->qxl);
    spice_qxl_driver_unload(&guest->qxl);
    spice_qxl_set_max_monitors(&guest->qxl, 2);
    spice_qxl_set_device_info(&guest->qxl, "pci/0000/02.0", 0, 1);
    update(guest, 0, WHOLE);
    pixel_is(0, 0, 0x1, "what was drawn before");
    /* As a machine is reset. */
    spice_qxl_destroy_surfaces(&guest->qxl);
    spice_qxl_reset_memslots(&guest->qxl);
    all_came_back(guest);
    QXLDevMemSlot slot = guest_slot(guest);
    spice_qxl_add_memslot(&guest->qxl, &slot);
    memory = create_primary(guest, W, H);
    give(guest, fill(guest, 0, WHOLE, 0x2));
    update(guest, 0, WHOLE);
    pixel_is(0, 0, 0x2, "what was drawn after a reset");
    spice_qxl_destroy_primary_surface(&guest->qxl, 0);
    all_came_back(guest);
    end();
}
/* Slots come and go, and each has its own beginning. */
static void slots_of_memory(void)
{
    begin();
    memory = create_primary(guest, W, H);
    uint8_t *area = guest_alloc(guest, 1 << 20), *within = area + 4096;
    for (int generation = 1; generation <= 3; generation++) {
        QXLDevMemSlot slot = { .slot_group_id = GUEST_GROUP, .slot_id = 3, .generation = generation, .virt_start = (uintptr_t)area,
            .virt_end = (uintptr_t)area + (1 << 20), .addr_delta = (uintptr_t)area };
        spice_qxl_add_memslot(&guest->qxl, &slot);
        Command *command = fill(guest, 0, WHOLE, 0x10 + generation);
        memcpy(within, command->in_guest, sizeof(QXLDrawable));
        command->in_guest = within;
        command->ext.cmd.data = address_in(area, within, 3, generation);
        give(guest, command);
        update(guest, 0, WHOLE);
        pixel_is(1, 1, 0x10 + generation, "a command in a slot of its own");
        update(guest, 0, WHOLE);
        spice_qxl_oom(&guest->qxl);
        /* It may be held until the picture goes. */
        spice_qxl_destroy_primary_surface(&guest->qxl, 0);
        WAIT_FOR(released(command), "the command does not come back");
        QXLDevSurfaceCreate create = primary(guest, memory, W, H, W * 4);
        spice_qxl_create_primary_surface(&guest->qxl, 0, &create);
        spice_qxl_del_memslot(&guest->qxl, GUEST_GROUP, 3);
    }
    end();
}
static void it_is_taken_away(void)
{
    int port;
    server = serve(&port);
    for (int i = 0; i < 4; i++) {
        guest = guest_added(server, i % 2);
        memory = create_primary(guest, W, H);
        for (int n = 0; n < 50; n++) give(guest, fill(guest, 0, rect(n % 20, n % 20, n % 20 + 9, n % 20 + 9), n));
        if (i % 2) update(guest, 0, WHOLE);
        guest_remove(guest);
        /* From here on no function of it is called: each of them checks that. */
        int taken = guest_taken(guest);
        g_async_queue_push(guest->ring, fill(guest, 0, WHOLE, 0));
        run_for(30);
        EQUAL(guest_taken(guest), taken, "commands taken of a device that has been taken away");
        guest_free(guest);
    }
    run_for(20);
    spice_server_destroy(server);
}

MAIN(CASE(it_is_attached_and_asked), CASE(nothing_is_taken_before_it_is_attached), CASE(two_of_the_same_id),
     CASE(versions_of_the_interface), CASE(pixels),
     CASE(pixels_from_the_bottom_up), CASE(kinds_of_draws), CASE(what_is_there_already), CASE(what_was_drawn_since),
     CASE(sixteen_bits), CASE(asynchronous_calls), CASE(surfaces), CASE(surfaces_by_the_hosts_word), CASE(it_stops_and_starts),
     CASE(what_was_drawn_before_it_stopped), CASE(commands_of_a_saved_machine), CASE(resets), CASE(slots_of_memory), CASE(it_is_taken_away))
