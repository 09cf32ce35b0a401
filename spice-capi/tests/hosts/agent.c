/* The guest's agent: it comes and goes, speaks with a viewer, and does not what the host forbids. */
#include "viewer.h"

static GByteArray *in, *out;
static int connected;
static void state(SpiceCharDeviceInstance *sin, int on) { (void)sin; connected = on; }
static int write_all(SpiceCharDeviceInstance *sin, const uint8_t *buf, int len) {
    (void)sin;
    CHECK(pthread_equal(pthread_self(), host_thread), "another thread");
    g_byte_array_append(in, buf, len);
    return len;
}
static int read_some(SpiceCharDeviceInstance *sin, uint8_t *buf, int len) {
    (void)sin;
    len = MIN(len, (int)out->len);
    if (len) { memcpy(buf, out->data, len); g_byte_array_remove_range(out, 0, len); }
    return len;
}
static SpiceCharDeviceInterface char_if = {
    .base = { SPICE_INTERFACE_CHAR_DEVICE, "c", SPICE_INTERFACE_CHAR_DEVICE_MAJOR, SPICE_INTERFACE_CHAR_DEVICE_MINOR },
    .state = state, .write = write_all, .read = read_some,
};
static SpiceCharDeviceInstance agent = { .base.sif = &char_if.base, .subtype = "vdagent" };

typedef struct __attribute__((packed)) { VDAgentMessage head; uint8_t data[64]; } Piece;
static Piece piece(uint32_t type, const char *data) {
    Piece piece = { .head = { .protocol = VD_AGENT_PROTOCOL, .type = type, .size = strlen(data) } };
    memcpy(piece.data, data, strlen(data));
    return piece;
}
static void from_viewer(Viewer *viewer, uint32_t type, const char *data) {
    Piece message = piece(type, data);
    say(viewer, SPICE_MSGC_MAIN_AGENT_DATA, &message, sizeof message.head + message.head.size);
}
static void from_agent(uint32_t type, const char *data) {
    Piece message = piece(type, data);
    VDIChunkHeader chunk = { .port = VDP_CLIENT_PORT, .size = sizeof message.head + message.head.size };
    g_byte_array_append(out, (guint8 *)&chunk, sizeof chunk);
    g_byte_array_append(out, (guint8 *)&message, chunk.size);
    spice_server_char_device_wakeup(&agent);
}
/* Whether a message of this type has reached the agent. */
static int reached(uint32_t type) {
    for (guint at = 0; at + sizeof(VDIChunkHeader) + sizeof(VDAgentMessage) <= in->len;) {
        VDIChunkHeader *chunk = (VDIChunkHeader *)(in->data + at);
        VDAgentMessage *head = (VDAgentMessage *)(chunk + 1);
        if (head->type == type) return 1;
        at += sizeof *chunk + chunk->size;
    }
    return 0;
}

int main(void) {
    host_begin();
    in = g_byte_array_new();
    out = g_byte_array_new();
    int port;
    SpiceServer *server = open_server(&port);
    Viewer viewer = join(port, "");
    CHECK(!spice_server_add_interface(server, &agent.base), "agent");
    CHECK(agent.st, "no state");
    do CHECK(next_message(&viewer), "connected");
    while (message.type != SPICE_MSG_MAIN_AGENT_CONNECTED && message.type != SPICE_MSG_MAIN_AGENT_CONNECTED_TOKENS);
    uint32_t tokens = 10;
    say(&viewer, SPICE_MSGC_MAIN_AGENT_START, &tokens, 4);
    from_viewer(&viewer, VD_AGENT_CLIPBOARD_GRAB, "1234");
    WAIT_FOR(reached(VD_AGENT_CLIPBOARD_GRAB));
    from_agent(VD_AGENT_CLIPBOARD_REQUEST, "5678");
    CHECK(await(&viewer, SPICE_MSG_MAIN_AGENT_DATA), "data");
    CHECK(((VDAgentMessage *)message.body)->type == VD_AGENT_CLIPBOARD_REQUEST, "another message");
    CHECK(message.size == sizeof(VDAgentMessage) + 4 && !memcmp(message.body + sizeof(VDAgentMessage), "5678", 4), "other bytes");

    /* What is forbidden is left out, and the rest goes on. */
    spice_server_set_agent_copypaste(server, 0);
    spice_server_set_agent_file_xfer(server, 0);
    g_byte_array_set_size(in, 0);
    from_viewer(&viewer, VD_AGENT_CLIPBOARD_GRAB, "1234");
    from_viewer(&viewer, VD_AGENT_FILE_XFER_DATA, "1234567890");
    from_viewer(&viewer, VD_AGENT_DISPLAY_CONFIG, "12345678");
    WAIT_FOR(reached(VD_AGENT_DISPLAY_CONFIG));
    CHECK(!reached(VD_AGENT_CLIPBOARD_GRAB) && !reached(VD_AGENT_FILE_XFER_DATA), "what is forbidden");
    spice_server_set_agent_copypaste(server, 1);
    spice_server_set_agent_file_xfer(server, 1);

    /* It goes, and comes again. */
    CHECK(!spice_server_remove_interface(&agent.base), "remove");
    CHECK(await(&viewer, SPICE_MSG_MAIN_AGENT_DISCONNECTED), "gone");
    leave(&viewer);
    WAIT_FOR(spice_server_get_num_clients(server) == 0);
    CHECK(!spice_server_add_interface(server, &agent.base), "again");
    viewer = join(port, "");
    CHECK(message.body[16], "init says nothing of it");
    leave(&viewer);
    WAIT_FOR(spice_server_get_num_clients(server) == 0);
    CHECK(!spice_server_remove_interface(&agent.base), "remove");
    spice_server_destroy(server);
    g_byte_array_unref(in);
    g_byte_array_unref(out);
    return 0;
}
