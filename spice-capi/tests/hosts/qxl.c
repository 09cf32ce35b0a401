/* A QXL device: what is drawn is in the guest's memory when the host asks for it, every command comes back once, and
 * whoever asked is told. */
#include "host.h"

#define W 64
#define H 48

static SpiceServer *server;
static Guest *guest;
static uint32_t memory[W * H], surface[W * H];
static GPtrArray *commands;

static Command *draw(Command *command) { g_ptr_array_add(commands, command); give(guest, command); return command; }
static uint32_t pixel(uint32_t *of, int x, int y, int stride) {
    return of[(stride < 0 ? H - 1 - y : y) * W + x] & 0xffffff;
}
static void update(uint32_t id, QXLRect *dirty, uint32_t count, int clear) {
    QXLRect area = { .right = W, .bottom = H };
    spice_qxl_update_area(&guest->qxl, id, &area, dirty, count, clear);
}

static void check_pixels(int stride) {
    memset(memory, 0x55, sizeof memory);
    create_primary(guest, memory, W, H, stride);
    draw(fill(0, 0, 0, W, H, 0x102030));
    draw(fill(0, 3, 5, 9, 11, 0xff0000));
    update(0, NULL, 0, 1);
    CHECK(pixel(memory, 0, 0, stride) == 0x102030, "%x", pixel(memory, 0, 0, stride));
    CHECK(pixel(memory, 3, 5, stride) == 0xff0000, "%x", pixel(memory, 3, 5, stride));
    CHECK(pixel(memory, 8, 10, stride) == 0xff0000 && pixel(memory, 9, 11, stride) == 0x102030, "edges");
    CHECK(pixel(memory, W - 1, H - 1, stride) == 0x102030, "last");
    /* Only what was asked for. */
    draw(fill(0, 0, 0, 4, 4, 0x00ff00));
    draw(fill(0, 20, 20, 30, 30, 0x0000ff));
    QXLRect area = { .left = 18, .top = 18, .right = 26, .bottom = 26 }, dirty[4];
    memset(dirty, 0xee, sizeof dirty);
    spice_qxl_update_area(&guest->qxl, 0, &area, dirty, 4, 0);
    CHECK(pixel(memory, 20, 20, stride) == 0x0000ff, "%x", pixel(memory, 20, 20, stride));
    int covered = 0;
    for (int i = 0; i < 4; i++)
        covered |= dirty[i].left <= 20 && dirty[i].top <= 20 && dirty[i].right >= 26 && dirty[i].bottom >= 26;
    CHECK(covered, "the rectangle that was drawn is not told");
    update(0, NULL, 0, 1);
    CHECK(pixel(memory, 0, 0, stride) == 0x00ff00, "%x", pixel(memory, 0, 0, stride));
    memset(dirty, 0xee, sizeof dirty);
    update(0, dirty, 4, 1);
    CHECK(dirty[0].right == dirty[0].left || dirty[0].bottom == dirty[0].top, "nothing was drawn since, and something is told");
    spice_qxl_destroy_primary_surface(&guest->qxl, 0);
}

static Command *surface_command(uint32_t id, int type) {
    Command *command = command_new(QXL_CMD_SURFACE);
    command->surface.surface_id = id;
    command->surface.type = type;
    if (type == QXL_SURFACE_CMD_CREATE) {
        command->surface.u.surface_create.format = SPICE_SURFACE_FMT_32_xRGB;
        command->surface.u.surface_create.width = W;
        command->surface.u.surface_create.height = H;
        command->surface.u.surface_create.stride = W * 4;
        command->surface.u.surface_create.data = ADDRESS(surface);
    }
    return command;
}

static void check_surfaces(void) {
    create_primary(guest, memory, W, H, W * 4);
    Command *create = draw(surface_command(5, QXL_SURFACE_CMD_CREATE));
    draw(fill(5, 0, 0, W, H, 0x445566));
    update(5, NULL, 0, 1);
    CHECK(pixel(surface, 1, 1, 1) == 0x445566, "%x", pixel(surface, 1, 1, 1));
    CHECK(create->ext.flags == 0, "a surface's command comes back when it ends, not before");
    draw(surface_command(5, QXL_SURFACE_CMD_DESTROY));
    WAIT_FOR(create->ext.flags != 0);
    draw(surface_command(7, QXL_SURFACE_CMD_CREATE));
    draw(fill(7, 0, 0, W, H, 0x777777));
    gint done = g_atomic_int_get(&guest->completed);
    spice_qxl_flush_surfaces_async(&guest->qxl, 99);
    WAIT_FOR(g_atomic_int_get(&guest->completed) == done + 1);
    CHECK(guest->last_cookie == 99, "cookie");
    CHECK(pixel(surface, 2, 2, 1) == 0x777777, "%x", pixel(surface, 2, 2, 1));
    spice_qxl_destroy_surfaces(&guest->qxl);
}

static void check_async(void) {
    QXLDevSurfaceCreate create = { .width = W, .height = H, .stride = W * 4, .format = SPICE_SURFACE_FMT_32_xRGB,
        .mouse_mode = 1, .type = QXL_SURF_TYPE_PRIMARY, .mem = ADDRESS(memory) };
    QXLDevMemSlot slot = { .slot_id = 2, .generation = 3, .virt_start = (uintptr_t)memory, .virt_end = (uintptr_t)(memory + W * H) };
    QXLRect area = { .right = W, .bottom = H };
    gint done = g_atomic_int_get(&guest->completed);
    uint64_t cookie = 1000;
#define DONE() do { WAIT_FOR(g_atomic_int_get(&guest->completed) == done + 1); done++; \
    CHECK(guest->last_cookie == cookie, "cookie %d, not %d", (int)guest->last_cookie, (int)cookie); cookie++; } while (0)
    spice_qxl_add_memslot_async(&guest->qxl, &slot, cookie); DONE();
    spice_qxl_create_primary_surface_async(&guest->qxl, 0, &create, cookie); DONE();
    draw(fill(0, 1, 2, 30, 40, 0xabcdef));
    gint told = g_atomic_int_get(&guest->rectangles);
    spice_qxl_update_area_async(&guest->qxl, 0, &area, 1, cookie); DONE();
    CHECK(g_atomic_int_get(&guest->rectangles) > told, "what was drawn is not told");
    CHECK(guest->last_rectangle.left <= 1 && guest->last_rectangle.bottom >= 40, "rectangle");
    CHECK(pixel(memory, 10, 10, 1) == 0xabcdef, "%x", pixel(memory, 10, 10, 1));
    struct { QXLMonitorsConfig config; QXLHead head; } monitors = { { .count = 1, .max_allowed = 1 }, { .width = W, .height = H } };
    spice_qxl_monitors_config_async(&guest->qxl, ADDRESS(&monitors), 0, cookie); DONE();
    spice_qxl_destroy_primary_surface_async(&guest->qxl, 0, cookie); DONE();
    spice_qxl_destroy_surfaces_async(&guest->qxl, cookie); DONE();
    spice_qxl_gl_draw_async(&guest->qxl, 0, 0, 1, 1, cookie); DONE();
    spice_qxl_del_memslot(&guest->qxl, 0, 2);
}

static void check_stop(void) {
    create_primary(guest, memory, W, H, W * 4);
    draw(fill(0, 0, 0, W, H, 0x123456));
    update(0, NULL, 0, 1);
    /* A machine that was saved is brought back by commands of the host. */
    spice_server_vm_stop(server);
    Command *loaded = surface_command(8, QXL_SURFACE_CMD_CREATE);
    for (int i = 0; i < W * H; i++) surface[i] = 0x2468ac;
    g_ptr_array_add(commands, loaded);
    g_atomic_int_inc(&guest->taken);
    spice_qxl_loadvm_commands(&guest->qxl, &loaded->ext, 1);
    spice_server_vm_start(server);
    draw(fill(8, 0, 0, 8, 8, 0x00aa00));
    update(8, NULL, 0, 1);
    CHECK(pixel(surface, 0, 0, 1) == 0x00aa00, "%x", pixel(surface, 0, 0, 1));
    CHECK(pixel(surface, 20, 20, 1) == 0x2468ac, "a surface of a saved machine has lost what was on it: %x", pixel(surface, 20, 20, 1));
    spice_server_vm_stop(server);
    gint taken = g_atomic_int_get(&guest->taken);
    Command *later = draw(fill(0, 0, 0, W, H, 0x654321));
    run_for(60);
    CHECK(g_atomic_int_get(&guest->taken) == taken, "a command is taken of a machine that stands still");
    spice_server_vm_start(server);
    WAIT_FOR(g_atomic_int_get(&guest->taken) == taken + 1);
    update(0, NULL, 0, 1);
    CHECK(pixel(memory, 0, 0, 1) == 0x654321, "%x", pixel(memory, 0, 0, 1));
    spice_qxl_destroy_primary_surface(&guest->qxl, 0);
    WAIT_FOR(later->ext.flags != 0);
    draw(surface_command(8, QXL_SURFACE_CMD_DESTROY));
    create_primary(guest, memory, W, H, W * 4);
    spice_qxl_reset_cursor(&guest->qxl);
    spice_qxl_reset_image_cache(&guest->qxl);
    spice_qxl_oom(&guest->qxl);
    spice_qxl_driver_unload(&guest->qxl);
    spice_qxl_destroy_primary_surface(&guest->qxl, 0);
}

int main(void) {
    host_begin();
    commands = g_ptr_array_new_with_free_func((GDestroyNotify)command_free);
    server = spice_server_new();
    CHECK(!spice_server_init(server, &core), "init");
    guest = guest_new(server, 0);
    check_pixels(W * 4);
    check_pixels(-W * 4);
    check_surfaces();
    check_async();
    check_stop();
    spice_qxl_reset_memslots(&guest->qxl);
    WAIT_FOR(g_atomic_int_get(&guest->released) == g_atomic_int_get(&guest->taken));
    CHECK((guint)guest->taken == commands->len, "%d taken of %u", guest->taken, commands->len);
    CHECK(!guest->wrong_thread, "the device's functions are called on more than one thread");
    /* One that is taken away is not asked any more. */
    CHECK(!spice_server_remove_interface(&guest->qxl.base), "remove");
    g_async_queue_push(guest->ring, fill(0, 0, 0, 1, 1, 0));
    run_for(30);
    CHECK((guint)guest->taken == commands->len, "a device is asked that was taken away");
    spice_server_destroy(server);
    command_free(g_async_queue_pop(guest->ring));
    g_ptr_array_unref(commands);
    guest_free(guest);
    return 0;
}
