/*
 * What is put between the C project's test programs and the libraries, by the linker's --wrap: servers listen on loopback
 * only, and where UPSTREAM_DEAF is in the environment nothing depends on the words of the log.
 */
#include <glib.h>
#include <spice.h>

SpiceServer *__real_spice_server_new(void);
SpiceServer *__wrap_spice_server_new(void);
void __real_g_test_init(int *argc, char ***argv, ...);
void __wrap_g_test_init(int *argc, char ***argv, ...);
void __real_g_test_expect_message(const char *domain, GLogLevelFlags level, const char *pattern);
void __wrap_g_test_expect_message(const char *domain, GLogLevelFlags level, const char *pattern);

SpiceServer *__wrap_spice_server_new(void)
{
    SpiceServer *server = __real_spice_server_new();

    if (server) {
        spice_server_set_addr(server, "127.0.0.1", 0);
    }
    return server;
}

static gboolean deaf(void)
{
    return g_getenv("UPSTREAM_DEAF") != NULL;
}

/* Under g_test a warning is fatal. */
void __wrap_g_test_init(int *argc, char ***argv, ...)
{
    __real_g_test_init(argc, argv, NULL);
    if (deaf()) {
        g_log_set_always_fatal(G_LOG_FATAL_MASK);
    }
}

/* Of the library's domain: what a test itself says in it at the level of a message stays expected. */
void __wrap_g_test_expect_message(const char *domain, GLogLevelFlags level, const char *pattern)
{
    if (!deaf() || level == G_LOG_LEVEL_MESSAGE) {
        __real_g_test_expect_message(domain, level, pattern);
    }
}
