/* Viewers: what the host hears of them, connections that the host accepts itself, and how many there may be. */
#include "client.h"
#include "guest.h"

/* What the host has been told, in order. */
typedef struct Heard { int event; SpiceChannelEventInfo *info, copy; } Heard;
static Heard heard[512];
static int heard_count;

static void on_event(int event, SpiceChannelEventInfo *info)
{
    on_host_thread("channel_event");
    CHECK(info, "an event without information");
    CHECK(heard_count < COUNT(heard), "events without end");
    heard[heard_count++] = (Heard){ event, info, *info };
}
static int events(int event, int type)
{
    int count = 0;
    for (int i = 0; i < heard_count; i++) count += heard[i].event == event && (!type || heard[i].copy.type == type);
    return count;
}
/* The how many-th such event. */
static Heard *find(int event, int type, int which)
{
    for (int i = 0; i < heard_count; i++)
        if (heard[i].event == event && heard[i].copy.type == type && !which--) return &heard[i];
    return NULL;
}
static SpiceServer *server;
static int port;

static void begin(void)
{
    core.channel_event = on_event;
    server = serve(&port);
}
static void nobody_is_left(void)
{
    WAIT_FOR(spice_server_get_num_clients(server) == 0, "%d viewers are counted, and nobody is here", spice_server_get_num_clients(server));
    WAIT_FOR(events(SPICE_CHANNEL_EVENT_DISCONNECTED, 0) == events(SPICE_CHANNEL_EVENT_CONNECTED, 0), "%d channels have come and %d gone",
             events(SPICE_CHANNEL_EVENT_CONNECTED, 0), events(SPICE_CHANNEL_EVENT_DISCONNECTED, 0));
}
static void end(void)
{
    nobody_is_left();
    spice_server_destroy(server);
}

static void what_the_host_hears(void)
{
    begin();
    Channel *viewer = join(port);
    WAIT_FOR(events(SPICE_CHANNEL_EVENT_INITIALIZED, SPICE_CHANNEL_MAIN) == 1, "INITIALIZED of the main channel");
    WAIT_FOR(spice_server_get_num_clients(server) == 1, "a viewer is here and not counted");
    Channel *inputs = attach(port, viewer, SPICE_CHANNEL_INPUTS, 0, 0);
    WAIT_FOR(events(SPICE_CHANNEL_EVENT_INITIALIZED, SPICE_CHANNEL_INPUTS) == 1, "INITIALIZED of the inputs channel");
    EQUAL(spice_server_get_num_clients(server), 1, "viewers");
    EQUAL(events(SPICE_CHANNEL_EVENT_CONNECTED, 0), 2, "CONNECTED");
    EQUAL(events(SPICE_CHANNEL_EVENT_DISCONNECTED, 0), 0, "DISCONNECTED");
    Heard *main_ = find(SPICE_CHANNEL_EVENT_INITIALIZED, SPICE_CHANNEL_MAIN, 0), *inputs_ = find(SPICE_CHANNEL_EVENT_INITIALIZED, SPICE_CHANNEL_INPUTS, 0);
    EQUAL(main_->copy.id, 0, "id");
    EQUAL((uint32_t)main_->copy.connection_id, viewer->session, "session");
    EQUAL((uint32_t)inputs_->copy.connection_id, viewer->session, "session");
    CHECK(main_->info != inputs_->info, "two channels have the same information");
    for (int i = 0; i < heard_count; i++) {
        EQUAL(heard[i].copy.flags & SPICE_CHANNEL_EVENT_FLAG_TLS, 0, "flag of TLS");
        CHECK(heard[i].copy.flags & SPICE_CHANNEL_EVENT_FLAG_ADDR_EXT, "long addresses");
    }
    hang_up(inputs);
    WAIT_FOR(events(SPICE_CHANNEL_EVENT_DISCONNECTED, 0) == 1, "DISCONNECTED of the inputs channel");
    EQUAL(spice_server_get_num_clients(server), 1, "viewers");
    hang_up(viewer);
    nobody_is_left();
    run_for(50);
    /* In order, once each, and about the same place in memory from INITIALIZED on: hosts keep it. */
    int types[] = { SPICE_CHANNEL_MAIN, SPICE_CHANNEL_INPUTS };
    for (int i = 0; i < 2; i++) {
        EQUAL(events(SPICE_CHANNEL_EVENT_INITIALIZED, types[i]), 1, "INITIALIZED");
        EQUAL(events(SPICE_CHANNEL_EVENT_DISCONNECTED, types[i]), 1, "DISCONNECTED");
        Heard *then = find(SPICE_CHANNEL_EVENT_INITIALIZED, types[i], 0), *last = find(SPICE_CHANNEL_EVENT_DISCONNECTED, types[i], 0);
        CHECK(then < last, "the order of a channel's events");
        /* Of what kind it is need not be known as it connects. */
        int connected = 0;
        for (Heard *before = heard; before < then; before++) connected += before->event == SPICE_CHANNEL_EVENT_CONNECTED;
        CHECK(connected > i, "a channel that has not connected is initialised");
        CHECK(then->info == last->info, "DISCONNECTED has other information than INITIALIZED");
        EQUAL((uint32_t)last->copy.connection_id, (uint32_t)then->copy.connection_id, "session at the end");
    }
    spice_server_destroy(server);
}
static void addresses(void)
{
    begin();
    Channel *viewer = join(port);
    WAIT_FOR(events(SPICE_CHANNEL_EVENT_INITIALIZED, 0) == 1, "INITIALIZED");
    SpiceChannelEventInfo *info = find(SPICE_CHANNEL_EVENT_INITIALIZED, SPICE_CHANNEL_MAIN, 0)->info;
    struct sockaddr_in own, peer, local;
    socklen_t len = sizeof own;
    getsockname(viewer->fd, (struct sockaddr *)&own, &len);
    memcpy(&peer, &info->paddr_ext, sizeof peer);
    memcpy(&local, &info->laddr_ext, sizeof local);
    EQUAL(info->plen_ext, sizeof peer, "length of the viewer's address");
    EQUAL(info->llen_ext, sizeof local, "length of the server's address");
    EQUAL(peer.sin_family, AF_INET, "family");
    EQUAL(peer.sin_port, own.sin_port, "the viewer's port");
    EQUAL(peer.sin_addr.s_addr, own.sin_addr.s_addr, "the viewer's address");
    EQUAL(ntohs(local.sin_port), port, "the server's port");
    EQUAL(ntohl(local.sin_addr.s_addr), INADDR_LOOPBACK, "the server's address");
    /* The shorter ones of before. */
    CHECK(!memcmp(&info->paddr, &info->paddr_ext, sizeof info->paddr) && info->plen == info->plen_ext, "the viewer's short address");
    CHECK(!memcmp(&info->laddr, &info->laddr_ext, sizeof info->laddr) && info->llen == info->llen_ext, "the server's short address");
    hang_up(viewer);
    end();
}
static void who_is_refused_does_not_initialise(void)
{
    core.channel_event = on_event;
    server = prepare(&port);
    EQUAL(spice_server_set_ticket(server, "secret", 0, 0, 0), 0, "ticket");
    EQUAL(spice_server_init(server, &core), 0, "init");
    EQUAL(knock(port, (Link){ .type = SPICE_CHANNEL_MAIN, .password = "wrong" }), SPICE_LINK_ERR_PERMISSION_DENIED, "a wrong ticket");
    Channel *silent_one = channel_new(dial(port));
    run_for(100);
    EQUAL(spice_server_get_num_clients(server), 0, "viewers that are refused");
    EQUAL(events(SPICE_CHANNEL_EVENT_INITIALIZED, 0), 0, "INITIALIZED of who is refused");
    hang_up(silent_one);
    end();
}
static void by_tls(void)
{
    core.channel_event = on_event;
    server = prepare(&port);
    int tls = free_port();
    char *path[3];
    const char *names[] = { "ca.pem", "certificate.pem", "key.pem" };
    for (int i = 0; i < 3; i++) path[i] = g_build_filename(given("TEST_CERTIFICATES"), names[i], NULL);
    EQUAL(spice_server_set_tls(server, tls, path[0], path[1], path[2], NULL, NULL, NULL), 0, "TLS");
    EQUAL(spice_server_init(server, &core), 0, "init");
    Channel *c = channel_new(dial(tls));
    CHECK(shake_hands(c, path[0]), "TLS");
    EQUAL(link_channel(c, (Link){ .type = SPICE_CHANNEL_MAIN }), 0, "link");
    greeted(c);
    WAIT_FOR(events(SPICE_CHANNEL_EVENT_INITIALIZED, 0) == 1, "INITIALIZED");
    CHECK(find(SPICE_CHANNEL_EVENT_INITIALIZED, SPICE_CHANNEL_MAIN, 0)->copy.flags & SPICE_CHANNEL_EVENT_FLAG_TLS, "the flag of TLS is missing");
    hang_up(c);
    /* By a socket that the host has accepted. */
    int fd = dial(tls), listener = socket(AF_INET, SOCK_STREAM, 0);
    close(fd);
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof addr;
    CHECK(!bind(listener, (struct sockaddr *)&addr, len) && !getsockname(listener, (struct sockaddr *)&addr, &len) && !listen(listener, 1), "a socket of the host");
    fd = dial(ntohs(addr.sin_port));
    int accepted = accept(listener, NULL, NULL);
    EQUAL(spice_server_add_ssl_client(server, accepted, 0), 0, "add_ssl_client");
    c = channel_new(fd);
    CHECK(shake_hands(c, path[0]), "TLS by a socket that the host has accepted");
    EQUAL(link_channel(c, (Link){ .type = SPICE_CHANNEL_MAIN }), 0, "link by a socket that the host has accepted");
    greeted(c);
    hang_up(c);
    close(listener);
    for (int i = 0; i < 3; i++) g_free(path[i]);
    end();
}

/* ---- sockets of the host ---- */

static void tickets_of_the_hosts_sockets(int family)
{
    core.channel_event = on_event;
    server = prepare(&port);
    EQUAL(spice_server_set_ticket(server, "secret", 0, 0, 0), 0, "ticket");
    EQUAL(spice_server_init(server, &core), 0, "init");
    for (int skip = 0; skip < 2; skip++)
        for (int right = 0; right < 2; right++) {
            int pair[2];
            if (family == AF_UNIX) {
                CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "pair");
                fcntl(pair[1], F_SETFL, O_NONBLOCK);
            } else {
                struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
                socklen_t len = sizeof addr;
                int listener = socket(AF_INET, SOCK_STREAM, 0);
                CHECK(!bind(listener, (struct sockaddr *)&addr, len) && !getsockname(listener, (struct sockaddr *)&addr, &len) && !listen(listener, 1), "a socket of the host");
                pair[1] = dial(ntohs(addr.sin_port));
                pair[0] = accept(listener, NULL, NULL);
                close(listener);
            }
            EQUAL(spice_server_add_client(server, pair[0], skip), 0, "add_client");
            Channel *c = channel_new(pair[1]);
            int result = link_channel(c, (Link){ .type = SPICE_CHANNEL_MAIN, .password = right ? "secret" : "wrong", .caps = MAIN_CAPS });
            EQUAL(result, skip || right ? SPICE_LINK_ERR_OK : SPICE_LINK_ERR_PERMISSION_DENIED, "link by a socket of the host");
            if (!result) {
                greeted(c);
                WAIT_FOR(spice_server_get_num_clients(server) == 1, "not counted");
                /* That ticket is for this connection alone. */
                if (skip && !right)
                    EQUAL(knock(port, (Link){ .type = SPICE_CHANNEL_INPUTS, .session = c->session, .password = "wrong" }), SPICE_LINK_ERR_PERMISSION_DENIED, "another channel of the session, by the port");
            }
            hang_up(c);
            nobody_is_left();
            /* The socket has become the server's, which has closed it. */
            WAIT_FOR(fcntl(pair[0], F_GETFD) < 0, "a socket that was given to the server is still open");
        }
    spice_server_destroy(server);
}
static void sockets_of_the_host(void) { tickets_of_the_hosts_sockets(AF_UNIX); }
static void tcp_sockets_of_the_host(void) { tickets_of_the_hosts_sockets(AF_INET); }

static void a_failure_leaves_the_socket(void)
{
    int pair[2];
    core.channel_event = on_event;
    server = prepare(&port);
    signal(SIGPIPE, SIG_IGN);
    char *path[3];
    const char *names[] = { "ca.pem", "certificate.pem", "key.pem" };
    for (int i = 0; i < 3; i++) path[i] = g_build_filename(given("TEST_CERTIFICATES"), names[i], NULL);
    EQUAL(spice_server_set_tls(server, free_port(), path[0], path[1], path[2], NULL, NULL, NULL), 0, "TLS");
    EQUAL(spice_server_init(server, &core), 0, "init");
    /* Who has hung up already. */
    CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "pair");
    close(pair[1]);
    EQUAL(spice_server_add_ssl_client(server, pair[0], 1), -1, "TLS with somebody who has hung up");
    run_for(50);
    EQUAL(close(pair[0]), 0, "the socket is the host's, when it fails");
    EQUAL(spice_server_add_client(server, -1, 1), -1, "no socket");
    EQUAL(spice_server_add_ssl_client(server, -1, 1), -1, "no socket");
    EQUAL(spice_server_add_client(server, 1000, 1), -1, "a descriptor that is none");
    for (int i = 0; i < 3; i++) g_free(path[i]);
    end();
}

/* Without a certificate there is no TLS, and the socket is good for another try. */
static void tls_without_a_certificate(void)
{
    int pair[2];
    begin();
    CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "pair");
    fcntl(pair[1], F_SETFL, O_NONBLOCK);
    EQUAL(spice_server_add_ssl_client(server, pair[0], 1), -1, "TLS without a certificate");
    CHECK(fcntl(pair[0], F_GETFD) >= 0, "the socket is the host's, when it fails");
    EQUAL(spice_server_add_client(server, pair[0], 1), 0, "the same socket in the clear");
    Channel *c = channel_new(pair[1]);
    EQUAL(link_channel(c, (Link){ .type = SPICE_CHANNEL_MAIN }), 0, "link");
    greeted(c);
    /* The host hears of it with addresses of its kind. */
    WAIT_FOR(events(SPICE_CHANNEL_EVENT_INITIALIZED, 0) == 1, "INITIALIZED");
    SpiceChannelEventInfo info = find(SPICE_CHANNEL_EVENT_INITIALIZED, SPICE_CHANNEL_MAIN, 0)->copy;
    CHECK(info.flags & SPICE_CHANNEL_EVENT_FLAG_ADDR_EXT, "long addresses");
    EQUAL(info.paddr_ext.ss_family, AF_UNIX, "family of the viewer's address");
    EQUAL(info.laddr_ext.ss_family, AF_UNIX, "family of the server's address");
    hang_up(c);
    end();
}
/* A host that wants to hear nothing. */
static void nobody_to_tell(void)
{
    SpiceCoreInterface silent_core = core;
    silent_core.base.minor_version = 2;
    silent_core.channel_event = NULL;
    server = prepare(&port);
    EQUAL(spice_server_init(server, &silent_core), 0, "init");
    Channel *viewer = join(port);
    WAIT_FOR(spice_server_get_num_clients(server) == 1, "not counted");
    hang_up(viewer);
    WAIT_FOR(spice_server_get_num_clients(server) == 0, "still counted");
    spice_server_destroy(server);
}

/* ---- who is told what ---- */

static void names(void)
{
    core.channel_event = on_event;
    server = prepare(&port);
    spice_server_set_name(server, "a desktop");
    spice_server_set_uuid(server, (const uint8_t *)"0123456789abcdef");
    EQUAL(spice_server_init(server, &core), 0, "init");
    Channel *viewer = join(port);
    AWAIT(viewer, SPICE_MSG_MAIN_NAME);
    EQUAL(u32_at(viewer->data), strlen("a desktop") + 1, "length of the name with its end");
    EQUAL(viewer->size, 4 + strlen("a desktop") + 1, "size of NAME");
    CHECK(!memcmp(viewer->data + 4, "a desktop", 10), "another name");
    AWAIT(viewer, SPICE_MSG_MAIN_UUID);
    EQUAL(viewer->size, 16, "size of UUID");
    CHECK(!memcmp(viewer->data, "0123456789abcdef", 16), "another UUID");
    hang_up(viewer);
    nobody_is_left();
    /* Who does not know of them is told nothing. */
    viewer = open_channel(port, (Link){ .type = SPICE_CHANNEL_MAIN });
    greeted(viewer);
    CHECK(silent(viewer, SPICE_MSG_MAIN_NAME, 100), "a name for a viewer that does not know of names");
    hang_up(viewer);
    nobody_is_left();
    spice_server_set_name(server, "another");
    viewer = join(port);
    AWAIT(viewer, SPICE_MSG_MAIN_NAME);
    CHECK(!memcmp(viewer->data + 4, "another", 8), "the name before");
    hang_up(viewer);
    end();
}
static void lists_of_channels(void)
{
    begin();
    Guest *first = guest_added(server, 0), *second = guest_added(server, 1);
    create_primary(first, 64, 64);
    Channel *viewer = join(port);
    say(viewer, SPICE_MSGC_MAIN_ATTACH_CHANNELS, NULL, 0);
    AWAIT(viewer, SPICE_MSG_MAIN_CHANNELS_LIST);
    uint64_t ids;
    EQUAL(offered(viewer, SPICE_CHANNEL_DISPLAY, &ids), 2, "displays");
    EQUAL(ids, 3, "displays 0 and 1");
    EQUAL(offered(viewer, SPICE_CHANNEL_CURSOR, &ids), 2, "cursors");
    EQUAL(ids, 3, "cursors 0 and 1");
    EQUAL(offered(viewer, SPICE_CHANNEL_INPUTS, &ids), 1, "inputs");
    EQUAL(offered(viewer, SPICE_CHANNEL_PLAYBACK, &ids), 0, "sound, of which there is none");
    /* One that comes later. */
    Guest *third = guest_added(server, 2);
    for (uint64_t displays = 0, cursors = 0; !(displays & cursors & 4);) {
        AWAIT(viewer, SPICE_MSG_MAIN_CHANNELS_LIST);
        offered(viewer, SPICE_CHANNEL_DISPLAY, &ids);
        displays |= ids;
        offered(viewer, SPICE_CHANNEL_CURSOR, &ids);
        cursors |= ids;
    }
    hang_up(viewer);
    nobody_is_left();
    guest_remove(third);
    viewer = join(port);
    say(viewer, SPICE_MSGC_MAIN_ATTACH_CHANNELS, NULL, 0);
    AWAIT(viewer, SPICE_MSG_MAIN_CHANNELS_LIST);
    EQUAL(offered(viewer, SPICE_CHANNEL_DISPLAY, &ids), 2, "displays, when one has gone");
    hang_up(viewer);
    nobody_is_left();
    guest_remove(first);
    guest_remove(second);
    spice_server_destroy(server);
    guest_free(first);
    guest_free(second);
    guest_free(third);
}

/* ---- one, or several ---- */

static void a_second_viewer(void)
{
    begin();
    Channel *first = join(port), *inputs = attach(port, first, SPICE_CHANNEL_INPUTS, 0, 0);
    WAIT_FOR(spice_server_get_num_clients(server) == 1, "not counted");
    Channel *second = join(port);
    CHECK(first->session != second->session, "two sessions have the same number");
    WAIT_FOR(spice_server_get_num_clients(server) == 2, "%d are counted", spice_server_get_num_clients(server));
    CHECK(stays(first, 100) && stays(second, 50), "one has made the other go");
    /* A session's main channel takes the others of it along. */
    hang_up(first);
    WAIT_FOR(spice_server_get_num_clients(server) == 1, "%d are counted", spice_server_get_num_clients(server));
    CHECK(ends(inputs), "a channel of a session that has ended");
    hang_up(inputs);
    CHECK(stays(second, 50), "one has left, and the other was sent away");
    hang_up(second);
    end();
}
/* The old behaviour, by SPICE_MAX_CLIENTS=1, and what the C library does if it is not asked for several viewers. */
static void one_at_a_time(void)
{
    unsetenv("SPICE_DEBUG_ALLOW_MC");
    setenv("SPICE_MAX_CLIENTS", "1", 1);
    begin();
    Channel *first = join(port);
    WAIT_FOR(spice_server_get_num_clients(server) == 1, "not counted");
    Channel *second = join(port);
    CHECK(ends(first), "the first one stays");
    hang_up(first);
    WAIT_FOR(spice_server_get_num_clients(server) == 1, "%d are counted", spice_server_get_num_clients(server));
    CHECK(stays(second, 50), "the second one was sent away, too");
    hang_up(second);
    end();
}
static void many_come_and_go(void)
{
    begin();
    int descriptors = open_descriptors();
    for (int i = 0; i < 30; i++) {
        Channel *viewer = join(port), *inputs = i % 3 ? attach(port, viewer, SPICE_CHANNEL_INPUTS, 0, 0) : NULL;
        if (i % 2) hang_up(inputs);
        hang_up(viewer);
        if (!(i % 2)) hang_up(inputs);
        nobody_is_left();
        heard_count = 0;
    }
    WAIT_FOR(open_descriptors() <= descriptors, "%d descriptors before thirty viewers, %d after them", descriptors, open_descriptors());
    end();
}
static void the_server_ends_with_viewers_in_it(void)
{
    begin();
    Channel *viewer = join(port), *inputs = attach(port, viewer, SPICE_CHANNEL_INPUTS, 0, 0);
    AWAIT(inputs, SPICE_MSG_INPUTS_INIT);
    spice_server_destroy(server);
    CHECK(ends(viewer) && ends(inputs), "a viewer of a server that has ended");
    hang_up(viewer);
    hang_up(inputs);
    EQUAL(watches, 0, "watches that are left");
    EQUAL(timers, 0, "timers that are left");
}
/* What no viewer says ends its session, not the host's, nor another's. */
static void nonsense(void)
{
    begin();
    for (int i = 0; i < 3; i++) {
        Channel *viewer = join(port), *inputs = attach(port, viewer, SPICE_CHANNEL_INPUTS, 0, 0);
        uint8_t junk[64];
        memset(junk, 0xa5, sizeof junk);
        if (i == 0) say(inputs, 60000, junk, sizeof junk);
        if (i == 1) say(inputs, SPICE_MSGC_INPUTS_MOUSE_MOTION, junk, 3);
        if (i == 2) send_all(inputs, (SpiceMiniDataHeader[1]){ { SPICE_MSGC_INPUTS_KEY_DOWN, 0xffffffff } }, sizeof(SpiceMiniDataHeader));
        CHECK(ends(inputs), "a channel that says nonsense (%d) goes on", i);
        hang_up(inputs);
        hang_up(viewer);
        nobody_is_left();
        heard_count = 0;
    }
    Channel *viewer = join(port);
    CHECK(stays(viewer, 50), "who comes next is sent away");
    hang_up(viewer);
    end();
}
/* The machine is told to end with its viewer. */
static void exit_on_disconnect(void)
{
    pid_t pid = fork();
    if (!pid) {
        host_thread = pthread_self();
        server = serve(&port);
        EQUAL(spice_server_set_exit_on_disconnect(server, 1), 0, "exit_on_disconnect");
        Channel *viewer = join(port);
        run_for(50);
        hang_up(viewer);
        WAIT_FOR(0, "the process goes on without its viewer");
    }
    int status = -1;
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the process has not ended as it should: %x", status);
}

MAIN(CASE(what_the_host_hears), CASE(addresses), CASE(who_is_refused_does_not_initialise), CASE(by_tls), CASE(sockets_of_the_host),
     CASE(tcp_sockets_of_the_host), CASE(a_failure_leaves_the_socket), CASE(tls_without_a_certificate), CASE(nobody_to_tell), CASE(names),
     CASE(lists_of_channels),
     CASE(a_second_viewer), CASE(one_at_a_time), CASE(many_come_and_go), CASE(the_server_ends_with_viewers_in_it), CASE(nonsense), CASE(exit_on_disconnect))
