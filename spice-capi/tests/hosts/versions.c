/* Every function is there under its name and its version, there are no others of the library's name, and the file calls itself
 * as hosts look for it. */
#include "host.h"

static char library[PATH_MAX];
static char *nodes[256], *names[256];
static int count;

static void list(void)
{
    Dl_info info;
    CHECK(dladdr((void *)spice_server_new, &info), "no library");
    g_strlcpy(library, info.dli_fname, sizeof library);
    char *text, **lines;
    CHECK(g_file_get_contents(given("TEST_EXPORTS"), &text, NULL, NULL), "%s", given("TEST_EXPORTS"));
    lines = g_strsplit(text, "\n", -1);
    for (int i = 0; lines[i]; i++) {
        char **words = g_strsplit(lines[i], " ", 2);
        if (words[0] && words[1] && count < COUNT(nodes)) {
            nodes[count] = g_strdup(words[0]);
            names[count++] = g_strdup(words[1]);
        }
        g_strfreev(words);
    }
    g_strfreev(lines);
    g_free(text);
    EQUAL(count, 97, "functions in the list");
}
static void every_function_is_found(void)
{
    list();
    void *handle = dlopen(library, RTLD_NOW | RTLD_NOLOAD);
    CHECK(handle, "%s: %s", library, dlerror());
    for (int i = 0; i < count; i++) {
        void *with = dlvsym(handle, names[i], nodes[i]), *without = dlsym(handle, names[i]);
        CHECK(with, "no %s@%s", names[i], nodes[i]);
        CHECK(without == with, "%s is something else than %s@%s", names[i], names[i], nodes[i]);
        Dl_info info;
        CHECK(dladdr(with, &info) && !strcmp(info.dli_fname, library), "%s is not of %s", names[i], library);
        CHECK(!dlvsym(handle, names[i], "SPICE_SERVER_99.9.9"), "%s is of any version", names[i]);
    }
    dlclose(handle);
}
static char *said_by(const char *command)
{
    char *line = g_strdup_printf("objdump %s '%s'", command, library), *out = NULL;
    const char *argv[] = { "sh", "-c", line, NULL };
    CHECK(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL, NULL, NULL) && out, "%s", line);
    g_free(line);
    return out;
}
static void there_are_no_others(void)
{
    list();
    int seen[256] = { 0 };
    char *text = said_by("-T"), **lines = g_strsplit(text, "\n", -1);
    for (int i = 0; lines[i]; i++) {
        /* address, flags, section, size, version, name */
        char **words = g_strsplit_set(lines[i], " \t", -1), *version = NULL, *name = NULL;
        int undefined = 0;
        for (int w = 0; words[w]; w++) {
            undefined |= !strcmp(words[w], "*UND*");
            if (strstr(words[w], "SPICE_SERVER_")) version = g_strstrip(g_strdelimit(words[w], "()", ' '));
            if (*words[w]) name = words[w];
        }
        if (!undefined && name && version && name != version && g_str_has_prefix(name, "spice_")) {
            int found = 0;
            for (int n = 0; n < count; n++) if (!strcmp(names[n], name) && !strcmp(nodes[n], version)) { found = 1; seen[n]++; }
            CHECK(found, "%s@%s is not in the list", name, version);
        }
        CHECK(undefined || !name || !g_str_has_prefix(name, "spice_") || version, "%s has no version", name);
        g_strfreev(words);
    }
    for (int n = 0; n < count; n++) EQUAL(seen[n], 1, names[n]);
    g_strfreev(lines);
    g_free(text);
}
static void its_name(void)
{
    list();
    char *text = said_by("-p"), *at = strstr(text, "SONAME");
    CHECK(at, "no SONAME");
    at += strlen("SONAME");
    at += strspn(at, " \t");
    CHECK(g_str_has_prefix(at, "libspice-server.so.1\n"), "%.40s", at);
    g_free(text);
}

MAIN(CASE(every_function_is_found), CASE(there_are_no_others), CASE(its_name))
