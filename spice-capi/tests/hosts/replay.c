/* Recordings: each command comes out of one, and goes back; through a server, too. */
#include "guest.h"

static SpiceServer *server;
static Guest *guest;

/* A recording's addresses are this process's own: slot 0 of group 0 is all of it. */
static void begin(void)
{
    QXLDevMemSlot all = { .slot_group_id = 0, .slot_id = 0, .virt_end = 0x7fffffffffff };
    server = serve_nowhere();
    guest = guest_new(0);
    EQUAL(spice_server_add_interface(server, &guest->qxl.base), 0, "add a display");
    spice_qxl_add_memslot(&guest->qxl, &all);
}
static void end(void)
{
    guest_remove(guest);
    spice_server_destroy(server);
    guest_free(guest);
}
static SpiceReplay *opened(void)
{
    FILE *file = fopen(given("TEST_RECORDING"), "rb");
    CHECK(file, "%s: %s", given("TEST_RECORDING"), strerror(errno));
    SpiceReplay *replay = spice_replay_new(file, 1024);
    CHECK(replay, "%s is no recording", given("TEST_RECORDING"));
    return replay;
}
static void what_is_no_recording(void)
{
    static const char *const texts[] = { "", "nonsense\n", "SPICE_REPLAY\n", "SPICE_REPLAY x\n", "SPICE_REPLAY 2\n" };
    for (int i = 0; i < COUNT(texts); i++) {
        FILE *file = tmpfile();
        CHECK(file, "a file");
        fputs(texts[i], file);
        rewind(file);
        CHECK(!spice_replay_new(file, 1024), "\"%s\" is taken for a recording", texts[i]);
        /* Whether the file has been closed is not known to who opened it. */
    }
}
static void every_command_comes_out(void)
{
    begin();
    SpiceReplay *replay = opened();
    int count = 0, draws = 0;
    QXLCommandExt *command;
    while ((command = spice_replay_next_cmd(replay, &guest->qxl))) {
        count++;
        draws += command->cmd.type == QXL_CMD_DRAW;
        CHECK(command->cmd.data, "a command of nothing");
        EQUAL(((QXLReleaseInfo *)(uintptr_t)command->cmd.data)->id, (uintptr_t)command, "by what a command is known again");
        spice_replay_free_cmd(replay, command);
    }
    EQUAL(count, atoi(given("TEST_COMMANDS")), "commands");
    CHECK(draws > count / 2, "%d draws", draws);
    CHECK(!spice_replay_next_cmd(replay, &guest->qxl), "a command after the last one");
    spice_replay_free(replay);
    end();
}
static void it_ends_before_its_time(void)
{
    begin();
    SpiceReplay *replay = opened();
    QXLCommandExt *commands[10];
    for (int i = 0; i < 10; i++) CHECK((commands[i] = spice_replay_next_cmd(replay, &guest->qxl)), "command %d", i);
    for (int i = 9; i >= 0; i--) spice_replay_free_cmd(replay, commands[i]);
    spice_replay_free(replay);
    end();
}

/* The commands of the recording that the server has not taken yet, and what came back. */
static GAsyncQueue *waiting;
static GAsyncQueue *back;
static int next_command(QXLInstance *qxl UNUSED, QXLCommandExt *ext)
{
    QXLCommandExt *command = g_async_queue_try_pop(waiting);
    if (!command) return 0;
    *ext = *command;
    return 1;
}
static int no_cursor(QXLInstance *qxl UNUSED, QXLCommandExt *ext UNUSED) { return 0; }
static int waits(QXLInstance *qxl UNUSED) { return g_async_queue_length(waiting) <= 0; }
static int always(QXLInstance *qxl UNUSED) { return 1; }
static void comes_back(QXLInstance *qxl UNUSED, QXLReleaseInfoExt release) { g_async_queue_push(back, (void *)(uintptr_t)release.info->id); }

static void through_a_server(void)
{
    QXLInterface own = guest_interface;
    own.get_command = next_command;
    own.get_cursor_command = no_cursor;
    own.req_cmd_notification = waits;
    own.req_cursor_notification = always;
    own.release_resource = comes_back;
    waiting = g_async_queue_new();
    back = g_async_queue_new();
    QXLDevMemSlot all = { .slot_group_id = 0, .slot_id = 0, .virt_end = 0x7fffffffffff };
    server = serve_nowhere();
    guest = guest_new(0);
    guest->qxl.base.sif = &own.base;
    EQUAL(spice_server_add_interface(server, &guest->qxl.base), 0, "add a display");
    spice_qxl_add_memslot(&guest->qxl, &all);
    spice_server_vm_start(server);
    SpiceReplay *replay = opened();
    int given_ = 0, freed = 0, over = 0;
    while (!over || g_async_queue_length(waiting) > 0) {
        while (!over && g_async_queue_length(waiting) < 20) {
            QXLCommandExt *command = spice_replay_next_cmd(replay, &guest->qxl);
            if (!command) { over = 1; break; }
            given_++;
            if (command->cmd.type == QXL_CMD_CURSOR) { spice_replay_free_cmd(replay, command); freed++; continue; }
            g_async_queue_push(waiting, command);
            spice_qxl_wakeup(&guest->qxl);
        }
        for (void *command; (command = g_async_queue_try_pop(back)); freed++) spice_replay_free_cmd(replay, command);
        turn();
    }
    EQUAL(given_, atoi(given("TEST_COMMANDS")), "commands");
    spice_qxl_destroy_surfaces(&guest->qxl);
    for (gint64 until = now_ms() + patience_ms(); freed < given_;) {
        CHECK(now_ms() < until, "%d of %d commands came back", freed, given_);
        for (void *command; (command = g_async_queue_try_pop(back)); freed++) spice_replay_free_cmd(replay, command);
        turn();
    }
    end();
    CHECK(!g_async_queue_try_pop(back), "more came back than was given");
    spice_replay_free(replay);
    g_async_queue_unref(waiting);
    g_async_queue_unref(back);
}

MAIN(CASE(what_is_no_recording), CASE(every_command_comes_out), CASE(it_ends_before_its_time), CASE(through_a_server))
