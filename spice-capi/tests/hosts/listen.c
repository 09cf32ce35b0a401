/* Where a server listens: a port, a TLS port, both, a Unix socket, nowhere; and a port that is taken. The certificate and
 * its key come as arguments. */
#include "viewer.h"
#include <openssl/ssl.h>

static int knock(int port) {
    Viewer viewer;
    int result = try_link(&viewer, port, SPICE_CHANNEL_MAIN, 0, "");
    if (!result) leave(&viewer);
    return result;
}
/* A TLS handshake on a thread of its own, as the host's loop has to turn meanwhile. */
static void *shake(void *arg) {
    int fd = GPOINTER_TO_INT(arg), version = 0;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);
    SSL_set_fd(ssl, fd);
    if (SSL_connect(ssl) == 1) version = SSL_version(ssl);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return GINT_TO_POINTER(version);
}
static int shakes(int port) {
    pthread_t thread;
    void *version;
    int fd = dial(port);
    CHECK(fd >= 0, "nobody listens on %d", port);
    pthread_create(&thread, NULL, shake, GINT_TO_POINTER(fd));
    while (pthread_tryjoin_np(thread, &version)) run_for(10);
    close(fd);
    /* A link that has not ended when its server does is more than the C library survives. */
    run_for(100);
    return GPOINTER_TO_INT(version);
}

int main(int argc, char **argv) {
    CHECK(argc == 3, "usage: listen certificate key");
    host_begin();
    if (!on_c_library()) {
        /* A key that cannot be read is no reason to go on without TLS. */
        SpiceServer *without = spice_server_new();
        CHECK(spice_server_set_tls(without, free_port(), argv[1], argv[1], argv[2], "password", NULL, NULL) == -1, "an encrypted key");
        CHECK(spice_server_init(without, &core) == -1, "a server without the TLS that was asked for");
        spice_server_destroy(without);
    }
    int port = free_port(), tls = free_port();
    SpiceServer *server = spice_server_new();
    CHECK(spice_server_set_port(server, -1) == -1 && spice_server_set_port(server, 65536) == -1, "no port");
    CHECK(!spice_server_set_port(server, port), "port");
    spice_server_set_addr(server, "127.0.0.1", 0);
    spice_server_set_noauth(server);
    CHECK(!spice_server_set_tls(server, tls, argv[1], argv[1], argv[2], NULL, NULL, NULL), "TLS");
    CHECK(!spice_server_init(server, &core), "init");
    CHECK(!knock(port), "in the clear");
    CHECK(shakes(tls) >= TLS1_2_VERSION, "by TLS");
    CHECK(spice_server_set_channel_security(server, "nonsense", SPICE_CHANNEL_SECURITY_SSL) == -1, "no such channel");
    CHECK(!spice_server_set_channel_security(server, "main", SPICE_CHANNEL_SECURITY_SSL), "main by TLS only");
    CHECK(knock(port) == SPICE_LINK_ERR_NEED_SECURED, "main in the clear");
    run_for(100);
    /* The port is taken. */
    SpiceServer *second = spice_server_new();
    spice_server_set_port(second, port);
    spice_server_set_addr(second, "127.0.0.1", 0);
    spice_server_set_noauth(second);
    CHECK(spice_server_init(second, &core) == -1, "a port twice");
    /* The C library does not survive the end of a server that has not begun. */
    if (!on_c_library()) spice_server_destroy(second);
    spice_server_destroy(server);
    CHECK(dial(port) < 0, "still there");

    server = spice_server_new();
    tls = free_port();
    CHECK(!spice_server_set_tls(server, tls, argv[1], argv[1], argv[2], NULL, NULL, NULL), "TLS");
    spice_server_set_addr(server, "127.0.0.1", 0);
    spice_server_set_noauth(server);
    CHECK(!spice_server_init(server, &core), "TLS alone");
    CHECK(shakes(tls) >= TLS1_2_VERSION, "by TLS");
    spice_server_destroy(server);

    server = spice_server_new();
    char path[] = "/tmp/spice-host-XXXXXX/socket";
    path[strlen(path) - 7] = 0;
    CHECK(mkdtemp(path), "no directory");
    path[strlen(path)] = '/';
    spice_server_set_addr(server, path, SPICE_ADDR_FLAG_UNIX_ONLY);
    spice_server_set_noauth(server);
    CHECK(!spice_server_init(server, &core), "a Unix socket");
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    strcpy(addr.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(!connect(fd, (struct sockaddr *)&addr, sizeof addr), "%s", path);
    Viewer viewer;
    CHECK(!link_over(&viewer, fd, SPICE_CHANNEL_MAIN, 0, 0, "", 0), "by the Unix socket");
    leave(&viewer);
    spice_server_destroy(server);
    unlink(path);
    *strrchr(path, '/') = 0;
    rmdir(path);
    return 0;
}
