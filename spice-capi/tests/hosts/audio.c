/* Sound: of the guest to a viewer, and of a viewer to the guest; volume, mute and rates. */
#include "client.h"

static const SpicePlaybackInterface playback_interface = { { SPICE_INTERFACE_PLAYBACK, "playback", SPICE_INTERFACE_PLAYBACK_MAJOR, SPICE_INTERFACE_PLAYBACK_MINOR } };
static const SpiceRecordInterface record_interface = { { SPICE_INTERFACE_RECORD, "record", SPICE_INTERFACE_RECORD_MAJOR, SPICE_INTERFACE_RECORD_MINOR } };
static SpicePlaybackInstance playback = { .base.sif = &playback_interface.base };
static SpiceRecordInstance record = { .base.sif = &record_interface.base };
static SpiceServer *server;
static int port;
static Channel *viewer;

static void begin(void)
{
    server = serve(&port);
    EQUAL(spice_server_set_playback_compression(server, 0), 0, "sound as it is");
    EQUAL(spice_server_add_interface(server, &playback.base), 0, "playback");
    EQUAL(spice_server_add_interface(server, &record.base), 0, "record");
    CHECK(playback.st && record.st, "no state");
    viewer = join(port);
}
static void end(void)
{
    hang_up(viewer);
    WAIT_FOR(spice_server_get_num_clients(server) == 0, "still counted");
    EQUAL(spice_server_remove_interface(&playback.base), 0, "remove playback");
    EQUAL(spice_server_remove_interface(&record.base), 0, "remove record");
    spice_server_destroy(server);
    EQUAL(watches, 0, "watches that are left");
    EQUAL(timers, 0, "timers that are left");
}

/* What a listener was told last of how it is sent. */
static int mode = -1;
static int listen_to(Channel *ear, int ms)
{
    int came = listen_for(ear, ms);
    if (came == 1 && ear->type == SPICE_MSG_PLAYBACK_MODE && ear->size >= 6) mode = u16_at(ear->data + 4);
    return came;
}
/* A viewer's sound channel, which is ready. What the C library has to say while it measures the connection may be lost: that
 * is two pings soon after the beginning. */
static Channel *sound(uint8_t type, uint32_t caps)
{
    Channel *c = attach(port, viewer, type, 0, caps);
    gint64 until = now_ms() + (with_c_faults() ? patience_ms() : 50);
    for (int pings = 0; pings < 2 && now_ms() < until;)
        if (listen_to(c, 20) == 1 && c->type == SPICE_MSG_PING) pings++;
    return c;
}

static void they_come_and_go(void)
{
    server = serve(&port);
    for (int i = 0; i < 5; i++) {
        EQUAL(spice_server_add_interface(server, &playback.base), 0, "playback");
        EQUAL(spice_server_add_interface(server, &record.base), 0, "record");
        viewer = join(port);
        say(viewer, SPICE_MSGC_MAIN_ATTACH_CHANNELS, NULL, 0);
        AWAIT(viewer, SPICE_MSG_MAIN_CHANNELS_LIST);
        EQUAL(offered(viewer, SPICE_CHANNEL_PLAYBACK, NULL), 1, "playback channels");
        EQUAL(offered(viewer, SPICE_CHANNEL_RECORD, NULL), 1, "record channels");
        hang_up(viewer);
        WAIT_FOR(spice_server_get_num_clients(server) == 0, "still counted");
        EQUAL(spice_server_remove_interface(&playback.base), 0, "remove playback");
        EQUAL(spice_server_remove_interface(&record.base), 0, "remove record");
    }
    spice_server_destroy(server);
}
static void rates(void)
{
    begin();
    uint32_t best = spice_server_get_best_playback_rate(&playback);
    CHECK(best == 44100 || best == 48000, "%u frames a second are played", best);
    best = spice_server_get_best_record_rate(&record);
    CHECK(best == 44100 || best == 48000, "%u frames a second are recorded", best);
    /* Hosts ask before they have an instance. */
    best = spice_server_get_best_playback_rate(NULL);
    CHECK(best == 44100 || best == 48000, "%u frames a second are played by no instance", best);
    best = spice_server_get_best_record_rate(NULL);
    CHECK(best == 44100 || best == 48000, "%u frames a second are recorded by no instance", best);
    spice_server_set_playback_rate(&playback, 48000);
    spice_server_set_record_rate(&record, 48000);
    end();
}
static void nobody_listens(void)
{
    begin();
    uint32_t *samples = (uint32_t *)1, count = 1;
    spice_server_playback_start(&playback);
    spice_server_playback_get_buffer(&playback, &samples, &count);
    CHECK(!samples && !count, "a buffer of %u frames for nobody", count);
    uint16_t volume[2] = { 1, 2 };
    spice_server_playback_set_volume(&playback, 2, volume);
    spice_server_playback_set_mute(&playback, 1);
    spice_server_playback_stop(&playback);
    spice_server_record_start(&record);
    uint32_t heard[64];
    EQUAL(spice_server_record_get_samples(&record, heard, 64), 0, "frames that nobody said");
    spice_server_record_set_volume(&record, 2, volume);
    spice_server_record_set_mute(&record, 1);
    spice_server_record_stop(&record);
    end();
}
static void playing_at(uint32_t rate)
{
    begin();
    spice_server_set_playback_rate(&playback, rate);
    Channel *ear = sound(SPICE_CHANNEL_PLAYBACK, 1 << SPICE_PLAYBACK_CAP_VOLUME);
    for (int round = 0; round < 2; round++) {
        spice_server_playback_start(&playback);
        do CHECK(listen_to(ear, patience_ms()) == 1, "no START"); while (ear->type != SPICE_MSG_PLAYBACK_START);
        EQUAL(ear->size, 14, "size of START");
        EQUAL(u32_at(ear->data), 2, "channels");
        EQUAL(u16_at(ear->data + 4), SPICE_AUDIO_FMT_S16, "format");
        EQUAL(u32_at(ear->data + 6), rate, "frames a second");
        for (int i = 0; i < 6; i++) {
            uint32_t *samples, count;
            WAIT_FOR((spice_server_playback_get_buffer(&playback, &samples, &count), samples != NULL), "no buffer, and somebody listens");
            CHECK(count >= 64 && count <= 8192, "a buffer of %u frames", count);
            for (uint32_t n = 0; n < count; n++) samples[n] = i << 24 | n;
            spice_server_playback_put_samples(&playback, samples);
            do CHECK(listen_to(ear, patience_ms()) == 1, "no DATA"); while (ear->type != SPICE_MSG_PLAYBACK_DATA);
            EQUAL(mode, SPICE_AUDIO_DATA_MODE_RAW, "mode for who knows of no codec");
            EQUAL(ear->size, 4 + count * 4, "size of DATA");
            for (uint32_t n = 0; n < count; n++) EQUAL(u32_at(ear->data + 4 + 4 * n), i << 24 | n, "a frame");
        }
        spice_server_playback_stop(&playback);
        AWAIT(ear, SPICE_MSG_PLAYBACK_STOP);
    }
    hang_up(ear);
    end();
}
static void playing(void) { playing_at(44100); }
static void playing_faster(void) { playing_at(48000); }
static void volumes(void)
{
    begin();
    uint16_t volume[2] = { 1000, 65535 };
    spice_server_playback_set_volume(&playback, 2, volume);
    spice_server_playback_set_mute(&playback, 1);
    Channel *ear = attach(port, viewer, SPICE_CHANNEL_PLAYBACK, 0, 1 << SPICE_PLAYBACK_CAP_VOLUME);
    /* Who comes is told how it is, at the latest when there is something to hear. */
    spice_server_playback_start(&playback);
    int told = 0;
    while (told != 3) {
        CHECK(listen_for(ear, patience_ms()) == 1, "who comes is not told volume and mute");
        if (ear->type == SPICE_MSG_PLAYBACK_VOLUME) {
            EQUAL(ear->data[0], 2, "channels");
            CHECK(!memcmp(ear->data + 1, volume, 4), "another volume");
            told |= 1;
        }
        if (ear->type == SPICE_MSG_PLAYBACK_MUTE) {
            EQUAL(ear->data[0], 1, "mute");
            told |= 2;
        }
    }
    volume[0] = 7;
    spice_server_playback_set_volume(&playback, 2, volume);
    AWAIT(ear, SPICE_MSG_PLAYBACK_VOLUME);
    EQUAL(u16_at(ear->data + 1), 7, "volume");
    spice_server_playback_set_mute(&playback, 0);
    AWAIT(ear, SPICE_MSG_PLAYBACK_MUTE);
    EQUAL(ear->data[0], 0, "mute");
    spice_server_playback_stop(&playback);
    /* Of what is recorded, too. */
    Channel *mouth = sound(SPICE_CHANNEL_RECORD, 1 << SPICE_RECORD_CAP_VOLUME);
    spice_server_record_start(&record);
    AWAIT(mouth, SPICE_MSG_RECORD_START);
    spice_server_record_set_volume(&record, 2, volume);
    do AWAIT(mouth, SPICE_MSG_RECORD_VOLUME); while (u16_at(mouth->data + 1) != 7);
    spice_server_record_set_mute(&record, 1);
    do AWAIT(mouth, SPICE_MSG_RECORD_MUTE); while (!mouth->data[0]);
    spice_server_record_stop(&record);
    hang_up(mouth);
    hang_up(ear);
    end();
}
/* A buffer that a viewer has left behind is taken back. */
static void who_leaves_in_the_middle(void)
{
    begin();
    Channel *ear = sound(SPICE_CHANNEL_PLAYBACK, 0);
    spice_server_playback_start(&playback);
    AWAIT(ear, SPICE_MSG_PLAYBACK_START);
    uint32_t *samples, count;
    WAIT_FOR((spice_server_playback_get_buffer(&playback, &samples, &count), samples != NULL), "no buffer");
    hang_up(ear);
    run_for(100);
    memset(samples, 0, count * 4);
    spice_server_playback_put_samples(&playback, samples);
    spice_server_playback_get_buffer(&playback, &samples, &count);
    CHECK(!samples, "a buffer for nobody");
    spice_server_playback_stop(&playback);
    end();
}
static void recording(void)
{
    begin();
    spice_server_set_record_rate(&record, 44100);
    Channel *mouth = sound(SPICE_CHANNEL_RECORD, 1 << SPICE_RECORD_CAP_VOLUME);
    for (int round = 0; round < 2; round++) {
        spice_server_record_start(&record);
        AWAIT(mouth, SPICE_MSG_RECORD_START);
        EQUAL(mouth->size, 10, "size of START");
        EQUAL(u32_at(mouth->data), 2, "channels");
        EQUAL(u16_at(mouth->data + 4), SPICE_AUDIO_FMT_S16, "format");
        EQUAL(u32_at(mouth->data + 6), 44100, "frames a second");
        struct PACKED { uint32_t time; uint16_t mode; } mode = { 0, SPICE_AUDIO_DATA_MODE_RAW };
        uint32_t mark = 0;
        say(mouth, SPICE_MSGC_RECORD_MODE, &mode, sizeof mode);
        say(mouth, SPICE_MSGC_RECORD_START_MARK, &mark, 4);
        struct PACKED { uint32_t time, frames[480]; } said;
        /* More than a second's tenth, as what is heard is kept back for a while. */
        for (uint32_t n = 0; n < 14; n++) {
            said.time = n * 10;
            for (uint32_t i = 0; i < 480; i++) said.frames[i] = 0xabc00000 | (n * 480 + i);
            say(mouth, SPICE_MSGC_RECORD_DATA, &said, sizeof said);
        }
        uint32_t heard[480], got, last = 0, total = 0;
        WAIT_FOR((got = spice_server_record_get_samples(&record, heard, 480)) > 0, "nothing is heard");
        do {
            CHECK(got <= 480, "%u frames", got);
            for (uint32_t i = 0; i < got; i++) {
                EQUAL(heard[i] & 0xfff00000, 0xabc00000, "a frame");
                CHECK(!total || heard[i] > last, "frames that are out of order");
                last = heard[i];
                total++;
            }
        } while ((got = spice_server_record_get_samples(&record, heard, 480)) > 0);
        CHECK(total <= 14 * 480, "%u frames are heard, and fewer were said", total);
        spice_server_record_stop(&record);
        AWAIT(mouth, SPICE_MSG_RECORD_STOP);
    }
    hang_up(mouth);
    end();
}
static void taken_away_with_a_listener(void)
{
    begin();
    Channel *ear = sound(SPICE_CHANNEL_PLAYBACK, 0), *mouth = sound(SPICE_CHANNEL_RECORD, 0);
    spice_server_playback_start(&playback);
    spice_server_record_start(&record);
    AWAIT(ear, SPICE_MSG_PLAYBACK_START);
    AWAIT(mouth, SPICE_MSG_RECORD_START);
    EQUAL(spice_server_remove_interface(&playback.base), 0, "remove playback");
    EQUAL(spice_server_remove_interface(&record.base), 0, "remove record");
    CHECK(ends(ear) && ends(mouth), "channels of devices that have been taken away");
    CHECK(stays(viewer, 50), "the session has ended with its sound");
    hang_up(ear);
    hang_up(mouth);
    hang_up(viewer);
    WAIT_FOR(spice_server_get_num_clients(server) == 0, "still counted");
    spice_server_destroy(server);
}

MAIN(CASE(they_come_and_go), CASE(rates), CASE(nobody_listens), CASE(playing), CASE(playing_faster), CASE(volumes),
     CASE(who_leaves_in_the_middle), CASE(recording), CASE(taken_away_with_a_listener))
