/* A viewer that speaks SPICE over a raw socket, in the clear or by TLS, with full or mini headers. It waits on the host's
 * thread: while nothing comes, the host's loop turns. */
#ifndef CLIENT_H
#define CLIENT_H
#include "host.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <spice/protocol.h>

#define PACKED __attribute__((packed))

/* How a channel is to be linked. */
typedef struct Link {
    uint8_t type, id;
    uint32_t session;      /* 0: a new one */
    const char *password;  /* NULL is as "" */
    uint32_t caps;         /* of the channel */
    int mini;              /* mini headers, if the server has them, too */
    int no_auth_selection; /* as old viewers: the ticket right away */
} Link;

/* A linked channel, and the message that has been read last. */
typedef struct Channel {
    int fd;
    SSL *ssl;
    uint32_t session;
    int mini;
    uint32_t common_caps, caps; /* of the server */
    uint64_t serial, received;  /* of what was sent; how many messages have come */
    uint32_t window, unacked;
    uint16_t type;
    uint32_t size, room;
    uint8_t *data;
} Channel;

static UNUSED uint16_t u16_at(const void *at) { uint16_t v; memcpy(&v, at, 2); return v; }
static UNUSED uint32_t u32_at(const void *at) { uint32_t v; memcpy(&v, at, 4); return v; }
static UNUSED uint64_t u64_at(const void *at) { uint64_t v; memcpy(&v, at, 8); return v; }

/* ---- bytes ---- */

/* 1: there is something to read, or the end. 0: nothing came in time. */
static UNUSED int readable(Channel *c, int ms)
{
    struct pollfd at = { c->fd, POLLIN, 0 };
    for (gint64 until = now_ms() + ms;;) {
        for (int i = 0; i < 100 && g_main_context_iteration(NULL, FALSE); i++) { }
        if (c->ssl && SSL_pending(c->ssl)) return 1;
        if (poll(&at, 1, 2) > 0) return 1;
        if (now_ms() > until) return 0;
    }
}
/* 1: all has come. 0: the connection has ended. -1: it did not come in time. */
static UNUSED int receive_all(Channel *c, void *into, size_t size, int ms)
{
    for (size_t have = 0; have < size;) {
        if (!readable(c, ms)) return -1;
        ssize_t n;
        if (c->ssl) {
            n = SSL_read(c->ssl, (char *)into + have, size - have);
            if (n <= 0 && SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_READ) continue;
        } else {
            n = recv(c->fd, (char *)into + have, size - have, 0);
            if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        }
        if (n <= 0) return 0;
        have += n;
    }
    return 1;
}
/* 0: the connection has ended. */
static UNUSED int send_all(Channel *c, const void *from, size_t size)
{
    gint64 until = now_ms() + patience_ms();
    for (size_t sent = 0; sent < size;) {
        ssize_t n;
        int again;
        if (c->ssl) {
            n = SSL_write(c->ssl, (const char *)from + sent, size - sent);
            int error = n > 0 ? 0 : SSL_get_error(c->ssl, n);
            again = error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ;
        } else {
            n = send(c->fd, (const char *)from + sent, size - sent, MSG_NOSIGNAL);
            again = n < 0 && (errno == EAGAIN || errno == EINTR);
        }
        if (n > 0) { sent += n; continue; }
        if (!again) return 0;
        CHECK(now_ms() < until, "what a viewer sends is not read");
        turn();
    }
    return 1;
}

/* ---- connections ---- */

static UNUSED int dial(int port)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0, "socket: %s", strerror(errno));
    if (connect(fd, (struct sockaddr *)&addr, sizeof addr)) { close(fd); return -1; }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}
static UNUSED int dial_unix(const char *path)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_strlcpy(addr.sun_path, path, sizeof addr.sun_path);
    if (connect(fd, (struct sockaddr *)&addr, sizeof addr)) { close(fd); return -1; }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}
static UNUSED Channel *channel_new(int fd)
{
    Channel *c = g_new0(Channel, 1);
    CHECK(fd >= 0, "nobody listens there: %s", strerror(errno));
    c->fd = fd;
    return c;
}
static UNUSED void hang_up(Channel *c)
{
    if (!c) return;
    if (c->ssl) { SSL_shutdown(c->ssl); SSL_free(c->ssl); }
    shutdown(c->fd, SHUT_RDWR);
    close(c->fd);
    g_free(c->data);
    g_free(c);
}
/* The handshake of TLS: 1 if it ends well, with a certificate of that authority. */
static UNUSED int shake_hands(Channel *c, const char *authority)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    CHECK(context && SSL_CTX_load_verify_locations(context, authority, NULL) == 1, "the authority's certificate %s", authority);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    c->ssl = SSL_new(context);
    SSL_CTX_free(context);
    SSL_set_fd(c->ssl, c->fd);
    for (gint64 until = now_ms() + patience_ms(); now_ms() < until;) {
        int done = SSL_connect(c->ssl), error = SSL_get_error(c->ssl, done);
        if (done == 1) return 1;
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return 0;
        turn();
    }
    return 0;
}

/* ---- the link ---- */

static UNUSED void encrypt(const uint8_t *key, const void *secret, size_t size, uint8_t *out)
{
    const unsigned char *at = key;
    EVP_PKEY *public = d2i_PUBKEY(NULL, &at, SPICE_TICKET_PUBKEY_BYTES);
    CHECK(public, "the server's public key");
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(public, NULL);
    size_t len = SPICE_TICKET_KEY_PAIR_LENGTH / 8;
    CHECK(EVP_PKEY_encrypt_init(context) > 0 && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0
          && EVP_PKEY_encrypt(context, out, &len, secret, size) > 0, "the ticket");
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(public);
}
/* What the server answers to the first words: SPICE_LINK_ERR_*, or -1 if it hangs up. */
static UNUSED int greet(Channel *c, const Link *link, SpiceLinkReply *reply)
{
    struct PACKED { SpiceLinkHeader header; SpiceLinkMess mess; uint32_t common, caps; } hello = {
        .header = { .magic = SPICE_MAGIC, .major_version = SPICE_VERSION_MAJOR, .minor_version = SPICE_VERSION_MINOR,
                    .size = sizeof hello - sizeof hello.header },
        .mess = { .connection_id = link->session, .channel_type = link->type, .channel_id = link->id, .num_common_caps = 1,
                  .num_channel_caps = 1, .caps_offset = sizeof(SpiceLinkMess) },
        .caps = link->caps,
    };
    if (!link->no_auth_selection) hello.common |= 1 << SPICE_COMMON_CAP_PROTOCOL_AUTH_SELECTION | 1 << SPICE_COMMON_CAP_AUTH_SPICE;
    if (link->mini) hello.common |= 1 << SPICE_COMMON_CAP_MINI_HEADER;
    if (!send_all(c, &hello, sizeof hello)) return -1;
    SpiceLinkHeader header;
    int came = receive_all(c, &header, sizeof header, patience_ms());
    CHECK(came >= 0, "no answer to a link");
    if (!came) return -1;
    EQUAL(header.magic, SPICE_MAGIC, "magic of the link's answer");
    EQUAL(header.major_version, SPICE_VERSION_MAJOR, "major version of the link's answer");
    uint8_t body[4096];
    CHECK(header.size >= sizeof *reply && header.size <= sizeof body, "an answer of %u bytes", header.size);
    CHECK(receive_all(c, body, header.size, patience_ms()) == 1, "an answer that breaks off");
    memcpy(reply, body, sizeof *reply);
    if (reply->error) return reply->error;
    CHECK(reply->caps_offset + 4ull * (reply->num_common_caps + reply->num_channel_caps) <= header.size, "capabilities beyond the answer");
    if (reply->num_common_caps) c->common_caps = u32_at(body + reply->caps_offset);
    if (reply->num_channel_caps) c->caps = u32_at(body + reply->caps_offset + 4 * reply->num_common_caps);
    c->mini = link->mini && c->common_caps & 1 << SPICE_COMMON_CAP_MINI_HEADER;
    return 0;
}
/* The ticket, and the link's result. */
static UNUSED int show_ticket(Channel *c, const Link *link, const uint8_t *ticket)
{
    uint32_t mechanism = SPICE_COMMON_CAP_AUTH_SPICE, result;
    if (!link->no_auth_selection && !send_all(c, &mechanism, 4)) return -1;
    if (!send_all(c, ticket, SPICE_TICKET_KEY_PAIR_LENGTH / 8)) return -1;
    int came = receive_all(c, &result, 4, patience_ms());
    CHECK(came >= 0, "no result of a link");
    return came ? (int)result : -1;
}
/* The whole link: SPICE_LINK_ERR_*, or -1 if the server hangs up. */
static UNUSED int link_channel(Channel *c, Link link)
{
    SpiceLinkReply reply;
    uint8_t ticket[SPICE_TICKET_KEY_PAIR_LENGTH / 8];
    const char *password = link.password ? link.password : "";
    int error = greet(c, &link, &reply);
    if (error) return error;
    encrypt(reply.pub_key, password, strlen(password) + 1, ticket);
    c->session = link.session;
    return show_ticket(c, &link, ticket);
}

/* ---- messages ---- */

static UNUSED int say(Channel *c, uint16_t type, const void *body, uint32_t size)
{
    GByteArray *bytes = g_byte_array_new();
    if (c->mini) {
        SpiceMiniDataHeader header = { .type = type, .size = size };
        g_byte_array_append(bytes, (uint8_t *)&header, sizeof header);
    } else {
        SpiceDataHeader header = { .serial = ++c->serial, .type = type, .size = size };
        g_byte_array_append(bytes, (uint8_t *)&header, sizeof header);
    }
    if (size) g_byte_array_append(bytes, body, size);
    int sent = send_all(c, bytes->data, bytes->len);
    g_byte_array_unref(bytes);
    return sent;
}
/* Reads the next message: 1; 0 at the end; -1 if nothing comes in time. Pings and windows are answered. */
static UNUSED int listen_for(Channel *c, int ms)
{
    uint8_t head[sizeof(SpiceDataHeader)];
    size_t size = c->mini ? sizeof(SpiceMiniDataHeader) : sizeof(SpiceDataHeader);
    if (!readable(c, ms)) return -1;
    int came = receive_all(c, head, size, patience_ms());
    if (came != 1) return came;
    c->type = u16_at(head + (c->mini ? 0 : 8));
    c->size = u32_at(head + (c->mini ? 2 : 10));
    c->received++;
    if (!c->mini) EQUAL(u64_at(head), c->received, "serials count from 1");
    CHECK(c->size < 64 << 20, "a message of %u bytes", c->size);
    if (c->size > c->room) c->data = g_realloc(c->data, c->room = c->size);
    came = receive_all(c, c->data, c->size, patience_ms());
    if (came != 1) return came;
    if (c->type == SPICE_MSG_PING) say(c, SPICE_MSGC_PONG, c->data, 12);
    if (c->type == SPICE_MSG_SET_ACK) {
        c->window = u32_at(c->data + 4);
        c->unacked = 0;
        say(c, SPICE_MSGC_ACK_SYNC, c->data, 4);
    } else if (c->window && ++c->unacked >= c->window) {
        c->unacked = 0;
        say(c, SPICE_MSGC_ACK, NULL, 0);
    }
    return 1;
}
/* Reads up to a message of this type. */
static UNUSED void await_(Channel *c, uint16_t type, const char *what, const char *file, int line)
{
    for (gint64 until = now_ms() + patience_ms();;) {
        int came = listen_for(c, patience_ms());
        if (came == 1 && c->type == type) return;
        if (came == 1 && now_ms() < until) continue;
        fprintf(stderr, "  %s:%d: waits for message %d, %s: %s\n", file, line, type, what,
                came == 0 ? "the connection has ended" : "it does not come");
        _exit(1);
    }
}
#define AWAIT(c, type) await_(c, type, #type, __FILE__, __LINE__)
/* Whether no message of this type comes for a while. */
static UNUSED int silent(Channel *c, uint16_t type, int ms)
{
    for (gint64 until = now_ms() + ms; now_ms() < until;) {
        int came = listen_for(c, MAX(1, until - now_ms()));
        if (came == 0) return 1;
        if (came == 1 && c->type == type) return 0;
    }
    return 1;
}
/* Reads to the end of the connection: 1 if it comes. */
static UNUSED int ends(Channel *c)
{
    for (;;) {
        int came = listen_for(c, patience_ms());
        if (came <= 0) return came == 0;
    }
}
/* 1 if the server has not hung up after a while; what comes is read. */
static UNUSED int stays(Channel *c, int ms)
{
    for (gint64 until = now_ms() + ms; now_ms() < until;)
        if (listen_for(c, MAX(1, until - now_ms())) == 0) return 0;
    return 1;
}

/* ---- sessions ---- */

static UNUSED Channel *open_channel(int port, Link link)
{
    Channel *c = channel_new(dial(port));
    int error = link_channel(c, link);
    CHECK(!error, "channel %d: link error %d", link.type, error);
    return c;
}
/* A link's result alone. */
static UNUSED int knock(int port, Link link)
{
    Channel *c = channel_new(dial(port));
    int error = link_channel(c, link);
    hang_up(c);
    return error;
}
#define MAIN_CAPS (1 << SPICE_MAIN_CAP_NAME_AND_UUID | 1 << SPICE_MAIN_CAP_AGENT_CONNECTED_TOKENS)
/* Reads SPICE_MSG_MAIN_INIT, and keeps the session's id. */
typedef struct PACKED MainInit {
    uint32_t session, display_channels, supported_mouse_modes, current_mouse_mode, agent_connected, agent_tokens, mm_time, ram_hint;
} MainInit;
static UNUSED MainInit greeted(Channel *c)
{
    MainInit init;
    AWAIT(c, SPICE_MSG_MAIN_INIT);
    EQUAL(c->size, sizeof init, "size of INIT");
    memcpy(&init, c->data, sizeof init);
    c->session = init.session;
    CHECK(init.session, "a session without a number");
    return init;
}
/* A session: its main channel, which has been greeted. */
static UNUSED Channel *join(int port)
{
    Channel *c = open_channel(port, (Link){ .type = SPICE_CHANNEL_MAIN, .caps = MAIN_CAPS, .mini = 1 });
    greeted(c);
    return c;
}
static UNUSED Channel *attach(int port, Channel *main_channel, uint8_t type, uint8_t id, uint32_t caps)
{
    return open_channel(port, (Link){ .type = type, .id = id, .session = main_channel->session, .caps = caps, .mini = 1 });
}
/* A display channel that has said what it has room for. */
static UNUSED void begin_to_look(Channel *display)
{
    struct PACKED { uint8_t cache; int64_t size; uint8_t dictionary; int32_t window; } init = { 1, 1 << 20, 1, 1 << 20 };
    say(display, SPICE_MSGC_DISPLAY_INIT, &init, sizeof init);
}
static UNUSED Channel *look(int port, Channel *viewer, uint8_t id, uint32_t caps)
{
    Channel *display = attach(port, viewer, SPICE_CHANNEL_DISPLAY, id, caps);
    begin_to_look(display);
    return display;
}
/* The channels that a session is told of: how many of the type, and by the id as a bit which. */
static UNUSED int offered(Channel *list, uint8_t type, uint64_t *ids)
{
    int count = 0;
    uint32_t all = u32_at(list->data);
    EQUAL(list->size, 4 + 2 * all, "size of a list of channels");
    if (ids) *ids = 0;
    for (uint32_t i = 0; i < all; i++)
        if (list->data[4 + 2 * i] == type) {
            count++;
            if (ids) *ids |= 1ull << list->data[5 + 2 * i];
        }
    return count;
}
#endif
