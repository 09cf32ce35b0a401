/* Sound of the guest for a viewer, and a viewer's for the guest. */
#include "viewer.h"

static const SpicePlaybackInterface playback_if = { { SPICE_INTERFACE_PLAYBACK, "p", SPICE_INTERFACE_PLAYBACK_MAJOR, SPICE_INTERFACE_PLAYBACK_MINOR } };
static const SpiceRecordInterface record_if = { { SPICE_INTERFACE_RECORD, "r", SPICE_INTERFACE_RECORD_MAJOR, SPICE_INTERFACE_RECORD_MINOR } };
static SpicePlaybackInstance playback = { .base.sif = &playback_if.base };
static SpiceRecordInstance record = { .base.sif = &record_if.base };

int main(void) {
    host_begin();
    int port;
    SpiceServer *server = open_server(&port);
    CHECK(!spice_server_add_interface(server, &playback.base) && !spice_server_add_interface(server, &record.base), "add");
    CHECK(!spice_server_set_playback_compression(server, 0), "as it is");
    CHECK(spice_server_get_best_playback_rate(&playback) >= 44100 && spice_server_get_best_record_rate(&record) >= 44100, "rates");
    spice_server_set_playback_rate(&playback, 44100);
    spice_server_set_record_rate(&record, 44100);
    uint32_t *samples, count;
    spice_server_playback_start(&playback);
    spice_server_playback_get_buffer(&playback, &samples, &count);
    CHECK(!samples && !count, "a buffer for nobody");
    spice_server_playback_stop(&playback);

    Viewer viewer = join(port, ""), ear = viewer;
    int fd = dial(port);
    /* What it can do: volume, and no codec. */
    CHECK(!link_over(&ear, fd, SPICE_CHANNEL_PLAYBACK, 0, viewer.session, "", 1 << SPICE_PLAYBACK_CAP_VOLUME), "playback");
    run_for(50);
    spice_server_playback_start(&playback);
    CHECK(await(&ear, SPICE_MSG_PLAYBACK_START), "start");
    uint32_t channels, rate;
    memcpy(&channels, message.body, 4);
    memcpy(&rate, message.body + 6, 4);
    CHECK(channels == 2 && rate == 44100, "%u channels, %u frames/s", channels, rate);
    uint16_t volume[2] = { 1000, 2000 };
    spice_server_playback_set_volume(&playback, 2, volume);
    CHECK(await(&ear, SPICE_MSG_PLAYBACK_VOLUME), "volume");
    CHECK(message.body[0] == 2 && !memcmp(message.body + 1, volume, 4), "another volume");
    spice_server_playback_set_mute(&playback, 1);
    CHECK(await(&ear, SPICE_MSG_PLAYBACK_MUTE) && message.body[0], "mute");
    WAIT_FOR((spice_server_playback_get_buffer(&playback, &samples, &count), samples != NULL));
    CHECK(count > 0 && count <= 4096, "%u frames", count);
    for (uint32_t i = 0; i < count; i++) samples[i] = i << 16 | 0x1234;
    spice_server_playback_put_samples(&playback, samples);
    CHECK(await(&ear, SPICE_MSG_PLAYBACK_DATA), "sound");
    uint32_t frame;
    memcpy(&frame, message.body + 4 + 4 * 7, 4);
    CHECK(message.size == 4 + count * 4 && frame == (7 << 16 | 0x1234), "%u bytes, %x", message.size, frame);
    spice_server_playback_stop(&playback);
    CHECK(await(&ear, SPICE_MSG_PLAYBACK_STOP), "stop");

    Viewer mouth = viewer;
    fd = dial(port);
    CHECK(!link_over(&mouth, fd, SPICE_CHANNEL_RECORD, 0, viewer.session, "", 1 << SPICE_RECORD_CAP_VOLUME), "record");
    run_for(50);
    spice_server_record_start(&record);
    CHECK(await(&mouth, SPICE_MSG_RECORD_START), "start");
    struct __attribute__((packed)) { uint32_t time; uint16_t mode; } mode = { 0, SPICE_AUDIO_DATA_MODE_RAW };
    uint32_t start_mark = 0;
    say(&mouth, SPICE_MSGC_RECORD_MODE, &mode, sizeof mode);
    say(&mouth, SPICE_MSGC_RECORD_START_MARK, &start_mark, 4);
    static struct __attribute__((packed)) { uint32_t time; uint32_t frames[480]; } said;
    for (int n = 0; n < 14; n++) {
        for (int i = 0; i < 480; i++) said.frames[i] = 0xabc0000 | i;
        say(&mouth, SPICE_MSGC_RECORD_DATA, &said, sizeof said);
    }
    uint32_t heard[480], got = 0;
    WAIT_FOR((got = spice_server_record_get_samples(&record, heard, 480)) > 0);
    CHECK((heard[0] & 0xfff0000) == 0xabc0000, "%x", heard[0]);
    spice_server_record_set_volume(&record, 2, volume);
    CHECK(await(&mouth, SPICE_MSG_RECORD_VOLUME), "volume");
    spice_server_record_set_mute(&record, 1);
    CHECK(await(&mouth, SPICE_MSG_RECORD_MUTE), "mute");
    spice_server_record_stop(&record);
    CHECK(await(&mouth, SPICE_MSG_RECORD_STOP), "stop");
    leave(&mouth);
    leave(&ear);
    leave(&viewer);
    run_for(50);
    CHECK(!spice_server_remove_interface(&playback.base) && !spice_server_remove_interface(&record.base), "remove");
    spice_server_destroy(server);
    return 0;
}
