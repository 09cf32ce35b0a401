/* Options: what is taken, what is refused, before the server is there and while it runs. */
#include "host.h"

static void set_all(SpiceServer *server) {
    for (int i = SPICE_IMAGE_COMPRESSION_OFF; i <= SPICE_IMAGE_COMPRESSION_LZ4; i++) {
        CHECK(!spice_server_set_image_compression(server, i), "compression %d", i);
        CHECK((int)spice_server_get_image_compression(server) == i, "compression %d", i);
    }
    for (int i = SPICE_WAN_COMPRESSION_AUTO; i <= SPICE_WAN_COMPRESSION_NEVER; i++)
        CHECK(!spice_server_set_jpeg_compression(server, i) && !spice_server_set_zlib_glz_compression(server, i), "WAN %d", i);
    for (int i = SPICE_STREAM_VIDEO_OFF; i <= SPICE_STREAM_VIDEO_FILTER; i++)
        CHECK(!spice_server_set_streaming_video(server, i), "video %d", i);
    CHECK(spice_server_set_streaming_video(server, SPICE_STREAM_VIDEO_INVALID) == -1, "no video");
    for (int i = 1; i >= 0; i--) {
        CHECK(!spice_server_set_agent_mouse(server, i) && !spice_server_set_agent_copypaste(server, i)
              && !spice_server_set_agent_file_xfer(server, i) && !spice_server_set_playback_compression(server, i)
              && !spice_server_set_exit_on_disconnect(server, 0), "switches");
    }
    CHECK(!spice_server_set_channel_security(server, NULL, SPICE_CHANNEL_SECURITY_NONE | SPICE_CHANNEL_SECURITY_SSL), "all channels");
    CHECK(!spice_server_set_channel_security(server, "display", SPICE_CHANNEL_SECURITY_NONE), "display");
    CHECK(spice_server_set_channel_security(server, "nonsense", SPICE_CHANNEL_SECURITY_NONE) == -1, "no channel");
    const char *codecs = spice_server_get_video_codecs(server);
    CHECK(codecs, "no list of codecs");
    spice_server_free_video_codecs(server, codecs);
    spice_server_set_name(server, "name");
    spice_server_set_name(server, NULL);
    spice_server_set_uuid(server, (const uint8_t *)"0123456789abcdef");
    spice_server_set_seamless_migration(server, 1);
    spice_server_set_seamless_migration(server, 0);
    CHECK(spice_server_get_sock_info(server, NULL, NULL) == -1 && spice_server_get_peer_info(server, NULL, NULL) == -1, "one socket");
}

int main(void) {
    host_begin();
    CHECK(spice_get_current_compat_version() == SPICE_COMPAT_VERSION_CURRENT, "version");
    SpiceServer *server = spice_server_new();
    CHECK(spice_server_set_compat_version(server, SPICE_COMPAT_VERSION_0_4) == -1, "0.4");
    CHECK(!spice_server_set_compat_version(server, SPICE_COMPAT_VERSION_0_6), "0.6");
    CHECK(spice_server_set_compat_version(server, SPICE_COMPAT_VERSION_CURRENT + 1) == -1, "the future");
    set_all(server);
    CHECK(!spice_server_init(server, &core), "init");
    set_all(server);
    CHECK(spice_server_get_num_clients(server) == 0, "viewers");
    SpiceBaseInterface nonsense = { .type = "nonsense" };
    SpiceBaseInstance instance = { &nonsense };
    CHECK(spice_server_remove_interface(&instance) == -1, "nothing to remove");
    spice_server_destroy(server);
    return 0;
}
