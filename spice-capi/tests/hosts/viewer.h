/* A viewer on a blocking socket: links a channel, reads and says messages. */
#ifndef VIEWER_H
#define VIEWER_H
#include "host.h"
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <poll.h>
#include <spice/protocol.h>

typedef struct Viewer { int fd; uint32_t session; uint8_t type; } Viewer;
typedef struct Message { uint16_t type; uint32_t size; uint8_t body[1 << 16]; } Message;

/* The host's loop has to turn while a viewer waits: the viewer's socket is looked at in between. */
static int readable(int fd, int ms) {
    gint64 until = g_get_monotonic_time() + ms * 1000;
    struct pollfd poll_fd = { fd, POLLIN, 0 };
    do {
        while (g_main_context_iteration(NULL, FALSE)) {}
        if (poll(&poll_fd, 1, 5) > 0) return 1;
    } while (g_get_monotonic_time() < until);
    return 0;
}
/* 0 at the end of the connection. */
static int read_all(int fd, void *into, size_t len) {
    for (size_t got = 0; got < len;) {
        CHECK(readable(fd, 10000), "nothing comes in 10 s");
        ssize_t n = recv(fd, (char *)into + got, len - got, 0);
        if (n <= 0) return 0;
        got += n;
    }
    return 1;
}
static int dial(int port) {
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&addr, sizeof addr)) { close(fd); return -1; }
    return fd;
}
static void encrypt_ticket(const uint8_t *key, const char *password, uint8_t *out) {
    const unsigned char *at = key;
    EVP_PKEY *public = d2i_PUBKEY(NULL, &at, SPICE_TICKET_PUBKEY_BYTES);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(public, NULL);
    size_t len = 128;
    CHECK(public && EVP_PKEY_encrypt_init(ctx) > 0 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0
          && EVP_PKEY_encrypt(ctx, out, &len, (const uint8_t *)password, strlen(password) + 1) > 0, "ticket");
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(public);
}
/* Links a channel over a connection; answers the link's result (SPICE_LINK_ERR_*). */
static int link_over(Viewer *viewer, int fd, uint8_t type, uint8_t id, uint32_t session, const char *password, uint32_t caps) {
    struct __attribute__((packed)) { SpiceLinkHeader header; SpiceLinkMess mess; uint32_t caps[2]; } hello;
    memset(&hello, 0, sizeof hello);
    memcpy(&hello.header.magic, "REDQ", 4);
    hello.header.major_version = 2;
    hello.header.minor_version = 2;
    hello.header.size = sizeof hello - sizeof hello.header;
    hello.mess.connection_id = session;
    hello.mess.channel_type = type;
    hello.mess.channel_id = id;
    hello.mess.num_common_caps = 1;
    hello.mess.num_channel_caps = 1;
    hello.mess.caps_offset = sizeof hello.mess;
    hello.caps[0] = 1 << SPICE_COMMON_CAP_PROTOCOL_AUTH_SELECTION | 1 << SPICE_COMMON_CAP_AUTH_SPICE;
    hello.caps[1] = caps;
    CHECK(send(fd, &hello, sizeof hello, MSG_NOSIGNAL) == sizeof hello, "link");
    SpiceLinkHeader header;
    SpiceLinkReply reply;
    uint8_t rest[256], ticket[128];
    uint32_t mechanism = SPICE_COMMON_CAP_AUTH_SPICE, result;
    if (!read_all(fd, &header, sizeof header) || !read_all(fd, &reply, sizeof reply)) return -1;
    CHECK(header.size >= sizeof reply && header.size - sizeof reply <= sizeof rest, "reply of %u bytes", header.size);
    if (!read_all(fd, rest, header.size - sizeof reply)) return -1;
    if (reply.error) return reply.error;
    encrypt_ticket(reply.pub_key, password, ticket);
    CHECK(send(fd, &mechanism, 4, MSG_NOSIGNAL) == 4 && send(fd, ticket, 128, MSG_NOSIGNAL) == 128, "ticket");
    if (!read_all(fd, &result, 4)) return -1;
    viewer->fd = fd;
    viewer->session = session;
    viewer->type = type;
    return result;
}
static int try_link(Viewer *viewer, int port, uint8_t type, uint32_t session, const char *password) {
    int fd = dial(port);
    CHECK(fd >= 0, "nobody listens on %d", port);
    int result = link_over(viewer, fd, type, 0, session, password, type == SPICE_CHANNEL_MAIN ? 1 << SPICE_MAIN_CAP_NAME_AND_UUID | 1 << SPICE_MAIN_CAP_AGENT_CONNECTED_TOKENS | 1 << SPICE_MAIN_CAP_SEMI_SEAMLESS_MIGRATE : ~0u);
    if (result) close(fd);
    return result;
}
static Message message;
/* The next message; 0 at the end of the connection. */
static int next_message(Viewer *viewer) {
    SpiceDataHeader header;
    if (!read_all(viewer->fd, &header, sizeof header)) return 0;
    message.type = header.type;
    message.size = header.size;
    if (header.size > sizeof message.body) {
        /* A picture: of no interest here. */
        for (uint32_t left = header.size; left;) {
            uint32_t part = MIN(left, sizeof message.body);
            if (!read_all(viewer->fd, message.body, part)) return 0;
            left -= part;
        }
        return 1;
    }
    return read_all(viewer->fd, message.body, header.size);
}
static void say(Viewer *viewer, uint16_t type, const void *body, uint32_t size) {
    static uint64_t serial;
    SpiceDataHeader header = { .serial = ++serial, .type = type, .size = size };
    CHECK(send(viewer->fd, &header, sizeof header, MSG_NOSIGNAL) == sizeof header, "header");
    if (size) CHECK(send(viewer->fd, body, size, MSG_NOSIGNAL) == (ssize_t)size, "body");
}
/* Reads up to a message of this type; pings are answered on the way. */
static int await(Viewer *viewer, uint16_t type) {
    while (next_message(viewer)) {
        if (message.type == SPICE_MSG_PING) say(viewer, SPICE_MSGC_PONG, message.body, 12);
        if (message.type == type) return 1;
    }
    return 0;
}
/* A session: its main channel, which has been greeted and told of its channels. */
static Viewer join(int port, const char *password) {
    Viewer viewer;
    int result = try_link(&viewer, port, SPICE_CHANNEL_MAIN, 0, password);
    CHECK(!result, "link error %d", result);
    CHECK(await(&viewer, SPICE_MSG_MAIN_INIT), "no init");
    memcpy(&viewer.session, message.body, 4);
    return viewer;
}
static Viewer attach(int port, Viewer *main_viewer, uint8_t type, uint8_t id, const char *password) {
    Viewer viewer;
    int fd = dial(port);
    int result = link_over(&viewer, fd, type, id, main_viewer->session, password, ~0u);
    CHECK(!result, "channel %d: link error %d", type, result);
    return viewer;
}
/* Whether the other end closes the connection. */
static int is_closed(Viewer *viewer) {
    while (next_message(viewer)) {}
    return 1;
}
static void leave(Viewer *viewer) { shutdown(viewer->fd, SHUT_RDWR); close(viewer->fd); }
#endif
