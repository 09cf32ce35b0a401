/* Where a server listens: a port, a TLS port, both, a Unix socket, a socket of the host, nowhere; and a port that is taken. */
#include "client.h"

static char *certificate(const char *name) { return g_build_filename(given("TEST_CERTIFICATES"), name, NULL); }
static int set_tls_with(SpiceServer *server, int port, const char *name)
{
    char *authority = certificate("ca.pem"), *chain = certificate(name), *key = certificate("key.pem");
    int result = spice_server_set_tls(server, port, authority, chain, key, NULL, NULL, NULL);
    g_free(authority);
    g_free(chain);
    g_free(key);
    return result;
}
static int set_tls(SpiceServer *server, int port) { return set_tls_with(server, port, "certificate.pem"); }
static SpiceServer *begin(void)
{
    SpiceServer *server = spice_server_new();
    spice_server_set_addr(server, "127.0.0.1", 0);
    spice_server_set_noauth(server);
    return server;
}
static int nobody_at(int port) { int fd = dial(port); if (fd >= 0) close(fd); return fd < 0; }
static const Link a_main = { .type = SPICE_CHANNEL_MAIN, .caps = MAIN_CAPS };
/* The whole way to INIT, in the clear. */
static void come_plain(int port)
{
    Channel *c = open_channel(port, a_main);
    greeted(c);
    hang_up(c);
}
static void come_by_tls(int port)
{
    Channel *c = channel_new(dial(port));
    char *authority = certificate("ca.pem");
    CHECK(shake_hands(c, authority), "no handshake of TLS, or another certificate");
    CHECK(SSL_version(c->ssl) >= TLS1_2_VERSION, "an old version of TLS: %s", SSL_get_version(c->ssl));
    X509 *peer = SSL_get1_peer_certificate(c->ssl);
    char name[256] = "";
    CHECK(peer, "no certificate");
    X509_NAME_oneline(X509_get_subject_name(peer), name, sizeof name);
    CHECK(strstr(name, "CN=127.0.0.1"), "the certificate of %s", name);
    X509_free(peer);
    EQUAL(link_channel(c, a_main), 0, "link by TLS");
    greeted(c);
    hang_up(c);
    g_free(authority);
}
static void end(SpiceServer *server)
{
    WAIT_FOR(spice_server_get_num_clients(server) == 0, "viewers that have left are still counted");
    run_for(50);
    spice_server_destroy(server);
}

static void a_port(void)
{
    SpiceServer *server = begin();
    int port = free_port();
    EQUAL(spice_server_set_port(server, -1), -1, "-1 is no port");
    EQUAL(spice_server_set_port(server, 65536), -1, "65536 is no port");
    EQUAL(spice_server_set_port(server, port), 0, "port");
    CHECK(nobody_at(port), "it listens before it is initialised");
    EQUAL(spice_server_init(server, &core), 0, "init");
    come_plain(port);
    come_plain(port);
    end(server);
    CHECK(nobody_at(port), "it listens after its end");
}
static void a_tls_port(void)
{
    SpiceServer *server = begin();
    int port = free_port();
    EQUAL(set_tls(server, port), 0, "TLS");
    EQUAL(spice_server_init(server, &core), 0, "init");
    come_by_tls(port);
    come_by_tls(port);
    end(server);
    CHECK(nobody_at(port), "it listens after its end");
}
static void both_ports(void)
{
    SpiceServer *server = begin();
    int port = free_port(), tls = free_port();
    EQUAL(spice_server_set_port(server, port), 0, "port");
    EQUAL(set_tls(server, tls), 0, "TLS");
    EQUAL(spice_server_init(server, &core), 0, "init");
    come_plain(port);
    come_by_tls(tls);
    end(server);
}
/* `openssl x509 -req` without extensions, which is what SPICE's manual has, makes certificates of version 1. */
static void a_certificate_of_version_1(void)
{
    SpiceServer *server = begin();
    int port = free_port();
    EQUAL(set_tls_with(server, port, "certificate-v1.pem"), 0, "TLS");
    EQUAL(spice_server_init(server, &core), 0, "init");
    come_by_tls(port);
    end(server);
}
static void what_tls_takes(void)
{
    SpiceServer *server = begin();
    char *authority = certificate("ca.pem"), *chain = certificate("certificate.pem"), *key = certificate("key.pem");
    EQUAL(spice_server_set_tls(server, 0, authority, chain, key, NULL, NULL, NULL), -1, "port 0");
    EQUAL(spice_server_set_tls(server, -1, authority, chain, key, NULL, NULL, NULL), -1, "port -1");
    EQUAL(spice_server_set_tls(server, 65536, authority, chain, key, NULL, NULL, NULL), -1, "port 65536");
    EQUAL(spice_server_set_tls(server, 1, NULL, chain, key, NULL, NULL, NULL), -1, "no authority");
    EQUAL(spice_server_set_tls(server, 1, authority, NULL, key, NULL, NULL, NULL), -1, "no certificate");
    EQUAL(spice_server_set_tls(server, 1, authority, chain, NULL, NULL, NULL, NULL), -1, "no key");
    EQUAL(spice_server_set_tls(server, free_port(), authority, chain, key, NULL, NULL, NULL), 0, "all of it");
    spice_server_destroy(server);
    /* Files that are not there are found out by init. */
    server = begin();
    EQUAL(spice_server_set_tls(server, free_port(), "/nonexistent/ca", "/nonexistent/chain", "/nonexistent/key", NULL, NULL, NULL), 0, "files are not looked at yet");
    EQUAL(spice_server_init(server, &core), -1, "init without its certificate");
    if (!with_c_faults()) spice_server_destroy(server);
    g_free(authority);
    g_free(chain);
    g_free(key);
}
/* Whatever is wrong with the files, a server that cannot do TLS does not begin; hosts look at what comes of init alone. */
static void files_that_are_not_what_they_should_be(void)
{
    static const struct { const char *chain, *key, *word; } bad[] = {
        { "certificate.pem", "nonexistent", NULL }, { "nonexistent", "key.pem", NULL }, { "key.pem", "key.pem", NULL },
        { "certificate.pem", "certificate.pem", NULL }, { "certificate.pem", "key-encrypted.pem", "wrong" },
    };
    char *authority = certificate("ca.pem");
    for (int i = 0; i < COUNT(bad); i++) {
        SpiceServer *server = begin();
        char *chain = certificate(bad[i].chain), *key = certificate(bad[i].key);
        spice_server_set_tls(server, free_port(), authority, chain, key, bad[i].word, NULL, NULL);
        EQUAL(spice_server_init(server, &core), -1, bad[i].key);
        if (!with_c_faults()) spice_server_destroy(server);
        g_free(chain);
        g_free(key);
    }
    g_free(authority);
}
/* The C library asks for the word; here a key that cannot be read is no reason to go on without TLS. */
static void an_encrypted_key(void)
{
    SpiceServer *server = begin();
    char *authority = certificate("ca.pem"), *chain = certificate("certificate.pem"), *key = certificate("key-encrypted.pem");
    EQUAL(spice_server_set_tls(server, free_port(), authority, chain, key, "password", NULL, NULL), with_c_faults() ? 0 : -1, "an encrypted key");
    EQUAL(spice_server_init(server, &core), with_c_faults() ? 0 : -1, "init with it");
    spice_server_destroy(server);
    g_free(authority);
    g_free(chain);
    g_free(key);
}
/* Channels that only TLS may carry are told so, and those that may not come by it. */
static void security_of_channels(void)
{
    SpiceServer *server = begin();
    int port = free_port(), tls = free_port();
    EQUAL(spice_server_set_port(server, port), 0, "port");
    EQUAL(set_tls(server, tls), 0, "TLS");
    EQUAL(spice_server_set_channel_security(server, "main", SPICE_CHANNEL_SECURITY_SSL), 0, "main by TLS");
    EQUAL(spice_server_set_channel_security(server, "nonsense", SPICE_CHANNEL_SECURITY_SSL), -1, "no such channel");
    EQUAL(spice_server_init(server, &core), 0, "init");
    EQUAL(knock(port, a_main), SPICE_LINK_ERR_NEED_SECURED, "main in the clear");
    come_by_tls(tls);
    EQUAL(spice_server_set_channel_security(server, "main", SPICE_CHANNEL_SECURITY_NONE), 0, "main in the clear only");
    come_plain(port);
    Channel *c = channel_new(dial(tls));
    char *authority = certificate("ca.pem");
    CHECK(shake_hands(c, authority), "TLS");
    EQUAL(link_channel(c, a_main), SPICE_LINK_ERR_NEED_UNSECURED, "main by TLS");
    hang_up(c);
    g_free(authority);
    EQUAL(spice_server_set_channel_security(server, "main", SPICE_CHANNEL_SECURITY_NONE | SPICE_CHANNEL_SECURITY_SSL), 0, "main by either");
    come_plain(port);
    come_by_tls(tls);
    /* The same for all channels that nothing is said of. */
    EQUAL(spice_server_set_channel_security(server, NULL, SPICE_CHANNEL_SECURITY_SSL), 0, "all by TLS");
    come_plain(port);
    c = open_channel(port, a_main);
    greeted(c);
    EQUAL(knock(port, (Link){ .type = SPICE_CHANNEL_INPUTS, .session = c->session }), SPICE_LINK_ERR_NEED_SECURED, "inputs in the clear");
    hang_up(c);
    end(server);
}
static void a_unix_socket(void)
{
    SpiceServer *server = begin();
    char *path = g_build_filename(given("TEST_SCRATCH"), "socket", NULL);
    spice_server_set_addr(server, path, SPICE_ADDR_FLAG_UNIX_ONLY);
    for (int i = 0; i < 2; i++) {
        if (i) {
            server = begin();
            spice_server_set_addr(server, path, SPICE_ADDR_FLAG_UNIX_ONLY);
        }
        EQUAL(spice_server_init(server, &core), 0, "init");
        Channel *c = channel_new(dial_unix(path));
        EQUAL(link_channel(c, a_main), 0, "link by a Unix socket");
        greeted(c);
        hang_up(c);
        end(server);
        CHECK(dial_unix(path) < 0, "it listens after its end");
    }
    unlink(path);
    g_free(path);
}
/* A socket that somebody has left behind is no obstacle. */
static void a_unix_socket_that_was_left(void)
{
    struct sockaddr_un left = { .sun_family = AF_UNIX };
    char *path = g_build_filename(given("TEST_SCRATCH"), "left", NULL), *nowhere = g_build_filename(given("TEST_SCRATCH"), "none", "socket", NULL);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    g_strlcpy(left.sun_path, path, sizeof left.sun_path);
    CHECK(!bind(fd, (struct sockaddr *)&left, sizeof left), "bind");
    close(fd);
    SpiceServer *server = begin();
    spice_server_set_addr(server, path, SPICE_ADDR_FLAG_UNIX_ONLY);
    EQUAL(spice_server_init(server, &core), 0, "init");
    Channel *c = channel_new(dial_unix(path));
    EQUAL(link_channel(c, a_main), 0, "link by a Unix socket");
    greeted(c);
    hang_up(c);
    end(server);
    server = begin();
    spice_server_set_addr(server, nowhere, SPICE_ADDR_FLAG_UNIX_ONLY);
    EQUAL(spice_server_init(server, &core), -1, "init in a folder that is not there");
    if (!with_c_faults()) spice_server_destroy(server);
    unlink(path);
    g_free(path);
    g_free(nowhere);
}
/* One that has no file. */
static void an_abstract_socket(void)
{
    SpiceServer *server = begin();
    char *name = g_strdup_printf("@spice-hosts-%d", getpid());
    spice_server_set_addr(server, name, SPICE_ADDR_FLAG_UNIX_ONLY);
    EQUAL(spice_server_init(server, &core), 0, "init");
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    strcpy(addr.sun_path + 1, name + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(!connect(fd, (struct sockaddr *)&addr, offsetof(struct sockaddr_un, sun_path) + strlen(name)), "%s: %s", name, strerror(errno));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    Channel *c = channel_new(fd);
    EQUAL(link_channel(c, a_main), 0, "link by an abstract socket");
    greeted(c);
    hang_up(c);
    g_free(name);
    end(server);
}
static int dial_v6(int port)
{
    struct sockaddr_in6 addr = { .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    if (connect(fd, (struct sockaddr *)&addr, sizeof addr)) { close(fd); return -1; }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}
static int has_v6(void)
{
    struct sockaddr_in6 addr = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    int fd = socket(AF_INET6, SOCK_STREAM, 0), has = fd >= 0 && !bind(fd, (struct sockaddr *)&addr, sizeof addr);
    if (fd >= 0) close(fd);
    return has;
}
static void addresses_by_family(void)
{
    int port = free_port();
    SpiceServer *server = begin();
    spice_server_set_port(server, port);
    spice_server_set_addr(server, "localhost", SPICE_ADDR_FLAG_IPV4_ONLY);
    EQUAL(spice_server_init(server, &core), 0, "init by IPv4 only");
    come_plain(port);
    EQUAL(dial_v6(port), -1, "by IPv6, where only IPv4 is");
    end(server);
    if (has_v6()) {
        server = begin();
        spice_server_set_port(server, port);
        spice_server_set_addr(server, "::1", 0);
        EQUAL(spice_server_init(server, &core), 0, "init by IPv6");
        Channel *c = channel_new(dial_v6(port));
        EQUAL(link_channel(c, a_main), 0, "link by IPv6");
        greeted(c);
        hang_up(c);
        CHECK(nobody_at(port), "by IPv4, where only IPv6 is");
        end(server);
    }
    static const struct { const char *addr; int flags; } bad[] = { { "127.0.0.1", SPICE_ADDR_FLAG_IPV6_ONLY }, { "no such name", 0 } };
    for (int i = 0; i < COUNT(bad); i++) {
        server = begin();
        spice_server_set_port(server, port);
        spice_server_set_addr(server, bad[i].addr, bad[i].flags);
        EQUAL(spice_server_init(server, &core), -1, bad[i].addr);
        if (!with_c_faults()) spice_server_destroy(server);
    }
}
/* A server that cannot listen says so, and can be destroyed; the C library does not survive that. */
static void a_port_that_is_taken(void)
{
    SpiceServer *first = begin(), *second = begin(), *third = begin();
    int port = free_port();
    spice_server_set_port(first, port);
    spice_server_set_port(second, port);
    EQUAL(spice_server_init(first, &core), 0, "init");
    EQUAL(spice_server_init(second, &core), -1, "init on a port that is taken");
    EQUAL(set_tls(third, port), 0, "TLS");
    EQUAL(spice_server_init(third, &core), -1, "init with a TLS port that is taken");
    if (!with_c_faults()) {
        spice_server_destroy(second);
        spice_server_destroy(third);
    }
    come_plain(port);
    end(first);
}
static void an_address_that_is_not_here(void)
{
    SpiceServer *server = begin();
    spice_server_set_port(server, free_port());
    spice_server_set_addr(server, "192.0.2.1", 0);
    EQUAL(spice_server_init(server, &core), -1, "init on the address of another machine");
    if (!with_c_faults()) spice_server_destroy(server);
}
static void a_socket_of_the_host(void)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof addr;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(!bind(fd, (struct sockaddr *)&addr, len) && !getsockname(fd, (struct sockaddr *)&addr, &len) && !listen(fd, 5), "a listening socket");
    SpiceServer *server = begin();
    EQUAL(spice_server_set_listen_socket_fd(server, fd), 0, "the host's own socket");
    EQUAL(spice_server_init(server, &core), 0, "init");
    come_plain(ntohs(addr.sin_port));
    CHECK(fcntl(fd, F_GETFD) >= 0, "it has closed the host's socket");
    end(server);
}
static void nowhere(void)
{
    SpiceServer *server = serve_nowhere();
    run_for(20);
    spice_server_destroy(server);
}
/* What is not SPICE is told so, or hung up on; and those after it are served. */
static void what_is_not_spice(void)
{
    int port;
    SpiceServer *server = serve(&port);
    struct { const char *what; size_t size; const void *bytes; } cases[] = {
        { "HTTP without a WebSocket", 18, "GET / HTTP/1.0\r\n\r\n" },
        { "VNC", 12, "RFB 003.008\n" },
        { "zeroes", 32, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" },
        { "another magic", 16, "REDX\x02\0\0\0\x02\0\0\0\x12\0\0\0" },
        { "another major version", 16, "REDQ\x09\0\0\0\x02\0\0\0\x12\0\0\0" },
        { "a link of 4 GB", 16, "REDQ\x02\0\0\0\x02\0\0\0\xff\xff\xff\xff" },
        { "a link of no bytes", 16, "REDQ\x02\0\0\0\x02\0\0\0\0\0\0\0" },
    };
    for (int i = 0; i < COUNT(cases); i++) {
        Channel *c = channel_new(dial(port));
        uint8_t answer[512];
        int size = 0;
        send_all(c, cases[i].bytes, cases[i].size);
        /* An answer may come first; the end has to. */
        for (;;) {
            CHECK(readable(c, patience_ms()), "%s: neither an answer nor an end", cases[i].what);
            ssize_t n = recv(c->fd, answer + MIN(size, 256), 256, 0);
            if (n <= 0) break;
            size += n;
        }
        if (!strcmp(cases[i].what, "another major version") && size) {
            SpiceLinkReply reply;
            CHECK(size >= (int)(sizeof(SpiceLinkHeader) + 4), "half an answer");
            memcpy(&reply.error, answer + sizeof(SpiceLinkHeader), 4);
            EQUAL(reply.error, SPICE_LINK_ERR_VERSION_MISMATCH, "what another version is told");
        }
        hang_up(c);
        come_plain(port);
    }
    end(server);
}
/* What speaks in the clear at the TLS port, or by TLS at the other one, is no end of those who do it right. */
static void the_wrong_port(void)
{
    SpiceServer *server = begin();
    int port = free_port(), tls = free_port();
    EQUAL(spice_server_set_port(server, port), 0, "port");
    EQUAL(set_tls(server, tls), 0, "TLS");
    EQUAL(spice_server_init(server, &core), 0, "init");
    for (int i = 0; i < 2; i++) {
        Channel *c = channel_new(dial(tls));
        send_all(c, "REDQ\2\0\0\0\2\0\0\0\x16\0\0\0", 16);
        run_for(20);
        uint8_t first = 0;
        if (readable(c, 100) && recv(c->fd, &first, 1, 0) == 1) CHECK(first != 'R', "it answers in the clear at the TLS port");
        hang_up(c);
        come_by_tls(tls);
        c = channel_new(dial(port));
        send_all(c, "\x16\3\1\2\0\1\0\1\xfc\3\3", 11);
        run_for(20);
        hang_up(c);
        come_plain(port);
    }
    end(server);
}
/* A link that comes byte by byte is as good as another. */
static void byte_by_byte(void)
{
    int port, pair[2];
    SpiceServer *server = serve(&port);
    Channel *c = channel_new(dial(port));
    CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "pair");
    struct PACKED { SpiceLinkHeader header; SpiceLinkMess mess; uint32_t common; } hello = {
        .header = { SPICE_MAGIC, 2, 2, sizeof(SpiceLinkMess) + 4 },
        .mess = { .channel_type = SPICE_CHANNEL_MAIN, .num_common_caps = 1, .caps_offset = sizeof(SpiceLinkMess) },
        .common = 1 << SPICE_COMMON_CAP_PROTOCOL_AUTH_SELECTION | 1 << SPICE_COMMON_CAP_AUTH_SPICE,
    };
    for (size_t i = 0; i < sizeof hello; i++) {
        send_all(c, (char *)&hello + i, 1);
        run_for(1);
    }
    SpiceLinkHeader header;
    SpiceLinkReply reply;
    EQUAL(receive_all(c, &header, sizeof header, patience_ms()), 1, "answer");
    EQUAL(receive_all(c, &reply, sizeof reply, patience_ms()), 1, "answer");
    EQUAL(reply.error, 0, "error");
    hang_up(c);
    /* Another is served while one is in the middle of its link. */
    c = channel_new(dial(port));
    send_all(c, "REDQ", 4);
    run_for(20);
    come_plain(port);
    hang_up(c);
    close(pair[0]);
    close(pair[1]);
    end(server);
}
static void links_that_are_refused(void)
{
    int port;
    SpiceServer *server = serve(&port);
    Channel *c = open_channel(port, a_main);
    greeted(c);
    EQUAL(knock(port, (Link){ .type = SPICE_CHANNEL_INPUTS, .session = c->session + 1 }), SPICE_LINK_ERR_BAD_CONNECTION_ID, "no such session");
    /* Channels that are not there: a word of it, or none. */
    const Link missing[] = { { .type = SPICE_CHANNEL_PLAYBACK }, { .type = SPICE_CHANNEL_INPUTS, .id = 7 }, { .type = 200 } };
    for (int i = 0; i < COUNT(missing); i++) {
        Link link = missing[i];
        link.session = c->session;
        int error = knock(port, link);
        CHECK(error == SPICE_LINK_ERR_CHANNEL_NOT_AVAILABLE || error == -1, "channel %d:%d: %d", link.type, link.id, error);
    }
    CHECK(stays(c, 50), "the session has ended with a refused link");
    hang_up(c);
    end(server);
}

MAIN(CASE(a_port), CASE(a_tls_port), CASE(both_ports), CASE(a_certificate_of_version_1), CASE(what_tls_takes),
     CASE(files_that_are_not_what_they_should_be), CASE(an_encrypted_key), CASE(security_of_channels), CASE(a_unix_socket),
     CASE(a_unix_socket_that_was_left), CASE(an_abstract_socket), CASE(addresses_by_family), CASE(a_port_that_is_taken),
     CASE(an_address_that_is_not_here), CASE(a_socket_of_the_host), CASE(nowhere), CASE(what_is_not_spice), CASE(the_wrong_port),
     CASE(byte_by_byte), CASE(links_that_are_refused))
