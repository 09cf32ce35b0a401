/* Options: what is taken and what is refused, before a server is initialised and afterwards. */
#include "client.h"
#include "guest.h"

static SpiceServer *server;

/* Runs a case on a server that is not initialised, and then again when it is. */
static void twice(void (*run)(void))
{
    server = spice_server_new();
    run();
    EQUAL(spice_server_init(server, &core), 0, "init");
    run();
    spice_server_destroy(server);
}

static void images_(void)
{
    for (int i = SPICE_IMAGE_COMPRESSION_OFF; i <= SPICE_IMAGE_COMPRESSION_LZ4; i++) {
        EQUAL(spice_server_set_image_compression(server, i), 0, "a compression");
        EQUAL(spice_server_get_image_compression(server), i, "what was set");
    }
}
static void image_compression(void)
{
    server = spice_server_new();
    EQUAL(spice_server_get_image_compression(server), SPICE_IMAGE_COMPRESSION_AUTO_GLZ, "the compression that nobody has set");
    spice_server_destroy(server);
    twice(images_);
}
static void wan_(void)
{
    for (int i = SPICE_WAN_COMPRESSION_AUTO; i <= SPICE_WAN_COMPRESSION_NEVER; i++) {
        EQUAL(spice_server_set_jpeg_compression(server, i), 0, "JPEG");
        EQUAL(spice_server_set_zlib_glz_compression(server, i), 0, "zlib over GLZ");
    }
}
static void wan_compression(void) { twice(wan_); }
static void video_(void)
{
    for (int i = SPICE_STREAM_VIDEO_OFF; i <= SPICE_STREAM_VIDEO_FILTER; i++) EQUAL(spice_server_set_streaming_video(server, i), 0, "a kind of streaming");
    EQUAL(spice_server_set_streaming_video(server, SPICE_STREAM_VIDEO_INVALID), -1, "no kind of streaming");
    EQUAL(spice_server_set_streaming_video(server, SPICE_STREAM_VIDEO_FILTER + 1), -1, "no kind of streaming");
    EQUAL(spice_server_set_streaming_video(server, -1), -1, "no kind of streaming");
}
static void streaming_video(void) { twice(video_); }
static void codecs_(void)
{
    const char *list = spice_server_get_video_codecs(server);
    CHECK(list, "no list of codecs");
    char *kept = g_strdup(list);
    spice_server_free_video_codecs(server, list);
    /* A list that has nothing known in it changes nothing. */
    static const char *const bad[] = { "", "nonsense", "spice:nonsense", "nonsense:mjpeg", ";;;", "spice" };
    for (int i = 0; i < COUNT(bad); i++) EQUAL(spice_server_set_video_codecs(server, bad[i]), -1, bad[i]);
    list = spice_server_get_video_codecs(server);
    CHECK(!strcmp(list, kept), "%s has become %s", kept, list);
    spice_server_free_video_codecs(server, list);
    EQUAL(spice_server_set_video_codecs(server, ";;spice:mjpeg;;nonsense:mjpeg;"), 0, "one that is known among others");
    list = spice_server_get_video_codecs(server);
    CHECK(strstr(list, "spice:mjpeg"), "%s is not what was set", list);
    spice_server_free_video_codecs(server, list);
    /* What is answered can be set, if it is something. */
    if (*kept) {
        EQUAL(spice_server_set_video_codecs(server, kept), 0, "the list that it has");
        list = spice_server_get_video_codecs(server);
        CHECK(!strcmp(list, kept), "%s has become %s", kept, list);
        spice_server_free_video_codecs(server, list);
    }
    g_free(kept);
}
static void video_codecs(void) { twice(codecs_); }
static void switches_(void)
{
    for (int i = 2; i >= 0; i--) {
        EQUAL(spice_server_set_agent_mouse(server, i), 0, "agent_mouse");
        EQUAL(spice_server_set_agent_copypaste(server, i), 0, "agent_copypaste");
        EQUAL(spice_server_set_agent_file_xfer(server, i), 0, "agent_file_xfer");
        EQUAL(spice_server_set_playback_compression(server, i), 0, "playback_compression");
        EQUAL(spice_server_set_exit_on_disconnect(server, 0), 0, "exit_on_disconnect");
        spice_server_set_seamless_migration(server, i);
    }
}
static void switches(void) { twice(switches_); }
static void security_(void)
{
    static const char *const known[] = { "main", "display", "inputs", "cursor", "playback", "record", "usbredir", "webdav" };
    int both = SPICE_CHANNEL_SECURITY_NONE | SPICE_CHANNEL_SECURITY_SSL;
    for (int i = 0; i < COUNT(known); i++) EQUAL(spice_server_set_channel_security(server, known[i], both), 0, known[i]);
    EQUAL(spice_server_set_channel_security(server, NULL, both), 0, "all");
    static const char *const none[] = { "", "Main", "main ", "nonsense", "default", "all" };
    for (int i = 0; i < COUNT(none); i++) EQUAL(spice_server_set_channel_security(server, none[i], both), -1, none[i]);
}
static void channel_security(void) { twice(security_); }
static void ports_(void)
{
    static const struct { int port, answer; } all[] = { { -1, -1 }, { 0, 0 }, { 1, 0 }, { 65535, 0 }, { 65536, -1 }, { 1 << 30, -1 }, { 0, 0 } };
    for (int i = 0; i < COUNT(all); i++) EQUAL(spice_server_set_port(server, all[i].port), all[i].answer, "a port");
}
static void ports(void) { twice(ports_); }
/* SASL is there or it is not; both functions say the same. */
static void sasl_(void)
{
    int answer = spice_server_set_sasl(server, 0);
    CHECK(answer == 0 || answer == -1, "%d", answer);
    EQUAL(spice_server_set_sasl_appname(server, "host"), answer, "the name of the host for SASL");
}
static void sasl(void) { twice(sasl_); }
static void names_(void)
{
    char *name = g_strnfill(100000, 'x');
    spice_server_set_name(server, "a name");
    spice_server_set_name(server, "\xc3\xa4 name");
    spice_server_set_name(server, "not \xff UTF-8");
    spice_server_set_name(server, "");
    spice_server_set_name(server, NULL);
    spice_server_set_name(server, name);
    spice_server_set_uuid(server, (const uint8_t *)"0123456789abcdef");
    g_free(name);
}
static void names_of_any_kind(void) { twice(names_); }
static void versions_(void)
{
    EQUAL(spice_get_current_compat_version(), SPICE_COMPAT_VERSION_CURRENT, "version");
    EQUAL(spice_server_set_compat_version(server, SPICE_COMPAT_VERSION_0_6), 0, "0.6");
    EQUAL(spice_server_set_compat_version(server, SPICE_COMPAT_VERSION_CURRENT), 0, "the current one");
}
static void compat_version(void)
{
    twice(versions_);
    server = spice_server_new();
    EQUAL(spice_server_set_compat_version(server, SPICE_COMPAT_VERSION_0_4), -1, "0.4");
    EQUAL(spice_server_set_compat_version(server, SPICE_COMPAT_VERSION_CURRENT + 1), -1, "what is not there yet");
    EQUAL(spice_server_init(server, &core), 0, "init after a version that was refused");
    spice_server_destroy(server);
}
static void renderers(void)
{
    server = spice_server_new();
    EQUAL(spice_server_add_renderer(server, "sw"), 0, "by software");
    EQUAL(spice_server_add_renderer(server, "nonsense"), -1, "no such renderer");
    EQUAL(spice_server_init(server, &core), 0, "init");
    spice_server_destroy(server);
}
/* Functions that say that there is no such thing (any more). */
static void questions_without_an_answer(void)
{
    server = spice_server_new();
    EQUAL(spice_server_init(server, &core), 0, "init");
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;
    EQUAL(spice_server_get_sock_info(server, (struct sockaddr *)&addr, &len), -1, "sock_info");
    EQUAL(spice_server_get_peer_info(server, (struct sockaddr *)&addr, &len), -1, "peer_info");
    EQUAL(spice_server_get_num_clients(server), 0, "viewers");
    spice_server_destroy(server);
}
static void interfaces_that_nobody_knows(void)
{
    server = spice_server_new();
    EQUAL(spice_server_init(server, &core), 0, "init");
    SpiceBaseInterface unknown = { .type = "nonsense", .major_version = 1 };
    SpiceBaseInstance instance = { &unknown };
    /* What add_interface answers to it is left open: the C library takes no notice of it. */
    spice_server_add_interface(server, &instance);
    EQUAL(spice_server_remove_interface(&instance), -1, "an interface of no kind");
    spice_server_destroy(server);
}
static void addresses_of_any_kind(void)
{
    server = spice_server_new();
    char *path = g_strnfill(1000, 'x');
    spice_server_set_addr(server, "", 0);
    spice_server_set_addr(server, "::1", SPICE_ADDR_FLAG_IPV6_ONLY);
    spice_server_set_addr(server, path, 0);
    spice_server_set_addr(server, "127.0.0.1", SPICE_ADDR_FLAG_IPV4_ONLY);
    g_free(path);
    spice_server_destroy(server);
}
/* Names and more are for viewers: the first words to each say them. */
static void what_viewers_are_told(void)
{
    int port;
    server = prepare(&port);
    spice_server_set_name(server, "n");
    spice_server_set_uuid(server, (const uint8_t *)"fedcba9876543210");
    EQUAL(spice_server_init(server, &core), 0, "init");
    Channel *viewer = open_channel(port, (Link){ .type = SPICE_CHANNEL_MAIN, .caps = MAIN_CAPS });
    MainInit init = greeted(viewer);
    EQUAL(init.supported_mouse_modes & SPICE_MOUSE_MODE_SERVER, SPICE_MOUSE_MODE_SERVER, "mouse modes");
    EQUAL(init.current_mouse_mode, SPICE_MOUSE_MODE_SERVER, "mouse mode");
    EQUAL(init.agent_connected, 0, "agent");
    AWAIT(viewer, SPICE_MSG_MAIN_NAME);
    AWAIT(viewer, SPICE_MSG_MAIN_UUID);
    CHECK(!memcmp(viewer->data, "fedcba9876543210", 16), "another UUID");
    hang_up(viewer);
    WAIT_FOR(spice_server_get_num_clients(server) == 0, "still counted");
    spice_server_destroy(server);
}
/* They may change at any time, with a viewer in it that draws. */
static void while_a_viewer_looks_on(void)
{
    int port;
    server = serve(&port);
    Guest *guest = guest_added(server, 0);
    create_primary(guest, 64, 64);
    Channel *viewer = join(port), *display = look(port, viewer, 0, 0);
    AWAIT(display, SPICE_MSG_DISPLAY_SURFACE_CREATE);
    for (int i = 0; i < 5; i++) {
        images_();
        video_();
        codecs_();
        switches_();
        security_();
        give(guest, fill(guest, 0, rect(0, 0, 64, 64), i));
        AWAIT(display, SPICE_MSG_DISPLAY_DRAW_FILL);
    }
    hang_up(display);
    hang_up(viewer);
    WAIT_FOR(spice_server_get_num_clients(server) == 0, "still counted");
    guest_remove(guest);
    spice_server_destroy(server);
    guest_free(guest);
}

MAIN(CASE(image_compression), CASE(wan_compression), CASE(streaming_video), CASE(video_codecs), CASE(switches), CASE(channel_security),
     CASE(ports), CASE(sasl), CASE(names_of_any_kind), CASE(compat_version), CASE(renderers), CASE(questions_without_an_answer), CASE(interfaces_that_nobody_knows),
     CASE(addresses_of_any_kind), CASE(what_viewers_are_told), CASE(while_a_viewer_looks_on))
