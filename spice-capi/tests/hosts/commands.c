/* A guest's ring: which commands come back and when, who wakes whom, and what becomes of commands with which something is
 * wrong: they draw nothing, and the ones after them are drawn. */
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
    memory = create_primary(guest, W, H);
}
static void end(void)
{
    guest_remove(guest);
    spice_server_destroy(server);
    EQUAL(watches, 0, "watches that are left");
    EQUAL(timers, 0, "timers that are left");
    guest_free(guest);
}
static void pixel_is(int x, int y, uint32_t should, const char *what)
{
    uint32_t is = RGB(memory[y * W + x]);
    if (is != should) FAIL("%s: pixel %d,%d is %06x, not %06x", what, x, y, is, should);
}
static void comes_back(Command *command, const char *what) { WAIT_FOR(released(command), "%s does not come back", what); }

/* ---- commands come back ---- */

static void every_command_comes_back_once(void)
{
    begin();
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 400; i++) give(guest, fill(guest, 0, rect(i % 32, i % 24, i % 32 + 5 + i % 9, i % 24 + 7), i));
        update(guest, 0, WHOLE);
    }
    EQUAL(guest_taken(guest), 2000, "commands that were taken");
    spice_qxl_destroy_primary_surface(&guest->qxl, 0);
    all_came_back(guest);
    end();
}
static void out_of_memory(void)
{
    begin();
    for (int i = 0; i < 200; i++) give(guest, fill(guest, 0, rect(i % 32, i % 24, i % 32 + 1, i % 24 + 1), i));
    WAIT_FOR(guest_taken(guest) == 200, "commands are not taken");
    /* A guest that has no memory left gets something back. */
    spice_qxl_oom(&guest->qxl);
    WAIT_FOR(guest_released(guest) > 0, "nothing comes back");
    /* And the device is told to hand it on. */
    WAIT_FOR(g_atomic_int_get(&guest->flushed) > 0, "flush_resources");
    spice_qxl_destroy_surfaces(&guest->qxl);
    all_came_back(guest);
    end();
}
/* Commands that draw nothing: one that asks for what was drawn, one that says something. */
static void commands_that_draw_nothing(void)
{
    begin();
    give(guest, fill(guest, 0, WHOLE, 0x334455));
    Command *asks = command_new(guest, QXL_CMD_UPDATE, sizeof(QXLUpdateCmd));
    QXLUpdateCmd *update_ = asks->in_guest;
    update_->area = WHOLE;
    update_->update_id = 77;
    give(guest, asks);
    WAIT_FOR(g_atomic_int_get(&guest->notified) == 1, "notify_update: %d times", g_atomic_int_get(&guest->notified));
    EQUAL(guest->notified_id, 77, "id of what was asked for");
    pixel_is(9, 9, 0x334455, "what a guest asks for is in its memory");
    comes_back(asks, "QXL_CMD_UPDATE");
    Command *says = command_new(guest, QXL_CMD_MESSAGE, sizeof(QXLMessage) + 16);
    strcpy((char *)((QXLMessage *)says->in_guest)->data, "hello");
    comes_back(give(guest, says), "QXL_CMD_MESSAGE");
    spice_qxl_destroy_primary_surface(&guest->qxl, 0);
    all_came_back(guest);
    end();
}
static Command *pointer(uint8_t type, int x)
{
    Command *command = command_new(guest, QXL_CMD_CURSOR, sizeof(QXLCursorCmd));
    QXLCursorCmd *cursor = command->in_guest;
    cursor->type = type;
    if (type == QXL_CURSOR_SET) {
        QXLCursor *shape = guest_alloc(guest, sizeof *shape + 16 * 16 * 4);
        shape->header = (QXLCursorHeader){ .unique = x + 1, .type = SPICE_CURSOR_TYPE_ALPHA, .width = 16, .height = 16 };
        shape->data_size = shape->chunk.data_size = 16 * 16 * 4;
        cursor->u.set.position = (QXLPoint16){ x, x };
        cursor->u.set.shape = address(guest, shape);
        cursor->u.set.visible = 1;
    } else if (type == QXL_CURSOR_MOVE) {
        cursor->u.position = (QXLPoint16){ x, x };
    } else if (type == QXL_CURSOR_TRAIL) {
        cursor->u.trail.length = 3;
        cursor->u.trail.frequency = 5;
    }
    return command;
}
static void pointers(void)
{
    begin();
    static const uint8_t types[] = { QXL_CURSOR_SET, QXL_CURSOR_MOVE, QXL_CURSOR_MOVE, QXL_CURSOR_TRAIL, QXL_CURSOR_HIDE };
    for (int i = 0; i < 40; i++) give(guest, pointer(types[i % COUNT(types)], i));
    WAIT_FOR(guest_taken(guest) == 40, "cursor commands are not taken");
    spice_qxl_reset_cursor(&guest->qxl);
    guest_remove(guest);
    for (guint i = 0; i < guest->commands->len; i++) CHECK(released(g_ptr_array_index(guest->commands, i)) <= 1, "twice");
    spice_server_destroy(server);
    guest_free(guest);
}
/* The server wakes by itself of no command, and of each when it is told: the ring's rules are kept. */
static void the_rings_rules(void)
{
    begin();
    for (int i = 0; i < 30; i++) {
        WAIT_FOR(g_atomic_int_get(&guest->armed) && g_async_queue_length(guest->ring) <= 0, "nobody asks to be woken");
        int taken = guest_taken(guest);
        give(guest, fill(guest, 0, WHOLE, i));
        WAIT_FOR(guest_taken(guest) == taken + 1, "woken, but no command is taken");
    }
    /* When there is nothing to do, nothing is asked all the time. */
    WAIT_FOR(g_atomic_int_get(&guest->armed), "nobody asks to be woken");
    run_for(100);
    int asked = g_atomic_int_get(&guest->asked);
    run_for(300);
    CHECK(g_atomic_int_get(&guest->asked) - asked < 300, "an idle device is asked %d times in 300 ms", g_atomic_int_get(&guest->asked) - asked);
    end();
}

/* More wake-ups than there is to do harm nobody. */
static void woken_for_nothing(void)
{
    begin();
    for (int i = 0; i < 1000; i++) spice_qxl_wakeup(&guest->qxl);
    give(guest, fill(guest, 0, WHOLE, 0x399));
    for (int i = 0; i < 1000; i++) spice_qxl_wakeup(&guest->qxl);
    update(guest, 0, WHOLE);
    pixel_is(5, 5, 0x399, "what was drawn in between");
    spice_qxl_destroy_primary_surface(&guest->qxl, 0);
    all_came_back(guest);
    end();
}

/* ---- what is wrong with some ---- */

/* What leaves its surface, or is on none, is no command. */
static void what_lies_outside(void)
{
    begin();
    give(guest, fill(guest, 0, WHOLE, 0x102030));
    Command *outside[] = {
        fill(guest, 0, rect(-5, 4, 20, 10), 0xee0000), fill(guest, 0, rect(30, 4, W + 1, 10), 0xee0000),
        fill(guest, 0, rect(30, 4, 40, H + 1), 0xee0000), fill(guest, 0, rect(20, 10, 10, 20), 0xee0000),
        fill(guest, 33, rect(0, 0, 5, 5), 0xee0000), fill(guest, 5000, rect(0, 0, 5, 5), 0xee0000),
    };
    for (int i = 0; i < COUNT(outside); i++) comes_back(give(guest, outside[i]), "a command outside of its surface");
    update(guest, 0, WHOLE);
    for (int i = 0; i < W * H; i++) pixel_is(i % W, i / W, 0x102030, "what was drawn before");
    spice_qxl_destroy_primary_surface(&guest->qxl, 0);
    all_came_back(guest);
    end();
}
/* A command that cannot come back, as nobody knows where it is: the guest has lost it. */
static void lost(Command *command)
{
    EQUAL(released(command), 0, "times that a command came back that is nowhere");
    g_atomic_int_add(&guest->taken, -1);
    g_ptr_array_remove(guest->commands, command);
}
/* Pictures, clips and shapes that are nowhere. The C library aborts. */
static void addresses_that_are_nowhere(void)
{
    if (with_c_faults()) return;
    begin();
    uint32_t picture[16] = { 0 };
    QXLPHYSICAL nowhere[] = {
        (uint64_t)9 << 56 | 0x1000,
        address_in(guest->memory, guest->memory, GUEST_SLOT, GUEST_GENERATION + 2),
        address_in(guest->memory, guest->memory + GUEST_MEMORY, GUEST_SLOT, GUEST_GENERATION),
        ~(uint64_t)0,
    };
    QXLRect all = rect(0, 0, 4, 4);
    give(guest, fill(guest, 0, WHOLE, 0x667788));
    for (int i = 0; i < COUNT(nowhere); i++) {
        Command *image = copy(guest, 0, rect(0, 0, 4, 4), image_new(guest, 4, 4, picture, 0), all);
        drawable_of(image)->u.copy.src_bitmap = nowhere[i];
        comes_back(give(guest, image), "a draw whose image is nowhere");
        QXLImage *empty = image_new(guest, 4, 4, picture, 0);
        empty->bitmap.data = nowhere[i];
        comes_back(give(guest, copy(guest, 0, rect(4, 4, 8, 8), empty, all)), "a draw whose pixels are nowhere");
        Command *clipped = fill(guest, 0, rect(8, 8, 12, 12), 0);
        drawable_of(clipped)->clip.type = SPICE_CLIP_TYPE_RECTS;
        drawable_of(clipped)->clip.data = nowhere[i];
        comes_back(give(guest, clipped), "a draw whose clip is nowhere");
        Command *shape = pointer(QXL_CURSOR_SET, i);
        ((QXLCursorCmd *)shape->in_guest)->u.set.shape = nowhere[i];
        comes_back(give(guest, shape), "a pointer whose shape is nowhere");
    }
    /* Chunks that follow each other in a ring. */
    QXLImage *ring = image_new(guest, 4, 4, picture, 1);
    QXLDataChunk *first = (QXLDataChunk *)(guest->memory + (ring->bitmap.data & 0xffffffffffff));
    first->next_chunk = address(guest, first);
    comes_back(give(guest, copy(guest, 0, rect(20, 20, 24, 24), ring, all)), "a draw whose chunks have no end");
    update(guest, 0, WHOLE);
    pixel_is(0, 0, 0x667788, "below an image that is nowhere");
    pixel_is(5, 5, 0x667788, "below pixels that are nowhere");
    pixel_is(9, 9, 0x667788, "below a clip that is nowhere");
    spice_qxl_destroy_primary_surface(&guest->qxl, 0);
    all_came_back(guest);
    end();
}
/* Commands that are themselves nowhere, as their slot is not there, or not there any more. */
static void commands_that_are_nowhere(void)
{
    if (with_c_faults()) return;
    begin();
    give(guest, fill(guest, 0, WHOLE, 0x1));
    Command *none = fill(guest, 0, WHOLE, 0x2);
    none->ext.cmd.data = (uint64_t)9 << 56 | 0x1000;
    give(guest, none);
    give(guest, fill(guest, 0, rect(1, 1, 2, 2), 0x123123));
    update(guest, 0, WHOLE);
    pixel_is(1, 1, 0x123123, "what is drawn after a command that is nowhere");
    pixel_is(2, 2, 0x1, "what was drawn before it");
    lost(none);
    /* The slot is there again, as another generation. */
    QXLDevMemSlot slot = guest_slot(guest);
    spice_qxl_del_memslot(&guest->qxl, GUEST_GROUP, GUEST_SLOT);
    slot.generation++;
    spice_qxl_add_memslot(&guest->qxl, &slot);
    Command *stale = give(guest, fill(guest, 0, WHOLE, 0x3));
    update(guest, 0, WHOLE);
    pixel_is(1, 1, 0x123123, "what was drawn before a command of an earlier slot");
    lost(stale);
    spice_qxl_reset_memslots(&guest->qxl);
    slot.generation--;
    spice_qxl_add_memslot(&guest->qxl, &slot);
    give(guest, fill(guest, 0, WHOLE, 0x565656));
    update(guest, 0, WHOLE);
    pixel_is(1, 1, 0x565656, "what is drawn when the slot is there again");
    spice_qxl_destroy_primary_surface(&guest->qxl, 0);
    all_came_back(guest);
    end();
}
/* Surfaces that cannot be: nothing is drawn on them, and their number stays free. */
static void surfaces_that_cannot_be(void)
{
    begin();
    static const struct { uint32_t width, height; int32_t stride; uint32_t format; } bad[] = {
        { W, H, W * 4 - 4, SPICE_SURFACE_FMT_32_xRGB }, { 0, H, 0, SPICE_SURFACE_FMT_32_xRGB },
        { 1 << 20, 1 << 20, 1 << 22, SPICE_SURFACE_FMT_32_xRGB }, { W, H, W * 4, 777 }, { W, H, INT32_MIN, SPICE_SURFACE_FMT_32_xRGB },
    };
    give(guest, fill(guest, 0, WHOLE, 0x987654));
    for (int i = 0; i < COUNT(bad); i++) {
        Command *create = surface_create(guest, 3, bad[i].width, bad[i].height, bad[i].stride, guest_alloc(guest, W * H * 4));
        ((QXLSurfaceCmd *)create->in_guest)->u.surface_create.format = bad[i].format;
        give(guest, create);
        comes_back(give(guest, fill(guest, 3, rect(0, 0, 1, 1), 0)), "a draw on a surface that cannot be");
        comes_back(give(guest, surface_destroy(guest, 3)), "the end of a surface that cannot be");
        comes_back(create, "a surface that cannot be");
    }
    uint32_t *good = guest_alloc(guest, W * H * 4);
    Command *made = give(guest, surface_create(guest, 3, W, H, W * 4, good));
    /* One that is there already. */
    comes_back(give(guest, surface_create(guest, 3, W, H, W * 4, guest_alloc(guest, W * H * 4))), "a surface of a number that is taken");
    EQUAL(released(made), 0, "times that the first one of that number came back");
    give(guest, fill(guest, 3, WHOLE, 0x111));
    update(guest, 3, WHOLE);
    EQUAL(RGB(good[0]), 0x111, "a pixel of the first one of that number");
    /* And one that has gone. */
    comes_back(give(guest, surface_destroy(guest, 3)), "the end of a surface");
    comes_back(made, "a surface that has ended");
    comes_back(give(guest, surface_destroy(guest, 3)), "the end of a surface that is not there");
    update(guest, 0, WHOLE);
    pixel_is(0, 0, 0x987654, "the primary surface");
    spice_qxl_destroy_primary_surface(&guest->qxl, 0);
    all_came_back(guest);
    end();
}

MAIN(CASE(every_command_comes_back_once), CASE(out_of_memory), CASE(commands_that_draw_nothing), CASE(pointers), CASE(the_rings_rules),
     CASE(woken_for_nothing), CASE(what_lies_outside), CASE(addresses_that_are_nowhere), CASE(commands_that_are_nowhere),
     CASE(surfaces_that_cannot_be))
