/* Viewers: what the host hears of them, and connections that it accepts itself. */
#include "viewer.h"

static int connected, initialized, disconnected, wrong_thread;
static SpiceChannelEventInfo *known[16];

static void on_event(int event, SpiceChannelEventInfo *info) {
    if (!pthread_equal(pthread_self(), host_thread)) wrong_thread = 1;
    if (event == SPICE_CHANNEL_EVENT_CONNECTED) connected++;
    if (event == SPICE_CHANNEL_EVENT_INITIALIZED) {
        initialized++;
        for (int i = 0; i < 16; i++) if (!known[i]) { known[i] = info; break; }
        CHECK(info->flags & SPICE_CHANNEL_EVENT_FLAG_ADDR_EXT, "no long addresses");
    }
    if (event == SPICE_CHANNEL_EVENT_DISCONNECTED) {
        disconnected++;
        for (int i = 0; i < 16; i++) if (known[i] == info) known[i] = NULL;
    }
}
static int now_known(void) { int n = 0; for (int i = 0; i < 16; i++) n += known[i] != NULL; return n; }

int main(void) {
    host_begin();
    core.channel_event = on_event;
    int port, pair[2];
    SpiceServer *server = spice_server_new();
    port = free_port();
    spice_server_set_port(server, port);
    spice_server_set_addr(server, "127.0.0.1", 0);
    CHECK(!spice_server_set_ticket(server, "secret", 0, 0, 0), "ticket");
    spice_server_set_name(server, "desktop");
    spice_server_set_uuid(server, (const uint8_t *)"0123456789abcdef");
    CHECK(!spice_server_init(server, &core), "init");
    Guest *guest = guest_new(server, 0);

    Viewer viewer = join(port, "secret");
    CHECK(await(&viewer, SPICE_MSG_MAIN_NAME), "name");
    CHECK(message.size >= 4 + 7 && !memcmp(message.body + 4, "desktop", 7), "another name");
    CHECK(await(&viewer, SPICE_MSG_MAIN_UUID), "uuid");
    CHECK(!memcmp(message.body, "0123456789abcdef", 16), "another uuid");
    WAIT_FOR(initialized == 1 && spice_server_get_num_clients(server) == 1);
    struct sockaddr_in *peer = (struct sockaddr_in *)&known[0]->paddr_ext, own;
    socklen_t len = sizeof own;
    getsockname(viewer.fd, (struct sockaddr *)&own, &len);
    CHECK(known[0]->type == SPICE_CHANNEL_MAIN && peer->sin_family == AF_INET && peer->sin_port == own.sin_port, "the viewer's address");
    CHECK(ntohs(((struct sockaddr_in *)&known[0]->laddr_ext)->sin_port) == port, "the server's address");
    CHECK(!(known[0]->flags & SPICE_CHANNEL_EVENT_FLAG_TLS), "no TLS");

    say(&viewer, SPICE_MSGC_MAIN_ATTACH_CHANNELS, NULL, 0);
    CHECK(await(&viewer, SPICE_MSG_MAIN_CHANNELS_LIST), "channels");
    uint32_t count;
    memcpy(&count, message.body, 4);
    int seen = 0;
    for (uint32_t i = 0; i < count; i++) seen |= 1 << message.body[4 + i * 2];
    CHECK(seen & 1 << SPICE_CHANNEL_DISPLAY && seen & 1 << SPICE_CHANNEL_CURSOR && seen & 1 << SPICE_CHANNEL_INPUTS, "%x", seen);
    Viewer inputs = attach(port, &viewer, SPICE_CHANNEL_INPUTS, 0, "secret");
    WAIT_FOR(initialized == 2);
    CHECK(known[0]->connection_id == known[1]->connection_id, "one session");
    leave(&inputs);
    WAIT_FOR(now_known() == 1);

    /* Connections of the host, with and without a password. */
    Viewer given;
    CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "pair");
    CHECK(!spice_server_add_client(server, pair[0], 1), "add_client");
    CHECK(!link_over(&given, pair[1], SPICE_CHANNEL_MAIN, 0, 0, "whatever", 0), "skip_auth");
    WAIT_FOR(spice_server_get_num_clients(server) == 2);
    CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "pair");
    CHECK(!spice_server_add_client(server, pair[0], 0), "add_client");
    Viewer refused;
    CHECK(link_over(&refused, pair[1], SPICE_CHANNEL_MAIN, 0, 0, "wrong", 0) == SPICE_LINK_ERR_PERMISSION_DENIED, "a wrong password");
    close(pair[1]);
    /* There is no certificate: the socket stays the host's. */
    CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "pair");
    CHECK(spice_server_add_ssl_client(server, pair[0], 1) == -1, "TLS without a certificate");
    CHECK(fcntl(pair[0], F_GETFD) >= 0, "the socket is closed");
    close(pair[0]);
    close(pair[1]);
    CHECK(spice_server_add_client(server, -1, 1) == -1, "no socket");

    /* One that breaks off in the middle of what it is sent is no end of the host. */
    static uint32_t memory[640 * 480];
    create_primary(guest, memory, 640, 480, 640 * 4);
    GPtrArray *commands = g_ptr_array_new_with_free_func((GDestroyNotify)command_free);
    for (int i = 0; i < 20; i++) {
        Viewer display = attach(port, &viewer, SPICE_CHANNEL_DISPLAY, 0, "secret");
        struct __attribute__((packed)) { uint8_t cache_id; int64_t cache; uint8_t dictionary_id; int32_t window; } init = { 1, 1 << 20, 1, 1 << 20 };
        say(&display, SPICE_MSGC_DISPLAY_INIT, &init, sizeof init);
        CHECK(await(&display, SPICE_MSG_DISPLAY_SURFACE_CREATE), "surface");
        for (int n = 0; n < 50; n++) {
            Command *command = fill(0, n, n, n + 100, n + 100, i << 16 | n);
            g_ptr_array_add(commands, command);
            give(guest, command);
        }
        struct linger at_once = { 1, 0 };
        setsockopt(display.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(display.fd);
        run_for(10);
    }
    spice_qxl_destroy_primary_surface(&guest->qxl, 0);
    WAIT_FOR(g_atomic_int_get(&guest->released) == (gint)commands->len);
    g_ptr_array_unref(commands);
    initialized -= 20;
    leave(&given);
    leave(&viewer);
    WAIT_FOR(spice_server_get_num_clients(server) == 0 && now_known() == 0);
    CHECK(initialized == 3 && disconnected >= 23 && connected >= 23, "%d %d %d", connected, initialized, disconnected);
    CHECK(!wrong_thread, "told on another thread");
    spice_server_remove_interface(&guest->qxl.base);
    spice_server_destroy(server);
    guest_free(guest);
    return 0;
}
