/*
 * The main loop of the C project's test programs (`basic-event-loop.h`, theirs), written anew: timers and watches of the
 * core interface on a GLib context that is not the default one, as QEMU may have it.
 */
#include <signal.h>

#include <glib-unix.h>
#include <spice.h>

#include "basic-event-loop.h"
#include "common/log.h"

struct SpiceTimer {
    SpiceTimerFunc func;
    void *opaque;
    GSource *armed; /* null while it does not run */
};

struct SpiceWatch {
    int fd;
    SpiceWatchFunc func;
    void *opaque;
    GSource *armed; /* null while it waits for nothing */
};

static GMainContext *context;
static GMainLoop *loop;
/* Display tests start a timer from the worker's thread. */
static GMutex timers;

static void disarm(GSource **armed)
{
    if (*armed) {
        g_source_destroy(*armed);
        g_source_unref(*armed);
        *armed = NULL;
    }
}

static GSource *arm(GSource *source, GSourceFunc func, void *data)
{
    g_source_set_callback(source, func, data, NULL);
    g_source_attach(source, context);
    return source;
}

/* The timer may be removed by its own function: it is not touched after that. */
static gboolean timer_due(gpointer data)
{
    SpiceTimer *timer = data;
    gboolean due;

    g_mutex_lock(&timers);
    due = timer->armed == g_main_current_source();
    if (due) {
        disarm(&timer->armed);
    }
    g_mutex_unlock(&timers);
    if (due) {
        timer->func(timer->opaque);
    }
    return G_SOURCE_REMOVE;
}

static SpiceTimer *timer_add(SpiceTimerFunc func, void *opaque)
{
    SpiceTimer *timer = g_new0(SpiceTimer, 1);

    timer->func = func;
    timer->opaque = opaque;
    return timer;
}

static void timer_start(SpiceTimer *timer, uint32_t ms)
{
    g_mutex_lock(&timers);
    disarm(&timer->armed);
    timer->armed = arm(g_timeout_source_new(ms), timer_due, timer);
    g_mutex_unlock(&timers);
}

static void timer_cancel(SpiceTimer *timer)
{
    g_mutex_lock(&timers);
    disarm(&timer->armed);
    g_mutex_unlock(&timers);
}

static void timer_remove(SpiceTimer *timer)
{
    timer_cancel(timer);
    g_free(timer);
}

/* An error or the peer's end is told as what is waited for, so that the server meets it when it reads or writes. */
static gboolean watch_ready(gint fd, GIOCondition condition, gpointer data)
{
    SpiceWatch *watch = data;
    int events = 0;

    if (condition & (G_IO_IN | G_IO_HUP | G_IO_ERR)) {
        events |= SPICE_WATCH_EVENT_READ;
    }
    if (condition & (G_IO_OUT | G_IO_HUP | G_IO_ERR)) {
        events |= SPICE_WATCH_EVENT_WRITE;
    }
    watch->func(fd, events, watch->opaque);
    return G_SOURCE_CONTINUE;
}

static void watch_update_mask(SpiceWatch *watch, int events)
{
    GIOCondition condition = 0;

    disarm(&watch->armed);
    if (events & SPICE_WATCH_EVENT_READ) {
        condition |= G_IO_IN;
    }
    if (events & SPICE_WATCH_EVENT_WRITE) {
        condition |= G_IO_OUT;
    }
    if (condition) {
        watch->armed = arm(g_unix_fd_source_new(watch->fd, condition), G_SOURCE_FUNC(watch_ready), watch);
    }
}

static SpiceWatch *watch_add(int fd, int events, SpiceWatchFunc func, void *opaque)
{
    SpiceWatch *watch = g_new0(SpiceWatch, 1);

    watch->fd = fd;
    watch->func = func;
    watch->opaque = opaque;
    watch_update_mask(watch, events);
    return watch;
}

static void watch_remove(SpiceWatch *watch)
{
    disarm(&watch->armed);
    g_free(watch);
}

static void channel_event(int event, SpiceChannelEventInfo *info)
{
    (void)event;
    (void)info;
}

static SpiceCoreInterface core = {
    .base = {
        .major_version = SPICE_INTERFACE_CORE_MAJOR,
        .minor_version = SPICE_INTERFACE_CORE_MINOR,
    },
    .timer_add = timer_add,
    .timer_start = timer_start,
    .timer_cancel = timer_cancel,
    .timer_remove = timer_remove,
    .watch_add = watch_add,
    .watch_update_mask = watch_update_mask,
    .watch_remove = watch_remove,
    .channel_event = channel_event,
};

SpiceCoreInterface *basic_event_loop_init(void)
{
    spice_assert(context == NULL);
    signal(SIGPIPE, SIG_IGN);
    context = g_main_context_new();
    return &core;
}

GMainContext *basic_event_loop_get_context(void)
{
    return context;
}

void basic_event_loop_mainloop(void)
{
    loop = g_main_loop_new(context, FALSE);
    g_main_loop_run(loop);
    g_main_loop_unref(loop);
    loop = NULL;
}

void basic_event_loop_quit(void)
{
    if (loop) {
        g_main_loop_quit(loop);
    }
}

void basic_event_loop_destroy(void)
{
    spice_assert(context != NULL);
    g_main_context_unref(context);
    context = NULL;
}
