/* A guest: a QXL device with its own memory, in which commands, images and surfaces lie at offsets, as in a real one's. */
#ifndef GUEST_H
#define GUEST_H
#include "host.h"
#include <sys/mman.h>

#define GUEST_MEMORY (64u << 20)
#define GUEST_GROUP 1
#define GUEST_SLOT 1
#define GUEST_GENERATION 5

typedef struct Guest {
    QXLInstance qxl;
    uint8_t *memory;
    size_t used;
    /* Commands that wait to be taken, and whether the server asked to be woken. */
    GAsyncQueue *ring, *cursor_ring;
    gint armed, cursor_armed;
    gint attached, init_info, taken, released, asked, flushed, notified;
    uint32_t notified_id;
    GMutex lock;
    /* The thread that reads the ring. */
    pthread_t worker;
    int has_worker;
    GArray *cookies; /* uint64_t: what was done */
    GArray *rects;   /* QXLRect: of update_area_complete */
    uint32_t rects_surface;
    gint rects_calls, caps_calls, caps_present;
    uint8_t caps[SPICE_CAPABILITIES_SIZE];
    GPtrArray *commands;
    /* Being taken away, by the host's thread; taken away. */
    gint going;
    int gone;
} Guest;

typedef struct Command {
    QXLCommandExt ext;
    void *in_guest;
    gint released;
    int id;
} Command;

static UNUSED Guest *guest_of(QXLInstance *qxl) { return (Guest *)((char *)qxl - offsetof(Guest, qxl)); }

/* ---- the device's functions ---- */

static Guest *called(QXLInstance *qxl, const char *what)
{
    Guest *guest = guest_of(qxl);
    if (guest->gone) FAIL("%s is called on a device that has been taken away", what);
    return guest;
}
/* What belongs to the ring is called on one thread, which is not the host's, as long as the device is there. */
static Guest *called_by_worker(QXLInstance *qxl, const char *what)
{
    Guest *guest = called(qxl, what);
    if (g_atomic_int_get(&guest->going)) return guest;
    g_mutex_lock(&guest->lock);
    if (!guest->has_worker) guest->worker = pthread_self();
    guest->has_worker = 1;
    int same = pthread_equal(guest->worker, pthread_self());
    g_mutex_unlock(&guest->lock);
    if (!same) FAIL("%s is called on another thread than the ring's functions before", what);
    if (pthread_equal(host_thread, pthread_self())) FAIL("%s is called on the host's thread", what);
    return guest;
}
static void guest_attached_worker(QXLInstance *qxl) { called(qxl, "attached_worker")->attached++; }
static void guest_set_compression_level(QXLInstance *qxl, int level UNUSED) { called(qxl, "set_compression_level"); }
static void guest_get_init_info(QXLInstance *qxl, QXLDevInitInfo *info)
{
    called(qxl, "get_init_info")->init_info++;
    memset(info, 0, sizeof *info);
    info->num_memslots_groups = 2;
    info->num_memslots = 8;
    info->memslot_id_bits = 8;
    info->memslot_gen_bits = 8;
    info->n_surfaces = 64;
}
static int guest_take(Guest *guest, GAsyncQueue *ring, QXLCommandExt *ext)
{
    Command *command = g_async_queue_try_pop(ring);
    g_atomic_int_inc(&guest->asked);
    if (!command) return 0;
    *ext = command->ext;
    g_atomic_int_inc(&guest->taken);
    return 1;
}
/* As a real ring: who asks to be woken is told when there is something already. */
static int guest_arm(GAsyncQueue *ring, gint *armed)
{
    g_atomic_int_set(armed, 1);
    if (g_async_queue_length(ring) <= 0) return 1;
    g_atomic_int_set(armed, 0);
    return 0;
}
static int guest_get_command(QXLInstance *qxl, QXLCommandExt *ext) { Guest *guest = called_by_worker(qxl, "get_command"); return guest_take(guest, guest->ring, ext); }
static int guest_get_cursor_command(QXLInstance *qxl, QXLCommandExt *ext) { Guest *guest = called_by_worker(qxl, "get_cursor_command"); return guest_take(guest, guest->cursor_ring, ext); }
static int guest_req_cmd(QXLInstance *qxl) { Guest *guest = called_by_worker(qxl, "req_cmd_notification"); return guest_arm(guest->ring, &guest->armed); }
static int guest_req_cursor(QXLInstance *qxl) { Guest *guest = called_by_worker(qxl, "req_cursor_notification"); return guest_arm(guest->cursor_ring, &guest->cursor_armed); }
static void guest_release_resource(QXLInstance *qxl, QXLReleaseInfoExt release)
{
    Guest *guest = called_by_worker(qxl, "release_resource");
    CHECK(release.info, "release_resource without what it releases");
    Command *command = (Command *)(uintptr_t)release.info->id;
    CHECK(release.info == command->in_guest, "release_resource with another place than the command's");
    EQUAL(release.group_id, command->ext.group_id, "group of what is released");
    EQUAL(g_atomic_int_add(&command->released, 1), 0, "how often a command had been released before");
    g_atomic_int_inc(&guest->released);
}
static void guest_notify_update(QXLInstance *qxl, uint32_t id)
{
    Guest *guest = called_by_worker(qxl, "notify_update");
    guest->notified_id = id;
    g_atomic_int_inc(&guest->notified);
}
static int guest_flush_resources(QXLInstance *qxl) { g_atomic_int_inc(&called_by_worker(qxl, "flush_resources")->flushed); return 0; }
static void guest_async_complete(QXLInstance *qxl, uint64_t cookie)
{
    Guest *guest = called(qxl, "async_complete");
    g_mutex_lock(&guest->lock);
    g_array_append_val(guest->cookies, cookie);
    g_mutex_unlock(&guest->lock);
}
static void guest_update_area_complete(QXLInstance *qxl, uint32_t surface, QXLRect *rects, uint32_t count)
{
    Guest *guest = called(qxl, "update_area_complete");
    g_mutex_lock(&guest->lock);
    guest->rects_calls++;
    guest->rects_surface = surface;
    if (count) g_array_append_vals(guest->rects, rects, count);
    g_mutex_unlock(&guest->lock);
}
static void guest_set_client_capabilities(QXLInstance *qxl, uint8_t present, uint8_t caps[SPICE_CAPABILITIES_SIZE])
{
    Guest *guest = called(qxl, "set_client_capabilities");
    g_mutex_lock(&guest->lock);
    guest->caps_present = present;
    memcpy(guest->caps, caps, SPICE_CAPABILITIES_SIZE);
    guest->caps_calls++;
    g_mutex_unlock(&guest->lock);
}
static UNUSED QXLInterface guest_interface = {
    .base = { SPICE_INTERFACE_QXL, "a guest", SPICE_INTERFACE_QXL_MAJOR, SPICE_INTERFACE_QXL_MINOR },
    .attached_worker = guest_attached_worker,
    .set_compression_level = guest_set_compression_level,
    .get_init_info = guest_get_init_info,
    .get_command = guest_get_command,
    .req_cmd_notification = guest_req_cmd,
    .release_resource = guest_release_resource,
    .get_cursor_command = guest_get_cursor_command,
    .req_cursor_notification = guest_req_cursor,
    .notify_update = guest_notify_update,
    .flush_resources = guest_flush_resources,
    .async_complete = guest_async_complete,
    .update_area_complete = guest_update_area_complete,
    .set_client_capabilities = guest_set_client_capabilities,
};

/* ---- its memory ---- */

static UNUSED void *guest_alloc(Guest *guest, size_t size)
{
    void *at = guest->memory + guest->used;
    guest->used += (size + 63) & ~(size_t)63;
    CHECK(guest->used <= GUEST_MEMORY, "the guest's memory is used up");
    memset(at, 0, size);
    return at;
}
static UNUSED QXLPHYSICAL address_in(const void *base, const void *at, unsigned slot, unsigned generation)
{
    return (uint64_t)slot << 56 | (uint64_t)generation << 48 | (uint64_t)((const uint8_t *)at - (const uint8_t *)base);
}
static UNUSED QXLPHYSICAL address(Guest *guest, const void *at)
{
    CHECK((const uint8_t *)at >= guest->memory && (const uint8_t *)at < guest->memory + GUEST_MEMORY, "not in the guest's memory");
    return address_in(guest->memory, at, GUEST_SLOT, GUEST_GENERATION);
}
static UNUSED QXLDevMemSlot guest_slot(Guest *guest)
{
    return (QXLDevMemSlot){ .slot_group_id = GUEST_GROUP, .slot_id = GUEST_SLOT, .generation = GUEST_GENERATION,
        .virt_start = (uintptr_t)guest->memory, .virt_end = (uintptr_t)guest->memory + GUEST_MEMORY,
        .addr_delta = (uintptr_t)guest->memory };
}

/* ---- its life ---- */

static UNUSED Guest *guest_new(int id)
{
    Guest *guest = g_new0(Guest, 1);
    guest->qxl.base.sif = &guest_interface.base;
    guest->qxl.id = id;
    guest->ring = g_async_queue_new();
    guest->cursor_ring = g_async_queue_new();
    guest->cookies = g_array_new(FALSE, TRUE, sizeof(uint64_t));
    guest->rects = g_array_new(FALSE, TRUE, sizeof(QXLRect));
    guest->commands = g_ptr_array_new_with_free_func(g_free);
    g_mutex_init(&guest->lock);
    guest->memory = mmap(NULL, GUEST_MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(guest->memory != MAP_FAILED, "the guest's memory");
    return guest;
}
static UNUSED Guest *guest_added(SpiceServer *server, int id)
{
    Guest *guest = guest_new(id);
    QXLDevMemSlot slot = guest_slot(guest);
    EQUAL(spice_server_add_interface(server, &guest->qxl.base), 0, "add a display");
    spice_qxl_add_memslot(&guest->qxl, &slot);
    spice_server_vm_start(server);
    return guest;
}
static UNUSED void guest_remove(Guest *guest)
{
    g_atomic_int_set(&guest->going, 1);
    EQUAL(spice_server_remove_interface(&guest->qxl.base), 0, "remove a display");
    guest->gone = 1;
}
static UNUSED void guest_free(Guest *guest)
{
    g_async_queue_unref(guest->ring);
    g_async_queue_unref(guest->cursor_ring);
    g_array_unref(guest->cookies);
    g_array_unref(guest->rects);
    g_ptr_array_unref(guest->commands);
    g_mutex_clear(&guest->lock);
    munmap(guest->memory, GUEST_MEMORY);
    g_free(guest);
}
static UNUSED int guest_taken(Guest *guest) { return g_atomic_int_get(&guest->taken); }
static UNUSED int guest_released(Guest *guest) { return g_atomic_int_get(&guest->released); }
static UNUSED int released(Command *command) { return g_atomic_int_get(&command->released); }

/* How often a cookie has come back. */
static UNUSED int done(Guest *guest, uint64_t cookie)
{
    int count = 0;
    g_mutex_lock(&guest->lock);
    for (guint i = 0; i < guest->cookies->len; i++) count += g_array_index(guest->cookies, uint64_t, i) == cookie;
    g_mutex_unlock(&guest->lock);
    return count;
}

/* ---- commands ---- */

static UNUSED Command *command_new(Guest *guest, uint32_t type, size_t size)
{
    Command *command = g_new0(Command, 1);
    g_ptr_array_add(guest->commands, command);
    command->in_guest = guest_alloc(guest, size);
    ((QXLReleaseInfo *)command->in_guest)->id = (uintptr_t)command;
    command->ext.cmd.type = type;
    command->ext.cmd.data = address(guest, command->in_guest);
    command->ext.group_id = GUEST_GROUP;
    return command;
}
/* Puts a command into the ring; the server is woken if it asked for that. */
static UNUSED Command *give(Guest *guest, Command *command)
{
    int cursor = command->ext.cmd.type == QXL_CMD_CURSOR;
    g_async_queue_push(cursor ? guest->cursor_ring : guest->ring, command);
    if (g_atomic_int_compare_and_exchange(cursor ? &guest->cursor_armed : &guest->armed, 1, 0)) spice_qxl_wakeup(&guest->qxl);
    return command;
}
static UNUSED QXLDrawable *drawable_of(Command *command) { return command->in_guest; }
static UNUSED QXLRect rect(int left, int top, int right, int bottom) { return (QXLRect){ .left = left, .top = top, .right = right, .bottom = bottom }; }
static UNUSED Command *draw_new(Guest *guest, uint32_t surface, uint8_t type, QXLRect box)
{
    Command *command = command_new(guest, QXL_CMD_DRAW, sizeof(QXLDrawable));
    QXLDrawable *drawable = command->in_guest;
    drawable->surface_id = surface;
    drawable->type = type;
    drawable->effect = QXL_EFFECT_OPAQUE;
    drawable->bbox = box;
    drawable->clip.type = SPICE_CLIP_TYPE_NONE;
    for (int i = 0; i < 3; i++) drawable->surfaces_dest[i] = -1;
    return command;
}
static UNUSED Command *fill(Guest *guest, uint32_t surface, QXLRect box, uint32_t colour)
{
    Command *command = draw_new(guest, surface, QXL_DRAW_FILL, box);
    QXLFill *u = &drawable_of(command)->u.fill;
    u->brush.type = SPICE_BRUSH_TYPE_SOLID;
    u->brush.u.color = colour;
    u->rop_descriptor = SPICE_ROPD_OP_PUT;
    return command;
}
/* An image of 32 bits a pixel: as one piece, or as a chain of chunks of so many lines. */
static UNUSED QXLImage *image_new(Guest *guest, int width, int height, const uint32_t *pixels, int lines_a_chunk)
{
    static uint32_t unique;
    QXLImage *image = guest_alloc(guest, sizeof *image);
    QXL_SET_IMAGE_ID(image, QXL_IMAGE_GROUP_DRIVER, ++unique);
    image->descriptor.type = SPICE_IMAGE_TYPE_BITMAP;
    image->descriptor.width = width;
    image->descriptor.height = height;
    image->bitmap.format = SPICE_BITMAP_FMT_32BIT;
    image->bitmap.flags = QXL_BITMAP_TOP_DOWN | (lines_a_chunk ? 0 : QXL_BITMAP_DIRECT);
    image->bitmap.x = width;
    image->bitmap.y = height;
    image->bitmap.stride = width * 4;
    if (!lines_a_chunk) {
        void *data = guest_alloc(guest, width * height * 4);
        memcpy(data, pixels, width * height * 4);
        image->bitmap.data = address(guest, data);
        return image;
    }
    QXLDataChunk *before = NULL;
    for (int y = 0; y < height; y += lines_a_chunk) {
        int size = MIN(lines_a_chunk, height - y) * width * 4;
        QXLDataChunk *chunk = guest_alloc(guest, sizeof *chunk + size);
        chunk->data_size = size;
        memcpy(chunk->data, pixels + y * width, size);
        if (before) { before->next_chunk = address(guest, chunk); chunk->prev_chunk = address(guest, before); }
        else image->bitmap.data = address(guest, chunk);
        before = chunk;
    }
    return image;
}
static UNUSED QXLImage *image_of_surface(Guest *guest, uint32_t surface, int width, int height)
{
    QXLImage *image = guest_alloc(guest, sizeof *image);
    image->descriptor.type = SPICE_IMAGE_TYPE_SURFACE;
    image->descriptor.width = width;
    image->descriptor.height = height;
    image->surface_image.surface_id = surface;
    return image;
}
static UNUSED Command *copy(Guest *guest, uint32_t surface, QXLRect box, QXLImage *image, QXLRect from)
{
    Command *command = draw_new(guest, surface, QXL_DRAW_COPY, box);
    QXLCopy *u = &drawable_of(command)->u.copy;
    u->src_bitmap = address(guest, image);
    u->src_area = from;
    u->rop_descriptor = SPICE_ROPD_OP_PUT;
    u->scale_mode = SPICE_IMAGE_SCALE_MODE_NEAREST;
    if (image->descriptor.type == SPICE_IMAGE_TYPE_SURFACE) {
        drawable_of(command)->surfaces_dest[0] = image->surface_image.surface_id;
        drawable_of(command)->surfaces_rects[0] = from;
    }
    return command;
}
static UNUSED Command *surface_create(Guest *guest, uint32_t id, int width, int height, int stride, void *data)
{
    Command *command = command_new(guest, QXL_CMD_SURFACE, sizeof(QXLSurfaceCmd));
    QXLSurfaceCmd *surface = command->in_guest;
    surface->surface_id = id;
    surface->type = QXL_SURFACE_CMD_CREATE;
    surface->u.surface_create = (QXLSurface){ .format = SPICE_SURFACE_FMT_32_xRGB, .width = width, .height = height, .stride = stride,
        .data = address(guest, data) };
    return command;
}
static UNUSED Command *surface_destroy(Guest *guest, uint32_t id)
{
    Command *command = command_new(guest, QXL_CMD_SURFACE, sizeof(QXLSurfaceCmd));
    QXLSurfaceCmd *surface = command->in_guest;
    surface->surface_id = id;
    surface->type = QXL_SURFACE_CMD_DESTROY;
    return command;
}
static UNUSED QXLDevSurfaceCreate primary(Guest *guest, void *data, int width, int height, int stride)
{
    return (QXLDevSurfaceCreate){ .width = width, .height = height, .stride = stride, .format = SPICE_SURFACE_FMT_32_xRGB,
        .mouse_mode = 1, .type = QXL_SURF_TYPE_PRIMARY, .mem = address(guest, data), .group_id = GUEST_GROUP };
}
static UNUSED uint32_t *create_primary(Guest *guest, int width, int height)
{
    uint32_t *data = guest_alloc(guest, width * height * 4);
    QXLDevSurfaceCreate create = primary(guest, data, width, height, width * 4);
    spice_qxl_create_primary_surface(&guest->qxl, 0, &create);
    return data;
}
static UNUSED void update(Guest *guest, uint32_t surface, QXLRect area)
{
    spice_qxl_update_area(&guest->qxl, surface, &area, NULL, 0, 1);
}
/* Every command that was given has been taken, and came back once. */
static UNUSED void all_came_back(Guest *guest)
{
    WAIT_FOR(guest_released(guest) == (int)guest->commands->len, "%d of %u commands came back, %d were taken", guest_released(guest),
             guest->commands->len, guest_taken(guest));
    for (guint i = 0; i < guest->commands->len; i++) EQUAL(released(g_ptr_array_index(guest->commands, i)), 1, "times that a command came back");
}
#endif
