/* What the hosts here have in common: a main loop on GLib, checks that say where they failed, a guest with a ring. */
#ifndef HOST_H
#define HOST_H
#define _GNU_SOURCE
#include <glib.h>
#include <glib-unix.h>
#include <pthread.h>
#include <spice.h>
#include <spice/qxl_dev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
#include <dirent.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>
#include <arpa/inet.h>

#define CHECK(cond, ...) do { if (!(cond)) { \
    fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #cond); fprintf(stderr, __VA_ARGS__); fputc('\n', stderr); \
    _exit(1); } } while (0)

/* ---- the main loop, as spice-core.h wants it ---- */

struct SpiceTimer { SpiceTimerFunc func; void *opaque; GSource *source; };
struct SpiceWatch { int fd; SpiceWatchFunc func; void *opaque; GSource *source; };

static pthread_t host_thread;
static int host_timers, host_watches;

static gboolean timer_fires(gpointer data) {
    SpiceTimer *timer = data;
    g_clear_pointer(&timer->source, g_source_unref);
    timer->func(timer->opaque);
    return G_SOURCE_REMOVE;
}
static SpiceTimer *timer_add(SpiceTimerFunc func, void *opaque) {
    SpiceTimer *timer = g_new0(SpiceTimer, 1);
    timer->func = func;
    timer->opaque = opaque;
    host_timers++;
    return timer;
}
static void timer_cancel(SpiceTimer *timer) {
    if (timer->source) {
        g_source_destroy(timer->source);
        g_clear_pointer(&timer->source, g_source_unref);
    }
}
static void timer_start(SpiceTimer *timer, uint32_t ms) {
    timer_cancel(timer);
    timer->source = g_timeout_source_new(ms);
    g_source_set_callback(timer->source, timer_fires, timer, NULL);
    g_source_attach(timer->source, NULL);
}
static void timer_remove(SpiceTimer *timer) { timer_cancel(timer); g_free(timer); host_timers--; }

static gboolean watch_fires(gint fd, GIOCondition condition, gpointer data) {
    SpiceWatch *watch = data;
    int event = (condition & (G_IO_IN | G_IO_HUP | G_IO_ERR) ? SPICE_WATCH_EVENT_READ : 0)
              | (condition & G_IO_OUT ? SPICE_WATCH_EVENT_WRITE : 0);
    watch->func(fd, event, watch->opaque);
    return G_SOURCE_CONTINUE;
}
static void watch_update_mask(SpiceWatch *watch, int mask) {
    if (watch->source) {
        g_source_destroy(watch->source);
        g_clear_pointer(&watch->source, g_source_unref);
    }
    if (!mask) return;
    watch->source = g_unix_fd_source_new(watch->fd, (mask & SPICE_WATCH_EVENT_READ ? G_IO_IN : 0)
                                                    | (mask & SPICE_WATCH_EVENT_WRITE ? G_IO_OUT : 0));
    g_source_set_callback(watch->source, (GSourceFunc)(void *)watch_fires, watch, NULL);
    g_source_attach(watch->source, NULL);
}
static SpiceWatch *watch_add(int fd, int mask, SpiceWatchFunc func, void *opaque) {
    SpiceWatch *watch = g_new0(SpiceWatch, 1);
    watch->fd = fd;
    watch->func = func;
    watch->opaque = opaque;
    host_watches++;
    watch_update_mask(watch, mask);
    return watch;
}
static void watch_remove(SpiceWatch *watch) { watch_update_mask(watch, 0); g_free(watch); host_watches--; }
static void channel_event(int event, SpiceChannelEventInfo *info) { (void)event; (void)info; }

static SpiceCoreInterface core = {
    .base = { SPICE_INTERFACE_CORE, "host", SPICE_INTERFACE_CORE_MAJOR, SPICE_INTERFACE_CORE_MINOR },
    .timer_add = timer_add, .timer_start = timer_start, .timer_cancel = timer_cancel, .timer_remove = timer_remove,
    .watch_add = watch_add, .watch_update_mask = watch_update_mask, .watch_remove = watch_remove,
    .channel_event = channel_event,
};

/* Runs the loop until the condition holds; ten seconds are too long. */
static gboolean tick(gpointer data) { (void)data; return G_SOURCE_CONTINUE; }
#define WAIT_FOR(cond) do { \
    gint64 until_ = g_get_monotonic_time() + 10 * G_USEC_PER_SEC; \
    guint ticks_ = g_timeout_add(5, tick, NULL); \
    while (!(cond)) { \
        CHECK(g_get_monotonic_time() < until_, "does not come true in 10 s"); \
        g_main_context_iteration(NULL, TRUE); \
    } \
    g_source_remove(ticks_); } while (0)

/* Runs the loop for a while, to see that nothing happens. */
static void run_for(int ms) {
    gint64 until = g_get_monotonic_time() + ms * 1000;
    guint ticks = g_timeout_add(5, tick, NULL);
    while (g_get_monotonic_time() < until) g_main_context_iteration(NULL, TRUE);
    g_source_remove(ticks);
}

static int open_descriptors(void) {
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (readdir(dir)) count++;
    closedir(dir);
    return count - 3;
}

/* Whether it is the C library that this runs on. */
static int on_c_library(void) { return !g_strcmp0(getenv("SPICE_HOST_LIBRARY"), "c"); }

static void host_begin(void) {
    host_thread = pthread_self();
    setenv("SPICE_DEBUG_ALLOW_MC", "1", 1);
    setvbuf(stdout, NULL, _IOLBF, 0);
}

/* A port that is free now. */
static int free_port(void) {
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof addr;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(!bind(fd, (struct sockaddr *)&addr, len) && !getsockname(fd, (struct sockaddr *)&addr, &len), "no port");
    close(fd);
    return ntohs(addr.sin_port);
}

/* A server on a free port of 127.0.0.1 that lets in anybody. */
static SpiceServer *open_server(int *port) {
    SpiceServer *server = spice_server_new();
    *port = free_port();
    CHECK(!spice_server_set_port(server, *port), "port %d", *port);
    spice_server_set_addr(server, "127.0.0.1", 0);
    CHECK(!spice_server_set_noauth(server), "noauth");
    CHECK(!spice_server_init(server, &core), "init");
    return server;
}

/* ---- a guest: a QXL device with a ring of commands ---- */

typedef struct Guest {
    QXLInstance qxl;
    GAsyncQueue *ring, *cursor_ring;
    gint taken, released, woken, attached, asked;
    gint completed, rectangles;
    guint64 last_cookie;
    QXLRect last_rectangle;
    gint caps_told, viewer_present;
    int wrong_thread;
    pthread_t worker;
    int has_worker;
} Guest;

typedef struct Command {
    QXLCommandExt ext;
    union { QXLDrawable draw; QXLSurfaceCmd surface; QXLCursorCmd cursor; };
    QXLImage image;
    void *data;
} Command;

static Guest *guest_of(QXLInstance *qxl) { return (Guest *)((char *)qxl - offsetof(Guest, qxl)); }

/* Hosts rely on one thread for all of these. */
static void on_worker(Guest *guest) {
    if (!guest->has_worker) { guest->worker = pthread_self(); guest->has_worker = 1; }
    if (!pthread_equal(guest->worker, pthread_self())) guest->wrong_thread = 1;
}
static void guest_attached(QXLInstance *qxl) { guest_of(qxl)->attached++; }
static void guest_level(QXLInstance *qxl, int level) { (void)qxl; (void)level; }
static void guest_init_info(QXLInstance *qxl, QXLDevInitInfo *info) {
    (void)qxl;
    memset(info, 0, sizeof *info);
    info->num_memslots = 4;
    info->num_memslots_groups = 2;
    info->memslot_id_bits = 8;
    info->memslot_gen_bits = 8;
    info->n_surfaces = 64;
}
static int take(GAsyncQueue *ring, Guest *guest, QXLCommandExt *ext) {
    Command *command = g_async_queue_try_pop(ring);
    on_worker(guest);
    if (!command) return 0;
    *ext = command->ext;
    g_atomic_int_inc(&guest->taken);
    return 1;
}
static int guest_command(QXLInstance *qxl, QXLCommandExt *ext) { return take(guest_of(qxl)->ring, guest_of(qxl), ext); }
static int guest_cursor(QXLInstance *qxl, QXLCommandExt *ext) { return take(guest_of(qxl)->cursor_ring, guest_of(qxl), ext); }
static int guest_req(QXLInstance *qxl) { return g_async_queue_length(guest_of(qxl)->ring) <= 0; }
static int guest_req_cursor(QXLInstance *qxl) { return g_async_queue_length(guest_of(qxl)->cursor_ring) <= 0; }
static void guest_release(QXLInstance *qxl, QXLReleaseInfoExt release) {
    Command *command = (Command *)(uintptr_t)release.info->id;
    on_worker(guest_of(qxl));
    CHECK(command->ext.flags == 0, "released twice");
    command->ext.flags = 0xdead;
    g_atomic_int_inc(&guest_of(qxl)->released);
}
static void guest_notify_update(QXLInstance *qxl, uint32_t id) { (void)qxl; (void)id; }
static int guest_flush(QXLInstance *qxl) { (void)qxl; return 0; }
static void guest_async(QXLInstance *qxl, uint64_t cookie) {
    guest_of(qxl)->last_cookie = cookie;
    g_atomic_int_inc(&guest_of(qxl)->completed);
}
static void guest_area(QXLInstance *qxl, uint32_t surface, QXLRect *rects, uint32_t count) {
    (void)surface;
    if (count) guest_of(qxl)->last_rectangle = rects[0];
    g_atomic_int_add(&guest_of(qxl)->rectangles, count);
}
static void guest_caps(QXLInstance *qxl, uint8_t present, uint8_t caps[58]) {
    (void)caps;
    guest_of(qxl)->viewer_present = present;
    g_atomic_int_inc(&guest_of(qxl)->caps_told);
}
static QXLInterface guest_interface = {
    .base = { SPICE_INTERFACE_QXL, "guest", SPICE_INTERFACE_QXL_MAJOR, SPICE_INTERFACE_QXL_MINOR },
    .attached_worker = guest_attached, .set_compression_level = guest_level, .get_init_info = guest_init_info,
    .get_command = guest_command, .req_cmd_notification = guest_req, .release_resource = guest_release,
    .get_cursor_command = guest_cursor, .req_cursor_notification = guest_req_cursor,
    .notify_update = guest_notify_update, .flush_resources = guest_flush, .async_complete = guest_async,
    .update_area_complete = guest_area, .set_client_capabilities = guest_caps,
};

/* Addresses of slot 1 of group 0, generation 1, which is all of this process. */
#define SLOT ((uint64_t)1 << 56 | (uint64_t)1 << 48)
#define ADDRESS(pointer) (SLOT | (uintptr_t)(pointer))

static Guest *guest_new(SpiceServer *server, int id) {
    Guest *guest = g_new0(Guest, 1);
    QXLDevMemSlot slot = { .slot_id = 1, .generation = 1, .virt_end = 0x7fffffffffff };
    guest->ring = g_async_queue_new();
    guest->cursor_ring = g_async_queue_new();
    guest->qxl.base.sif = &guest_interface.base;
    guest->qxl.id = id;
    CHECK(!spice_server_add_interface(server, &guest->qxl.base), "display %d", id);
    CHECK(guest->attached == 1, "attached_worker");
    spice_qxl_add_memslot(&guest->qxl, &slot);
    spice_server_vm_start(server);
    return guest;
}
static void guest_free(Guest *guest) {
    g_async_queue_unref(guest->ring);
    g_async_queue_unref(guest->cursor_ring);
    g_free(guest);
}
static Command *command_new(int type) {
    Command *command = g_new0(Command, 1);
    command->ext.cmd.type = type;
    command->ext.cmd.data = ADDRESS(&command->draw);
    command->draw.release_info.id = (uintptr_t)command;
    return command;
}
static void command_free(Command *command) { g_free(command->data); g_free(command); }
static Command *fill(uint32_t surface, int left, int top, int right, int bottom, uint32_t colour) {
    Command *command = command_new(QXL_CMD_DRAW);
    QXLDrawable *draw = &command->draw;
    draw->surface_id = surface;
    draw->effect = QXL_EFFECT_OPAQUE;
    draw->type = QXL_DRAW_FILL;
    draw->bbox = (QXLRect){ .left = left, .top = top, .right = right, .bottom = bottom };
    for (int i = 0; i < 3; i++) draw->surfaces_dest[i] = -1;
    draw->u.fill.brush.type = SPICE_BRUSH_TYPE_SOLID;
    draw->u.fill.brush.u.color = colour;
    draw->u.fill.rop_descriptor = SPICE_ROPD_OP_PUT;
    return command;
}
static void give(Guest *guest, Command *command) {
    g_async_queue_push(guest->ring, command);
    spice_qxl_wakeup(&guest->qxl);
}
static void create_primary(Guest *guest, void *memory, int width, int height, int stride) {
    QXLDevSurfaceCreate create = { .width = width, .height = height, .stride = stride,
        .format = SPICE_SURFACE_FMT_32_xRGB, .mouse_mode = 1, .type = QXL_SURF_TYPE_PRIMARY, .mem = ADDRESS(memory) };
    spice_qxl_create_primary_surface(&guest->qxl, 0, &create);
}
#endif
