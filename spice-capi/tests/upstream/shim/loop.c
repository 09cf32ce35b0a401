/* The loop that the tests ask for (`basic-event-loop.h`), on GLib. Their devices start timers from any thread. */
#include "basic-event-loop.h"
#include <glib-unix.h>
#include <signal.h>

struct SpiceTimer { SpiceTimerFunc func; void *opaque; GSource *source; };
struct SpiceWatch { int fd; SpiceWatchFunc func; void *opaque; GSource *source; };

static GMainContext *context;
static GMainLoop *loop;

static void stop(GSource **source)
{
    if (*source) g_source_destroy(*source);
    g_clear_pointer(source, g_source_unref);
}
static void begin(GSource **source, GSource *made, GSourceFunc func, gpointer data)
{
    stop(source);
    *source = made;
    g_source_set_callback(made, func, data, NULL);
    g_source_attach(made, context);
}

static gboolean timer_fires(gpointer data)
{
    SpiceTimer *timer = data;
    timer->func(timer->opaque);
    return G_SOURCE_REMOVE;
}
static SpiceTimer *timer_add(SpiceTimerFunc func, void *opaque)
{
    SpiceTimer *timer = g_new0(SpiceTimer, 1);
    timer->func = func;
    timer->opaque = opaque;
    return timer;
}
static void timer_start(SpiceTimer *timer, uint32_t ms) { begin(&timer->source, g_timeout_source_new(ms), timer_fires, timer); }
static void timer_cancel(SpiceTimer *timer) { stop(&timer->source); }
static void timer_remove(SpiceTimer *timer)
{
    stop(&timer->source);
    g_free(timer);
}

static gboolean watch_fires(gint fd, GIOCondition condition, gpointer data)
{
    SpiceWatch *watch = data;
    int event = condition & (G_IO_IN | G_IO_HUP | G_IO_ERR) ? SPICE_WATCH_EVENT_READ : 0;
    if (condition & G_IO_OUT) event |= SPICE_WATCH_EVENT_WRITE;
    watch->func(fd, event, watch->opaque);
    return G_SOURCE_CONTINUE;
}
static void watch_update_mask(SpiceWatch *watch, int mask)
{
    GIOCondition condition = mask & SPICE_WATCH_EVENT_READ ? G_IO_IN : 0;
    if (mask & SPICE_WATCH_EVENT_WRITE) condition |= G_IO_OUT;
    if (condition) begin(&watch->source, g_unix_fd_source_new(watch->fd, condition), (GSourceFunc)(void (*)(void))watch_fires, watch);
    else stop(&watch->source);
}
static SpiceWatch *watch_add(int fd, int mask, SpiceWatchFunc func, void *opaque)
{
    SpiceWatch *watch = g_new0(SpiceWatch, 1);
    watch->fd = fd;
    watch->func = func;
    watch->opaque = opaque;
    watch_update_mask(watch, mask);
    return watch;
}
static void watch_remove(SpiceWatch *watch)
{
    stop(&watch->source);
    g_free(watch);
}
static void channel_event(int event, SpiceChannelEventInfo *info) { (void)event, (void)info; }

static SpiceCoreInterface core = {
    .base = { SPICE_INTERFACE_CORE, "a loop on GLib", SPICE_INTERFACE_CORE_MAJOR, SPICE_INTERFACE_CORE_MINOR },
    .timer_add = timer_add, .timer_start = timer_start, .timer_cancel = timer_cancel, .timer_remove = timer_remove,
    .watch_add = watch_add, .watch_update_mask = watch_update_mask, .watch_remove = watch_remove,
    .channel_event = channel_event,
};

SpiceCoreInterface *basic_event_loop_init(void)
{
    signal(SIGPIPE, SIG_IGN);
    context = g_main_context_new();
    loop = g_main_loop_new(context, FALSE);
    return &core;
}
GMainContext *basic_event_loop_get_context(void) { return context; }
void basic_event_loop_mainloop(void) { g_main_loop_run(loop); }
void basic_event_loop_quit(void) { g_main_loop_quit(loop); }
void basic_event_loop_destroy(void)
{
    g_clear_pointer(&loop, g_main_loop_unref);
    g_clear_pointer(&context, g_main_context_unref);
}
