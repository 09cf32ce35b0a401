/* A host of the library: its main loop (GLib's), checks, and cases that each run in a process of their own, so that one that
 * fails hides none of the others. */
#ifndef HOST_H
#define HOST_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spice.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))
#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* ---- checks: a condition, and what it means that it does not hold ---- */

#define FAIL(...) do { \
    fprintf(stderr, "  %s:%d: ", __FILE__, __LINE__); \
    fprintf(stderr, __VA_ARGS__); \
    fputc('\n', stderr); \
    _exit(1); \
} while (0)
#define CHECK(cond, ...) do { if (!(cond)) { fprintf(stderr, "  not so: %s\n", #cond); FAIL(__VA_ARGS__); } } while (0)
#define EQUAL(is, should, what) do { \
    long long is_ = (long long)(is), should_ = (long long)(should); \
    if (is_ != should_) FAIL("%s: %s is %lld (0x%llx), not %lld (0x%llx)", what, #is, is_, is_, should_, should_); \
} while (0)

/* ---- the loop ---- */

struct SpiceTimer { SpiceTimerFunc func; void *opaque; GSource *source; struct Loop *loop; };
struct SpiceWatch { int fd; SpiceWatchFunc func; void *opaque; GSource *source; };

static UNUSED pthread_t host_thread;
/* How many the library has of each now, and whether it ever asked for one from another thread. */
static UNUSED int timers, watches, loop_misused;

static UNUSED void on_host_thread(const char *what)
{
    if (!pthread_equal(pthread_self(), host_thread)) {
        loop_misused++;
        FAIL("%s is called on another thread than the one of spice_server_init", what);
    }
}
static gboolean timer_fires(gpointer data)
{
    SpiceTimer *timer = data;
    g_clear_pointer(&timer->source, g_source_unref);
    timer->func(timer->opaque);
    return G_SOURCE_REMOVE;
}
static SpiceTimer *loop_timer_add(SpiceTimerFunc func, void *opaque)
{
    on_host_thread("timer_add");
    SpiceTimer *timer = g_new0(SpiceTimer, 1);
    timer->func = func;
    timer->opaque = opaque;
    timers++;
    return timer;
}
static void loop_timer_cancel(SpiceTimer *timer)
{
    on_host_thread("timer_cancel");
    if (!timer->source) return;
    g_source_destroy(timer->source);
    g_clear_pointer(&timer->source, g_source_unref);
}
static void loop_timer_start(SpiceTimer *timer, uint32_t ms)
{
    loop_timer_cancel(timer);
    timer->source = g_timeout_source_new(ms);
    g_source_set_callback(timer->source, timer_fires, timer, NULL);
    g_source_attach(timer->source, NULL);
}
static void loop_timer_remove(SpiceTimer *timer)
{
    loop_timer_cancel(timer);
    g_free(timer);
    timers--;
}
static gboolean watch_fires(gint fd, GIOCondition condition, gpointer data)
{
    SpiceWatch *watch = data;
    int event = 0;
    if (condition & (G_IO_IN | G_IO_HUP | G_IO_ERR)) event |= SPICE_WATCH_EVENT_READ;
    if (condition & G_IO_OUT) event |= SPICE_WATCH_EVENT_WRITE;
    watch->func(fd, event, watch->opaque);
    return G_SOURCE_CONTINUE;
}
static void loop_watch_update_mask(SpiceWatch *watch, int mask)
{
    on_host_thread("watch_update_mask");
    if (watch->source) {
        g_source_destroy(watch->source);
        g_clear_pointer(&watch->source, g_source_unref);
    }
    if (!mask) return;
    GIOCondition condition = (mask & SPICE_WATCH_EVENT_READ ? G_IO_IN : 0) | (mask & SPICE_WATCH_EVENT_WRITE ? G_IO_OUT : 0);
    watch->source = g_unix_fd_source_new(watch->fd, condition);
    g_source_set_callback(watch->source, (GSourceFunc)(void (*)(void))watch_fires, watch, NULL);
    g_source_attach(watch->source, NULL);
}
static SpiceWatch *loop_watch_add(int fd, int mask, SpiceWatchFunc func, void *opaque)
{
    SpiceWatch *watch = g_new0(SpiceWatch, 1);
    watch->fd = fd;
    watch->func = func;
    watch->opaque = opaque;
    watches++;
    loop_watch_update_mask(watch, mask);
    return watch;
}
static void loop_watch_remove(SpiceWatch *watch)
{
    loop_watch_update_mask(watch, 0);
    g_free(watch);
    watches--;
}
static void loop_channel_event(int event UNUSED, SpiceChannelEventInfo *info UNUSED) { }

static UNUSED SpiceCoreInterface core = {
    .base = { SPICE_INTERFACE_CORE, "a host on GLib", SPICE_INTERFACE_CORE_MAJOR, SPICE_INTERFACE_CORE_MINOR },
    .timer_add = loop_timer_add,
    .timer_start = loop_timer_start,
    .timer_cancel = loop_timer_cancel,
    .timer_remove = loop_timer_remove,
    .watch_add = loop_watch_add,
    .watch_update_mask = loop_watch_update_mask,
    .watch_remove = loop_watch_remove,
    .channel_event = loop_channel_event,
};

/* ---- time: bounds only; under valgrind they are wider ---- */

static UNUSED int patience_ms(void)
{
    const char *factor = getenv("TEST_PATIENCE");
    return 10000 * (factor ? MAX(1, atoi(factor)) : 1);
}
static UNUSED gint64 now_ms(void) { return g_get_monotonic_time() / 1000; }

/* One turn of the loop, 5 ms at most. */
static gboolean nothing(gpointer data UNUSED) { return G_SOURCE_REMOVE; }
static UNUSED void turn(void)
{
    guint at_last = g_timeout_add(5, nothing, NULL);
    g_main_context_iteration(NULL, TRUE);
    GSource *source = g_main_context_find_source_by_id(NULL, at_last);
    if (source) g_source_destroy(source);
}
/* Runs the loop until the condition holds. */
#define WAIT_FOR(cond, ...) do { \
    gint64 until_ = now_ms() + patience_ms(); \
    while (!(cond)) { \
        if (now_ms() > until_) { fprintf(stderr, "  still not so: %s\n", #cond); FAIL(__VA_ARGS__); } \
        turn(); \
    } \
} while (0)
/* Runs the loop for a while, to see that something does not happen. */
static UNUSED void run_for(int ms)
{
    for (gint64 until = now_ms() + ms; now_ms() < until;) turn();
}

/* ---- the process ---- */

static UNUSED int open_descriptors(void)
{
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (readdir(dir)) count++;
    closedir(dir);
    return count - 3;
}
static UNUSED int threads(void)
{
    int count = 0;
    DIR *dir = opendir("/proc/self/task");
    while (readdir(dir)) count++;
    closedir(dir);
    return count - 2;
}
/* Whether this is the C library, of which is not asked what it is known to do wrong. */
static UNUSED int with_c_faults(void) { return getenv("TEST_C_FAULTS") != NULL; }
static UNUSED const char *given(const char *variable)
{
    const char *value = getenv(variable);
    CHECK(value && *value, "%s is not set: it is set by `cargo test -p spice-capi --test hosts`", variable);
    return value;
}
/* A port of 127.0.0.1 that is free now. */
static UNUSED int free_port(void)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof addr;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(!bind(fd, (struct sockaddr *)&addr, len) && !getsockname(fd, (struct sockaddr *)&addr, &len), "no free port");
    close(fd);
    return ntohs(addr.sin_port);
}

/* ---- servers ---- */

/* A server that will listen on a free port of 127.0.0.1 and lets in everybody. */
static UNUSED SpiceServer *prepare(int *port)
{
    SpiceServer *server = spice_server_new();
    CHECK(server, "spice_server_new");
    *port = free_port();
    EQUAL(spice_server_set_port(server, *port), 0, "set_port");
    spice_server_set_addr(server, "127.0.0.1", SPICE_ADDR_FLAG_IPV4_ONLY);
    EQUAL(spice_server_set_noauth(server), 0, "set_noauth");
    return server;
}
static UNUSED SpiceServer *serve(int *port)
{
    SpiceServer *server = prepare(port);
    EQUAL(spice_server_init(server, &core), 0, "init");
    return server;
}
/* One that nobody can come to: it needs no keys for tickets either, which take valgrind seconds to make. */
static UNUSED SpiceServer *serve_nowhere(void)
{
    SpiceServer *server = spice_server_new();
    CHECK(server, "spice_server_new");
    EQUAL(spice_server_set_noauth(server), 0, "set_noauth");
    EQUAL(spice_server_init(server, &core), 0, "init without anything to listen on");
    return server;
}

/* ---- cases ---- */

typedef struct Case { const char *name; void (*run)(void); } Case;

/* Runs all cases, or those that are named. What a case has to say comes before the line that says how it ended. */
static UNUSED int run_cases(const Case *cases, int count, int argc, char **argv)
{
    int failed = 0, ran = 0;
    const char *library = getenv("TEST_LIBRARY");
    /* The C library lets in several viewers at a time if it is asked to. */
    setenv("SPICE_DEBUG_ALLOW_MC", "1", 1);
    if (library && *library) {
        Dl_info info;
        CHECK(dladdr((void *)spice_server_new, &info), "no spice_server_new");
        char *real = realpath(info.dli_fname, NULL), *should = realpath(library, NULL);
        CHECK(real && should && !strcmp(real, should), "this runs on %s, not on %s", real, should);
        free(real);
        free(should);
    }
    for (int i = 0; i < count; i++) {
        int wanted = argc < 2;
        for (int n = 1; n < argc; n++) wanted |= !strcmp(argv[n], cases[i].name);
        if (!wanted) continue;
        ran++;
        gint64 begun = now_ms();
        pid_t pid = fork();
        if (!pid) {
            /* One that waits in the library for ever is ended, too. */
            alarm(4 * patience_ms() / 1000);
            host_thread = pthread_self();
            signal(SIGPIPE, SIG_DFL);
            cases[i].run();
            exit(0);
        }
        int status = 0;
        waitpid(pid, &status, 0);
        if (WIFSIGNALED(status)) fprintf(stderr, "  killed by signal %d (%s)\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
        failed += status != 0;
        fprintf(stderr, "  %s %s, %d ms\n", status ? "FAIL" : "ok  ", cases[i].name, (int)(now_ms() - begun));
    }
    CHECK(ran, "no such case");
    return failed ? 1 : 0;
}
#define CASE(function) { #function, function }
#define MAIN(...) \
    int main(int argc, char **argv) \
    { \
        static const Case cases[] = { __VA_ARGS__ }; \
        return run_cases(cases, COUNT(cases), argc, argv); \
    }
#endif
