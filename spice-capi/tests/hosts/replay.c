/* Recordings: each command comes out, once, and goes back. The recording comes as an argument, and how many commands. */
#include "host.h"

int main(int argc, char **argv) {
    CHECK(argc == 3, "usage: replay recording commands");
    host_begin();
    FILE *nonsense = tmpfile();
    fputs("nonsense\n", nonsense);
    rewind(nonsense);
    CHECK(!spice_replay_new(nonsense, 1024), "no recording");
    SpiceServer *server = spice_server_new();
    CHECK(!spice_server_init(server, &core), "init");
    Guest *guest = guest_new(server, 0);
    QXLDevMemSlot all = { .slot_group_id = 0, .slot_id = 0, .virt_end = 0x7fffffffffff };
    spice_qxl_add_memslot(&guest->qxl, &all);
    FILE *file = fopen(argv[1], "rb");
    CHECK(file, "%s", argv[1]);
    SpiceReplay *replay = spice_replay_new(file, 1024);
    CHECK(replay, "%s is no recording", argv[1]);
    int commands = 0, kinds = 0;
    QXLCommandExt *command;
    while ((command = spice_replay_next_cmd(replay, &guest->qxl))) {
        commands++;
        kinds |= 1 << command->cmd.type;
        CHECK(((QXLReleaseInfo *)(uintptr_t)command->cmd.data)->id == (uintptr_t)command, "whose command");
        spice_replay_free_cmd(replay, command);
    }
    CHECK(commands == atoi(argv[2]), "%d commands", commands);
    CHECK(kinds & 1 << QXL_CMD_DRAW, "no draw");
    spice_replay_free(replay);
    CHECK(!spice_server_remove_interface(&guest->qxl.base), "remove");
    spice_server_destroy(server);
    guest_free(guest);
    return 0;
}
