/* The agent in the guest: a viewer hears of it, talks with it, in chunks and by tokens, and filters keep out what the host
 * does not want. */
#include "client.h"
#include "device.h"
#include "guest.h"

static SpiceServer *server;
static int port;
static Device *agent;
static Channel *viewer;

/* ---- what is written to the agent: chunks, each of a port, with messages in them ---- */

typedef struct Said { uint32_t port, type; GByteArray *body; } Said;
static Said said[64];
static int said_count, said_taken;
static size_t parsed;
static struct { GByteArray *bytes; } streams[3];

static void parse_written(void)
{
    for (;;) {
        size_t left = agent->written->len - parsed;
        VDIChunkHeader header;
        if (left < sizeof header) return;
        memcpy(&header, agent->written->data + parsed, sizeof header);
        CHECK(header.port == VDP_CLIENT_PORT || header.port == VDP_SERVER_PORT, "a chunk of port %u", header.port);
        CHECK(header.size <= VD_AGENT_MAX_DATA_SIZE, "a chunk of %u bytes", header.size);
        if (left < sizeof header + header.size) return;
        if (!streams[header.port].bytes) streams[header.port].bytes = g_byte_array_new();
        GByteArray *stream = streams[header.port].bytes;
        g_byte_array_append(stream, agent->written->data + parsed + sizeof header, header.size);
        parsed += sizeof header + header.size;
        VDAgentMessage message;
        while (stream->len >= sizeof message) {
            memcpy(&message, stream->data, sizeof message);
            EQUAL(message.protocol, VD_AGENT_PROTOCOL, "protocol of a message to the agent");
            if (stream->len < sizeof message + message.size) break;
            CHECK(said_count < COUNT(said), "messages to the agent without end");
            said[said_count] = (Said){ header.port, message.type, g_byte_array_new() };
            g_byte_array_append(said[said_count++].body, stream->data + sizeof message, message.size);
            g_byte_array_remove_range(stream, 0, sizeof message + message.size);
        }
    }
}
/* The next message to the agent that is of this type. */
static Said *next_said(uint32_t type, const char *what)
{
    for (gint64 until = now_ms() + patience_ms();;) {
        parse_written();
        while (said_taken < said_count) {
            Said *one = &said[said_taken++];
            if (one->type == type) return one;
        }
        CHECK(now_ms() < until, "the agent is not told: %s", what);
        turn();
    }
}
static int ever_said(uint32_t type)
{
    parse_written();
    for (int i = 0; i < said_count; i++) if (said[i].type == type) return 1;
    return 0;
}

/* ---- what viewers and agents say ---- */

static void say_to_agent(uint32_t type, const void *body, uint32_t size)
{
    GByteArray *bytes = g_byte_array_new();
    VDAgentMessage message = { .protocol = VD_AGENT_PROTOCOL, .type = type, .size = size };
    g_byte_array_append(bytes, (uint8_t *)&message, sizeof message);
    g_byte_array_append(bytes, body, size);
    for (uint32_t at = 0; at < bytes->len; at += VD_AGENT_MAX_DATA_SIZE)
        say(viewer, SPICE_MSGC_MAIN_AGENT_DATA, bytes->data + at, MIN(VD_AGENT_MAX_DATA_SIZE, bytes->len - at));
    g_byte_array_unref(bytes);
}
static void agent_says(uint32_t type, const void *body, uint32_t size)
{
    GByteArray *bytes = g_byte_array_new();
    VDIChunkHeader header = { .port = VDP_CLIENT_PORT, .size = sizeof(VDAgentMessage) + size };
    VDAgentMessage message = { .protocol = VD_AGENT_PROTOCOL, .type = type, .size = size };
    g_byte_array_append(bytes, (uint8_t *)&header, sizeof header);
    g_byte_array_append(bytes, (uint8_t *)&message, sizeof message);
    g_byte_array_append(bytes, body, size);
    device_says(agent, bytes->data, bytes->len);
    g_byte_array_unref(bytes);
}
static void start(uint32_t tokens) { say(viewer, SPICE_MSGC_MAIN_AGENT_START, &tokens, 4); }
/* The next message of the agent that comes to the viewer, of this type. */
static VDAgentMessage *heard(uint32_t type)
{
    do {
        AWAIT(viewer, SPICE_MSG_MAIN_AGENT_DATA);
        CHECK(viewer->size >= sizeof(VDAgentMessage), "half a message");
    } while (((VDAgentMessage *)viewer->data)->type != type);
    return (VDAgentMessage *)viewer->data;
}

static void begin(void)
{
    server = serve(&port);
    agent = device_added(server, "vdagent", NULL);
    viewer = join(port);
    start(10);
}
static void end(void)
{
    hang_up(viewer);
    WAIT_FOR(spice_server_get_num_clients(server) == 0, "still counted");
    if (!agent->gone) device_remove(agent);
    spice_server_destroy(server);
    device_free(agent);
    EQUAL(watches, 0, "watches that are left");
    EQUAL(timers, 0, "timers that are left");
    for (int i = 0; i < said_count; i++) g_byte_array_unref(said[i].body);
    for (int i = 0; i < 3; i++) if (streams[i].bytes) g_byte_array_unref(streams[i].bytes);
}

static void a_viewer_hears_of_it(void)
{
    server = serve(&port);
    viewer = open_channel(port, (Link){ .type = SPICE_CHANNEL_MAIN, .caps = MAIN_CAPS });
    EQUAL(greeted(viewer).agent_connected, 0, "there is no agent");
    agent = device_added(server, "vdagent", NULL);
    AWAIT(viewer, SPICE_MSG_MAIN_AGENT_CONNECTED_TOKENS);
    EQUAL(viewer->size, 4, "size");
    CHECK(u32_at(viewer->data) > 0, "no tokens");
    device_remove(agent);
    AWAIT(viewer, SPICE_MSG_MAIN_AGENT_DISCONNECTED);
    hang_up(viewer);
    WAIT_FOR(spice_server_get_num_clients(server) == 0, "still counted");
    /* One who does not know of tokens. */
    viewer = open_channel(port, (Link){ .type = SPICE_CHANNEL_MAIN });
    greeted(viewer);
    device_free(agent);
    agent = device_added(server, "vdagent", NULL);
    AWAIT(viewer, SPICE_MSG_MAIN_AGENT_CONNECTED);
    hang_up(viewer);
    WAIT_FOR(spice_server_get_num_clients(server) == 0, "still counted");
    /* One who comes later. */
    viewer = open_channel(port, (Link){ .type = SPICE_CHANNEL_MAIN, .caps = MAIN_CAPS });
    MainInit init = greeted(viewer);
    EQUAL(init.agent_connected, 1, "there is an agent");
    CHECK(init.agent_tokens > 0, "no tokens");
    end();
}
static void one_agent(void)
{
    begin();
    Device *second = device_new("vdagent", NULL);
    spice_server_add_interface(server, &second->sin.base);
    CHECK(!second->sin.st, "a second agent has a state");
    EQUAL(spice_server_remove_interface(&second->sin.base), -1, "remove an agent that was refused");
    /* The first is still there. */
    say_to_agent(VD_AGENT_DISPLAY_CONFIG, "\0\0\0\0\0\0\0\0", 8);
    next_said(VD_AGENT_DISPLAY_CONFIG, "what a viewer says");
    device_remove(agent);
    /* Now there is room. */
    EQUAL(spice_server_add_interface(server, &second->sin.base), 0, "add");
    CHECK(second->sin.st, "no state");
    device_remove(second);
    device_free(second);
    end();
}
static void to_the_agent(void)
{
    begin();
    VDAgentDisplayConfig config = { .flags = 0x11, .depth = 24 };
    say_to_agent(VD_AGENT_DISPLAY_CONFIG, &config, sizeof config);
    Said *one = next_said(VD_AGENT_DISPLAY_CONFIG, "what a viewer says");
    EQUAL(one->port, VDP_CLIENT_PORT, "port of a viewer's message");
    CHECK(one->body->len == sizeof config && !memcmp(one->body->data, &config, sizeof config), "other bytes");
    /* In several chunks. */
    uint8_t *bytes = g_malloc(6000);
    for (int i = 0; i < 6000; i++) bytes[i] = i * 3;
    say_to_agent(VD_AGENT_CLIPBOARD, bytes, 6000);
    one = next_said(VD_AGENT_CLIPBOARD, "a message of several chunks");
    CHECK(one->body->len == 6000 && !memcmp(one->body->data, bytes, 6000), "other bytes");
    g_free(bytes);
    end();
}
/* Each message of a viewer costs it a token, and it gets them back. */
static void tokens_of_a_viewer(void)
{
    server = serve(&port);
    agent = device_added(server, "vdagent", NULL);
    viewer = open_channel(port, (Link){ .type = SPICE_CHANNEL_MAIN, .caps = MAIN_CAPS, .mini = 1 });
    uint32_t tokens = greeted(viewer).agent_tokens, messages = 0;
    start(10);
    CHECK(tokens > 0 && tokens < 1000, "%u tokens", tokens);
    for (int round = 0; round < 20; round++) {
        while (tokens) {
            say_to_agent(VD_AGENT_DISPLAY_CONFIG, &messages, 4);
            messages++;
            tokens--;
        }
        AWAIT(viewer, SPICE_MSG_MAIN_AGENT_TOKEN);
        CHECK(u32_at(viewer->data) > 0, "no tokens");
        tokens += u32_at(viewer->data);
        while (said_taken < (int)messages && said_taken < COUNT(said) - 2) {
            Said *one = next_said(VD_AGENT_DISPLAY_CONFIG, "what a viewer says");
            EQUAL(one->body->len, 4, "size");
        }
        if (messages > 40) break;
    }
    CHECK(messages > 20, "%u messages", messages);
    end();
}
/* And the agent's cost the server those that the viewer gives. */
static void tokens_of_the_server(void)
{
    server = serve(&port);
    agent = device_added(server, "vdagent", NULL);
    viewer = join(port);
    start(2);
    run_for(50);
    for (uint32_t i = 0; i < 4; i++) agent_says(VD_AGENT_DISPLAY_CONFIG, &i, 4);
    for (uint32_t i = 0; i < 2; i++) {
        heard(VD_AGENT_DISPLAY_CONFIG);
        EQUAL(u32_at(viewer->data + sizeof(VDAgentMessage)), i, "in the order in which they were said");
    }
    CHECK(silent(viewer, SPICE_MSG_MAIN_AGENT_DATA, 200), "a message for which there was no token");
    uint32_t more = 2;
    say(viewer, SPICE_MSGC_MAIN_AGENT_TOKEN, &more, 4);
    for (uint32_t i = 2; i < 4; i++) {
        heard(VD_AGENT_DISPLAY_CONFIG);
        EQUAL(u32_at(viewer->data + sizeof(VDAgentMessage)), i, "in the order in which they were said");
    }
    end();
}
static void from_the_agent(void)
{
    begin();
    run_for(50);
    agent_says(VD_AGENT_REPLY, "\1\0\0\0\1\0\0\0", 8);
    VDAgentMessage *message = heard(VD_AGENT_REPLY);
    EQUAL(message->size, 8, "size");
    EQUAL(viewer->size, sizeof *message + 8, "size of AGENT_DATA");
    /* Byte by byte. */
    VDIChunkHeader header = { VDP_CLIENT_PORT, sizeof(VDAgentMessage) + 4 };
    VDAgentMessage slow = { .protocol = VD_AGENT_PROTOCOL, .type = VD_AGENT_DISPLAY_CONFIG, .size = 4 };
    uint8_t bytes[sizeof header + sizeof slow + 4] = { 0 };
    memcpy(bytes, &header, sizeof header);
    memcpy(bytes + sizeof header, &slow, sizeof slow);
    for (size_t i = 0; i < sizeof bytes; i++) { device_says(agent, bytes + i, 1); turn(); }
    heard(VD_AGENT_DISPLAY_CONFIG);
    end();
}
static void the_clipboard_is_the_hosts_matter(void)
{
    server = prepare(&port);
    EQUAL(spice_server_set_agent_copypaste(server, 0), 0, "no clipboard");
    EQUAL(spice_server_init(server, &core), 0, "init");
    agent = device_added(server, "vdagent", NULL);
    viewer = join(port);
    start(100);
    run_for(50);
    uint8_t grab[8] = { VD_AGENT_CLIPBOARD_SELECTION_CLIPBOARD, 0, 0, 0, VD_AGENT_CLIPBOARD_UTF8_TEXT };
    static const uint32_t types[] = { VD_AGENT_CLIPBOARD_GRAB, VD_AGENT_CLIPBOARD_REQUEST, VD_AGENT_CLIPBOARD, VD_AGENT_CLIPBOARD_RELEASE };
    for (int i = 0; i < COUNT(types); i++) say_to_agent(types[i], grab, sizeof grab);
    say_to_agent(VD_AGENT_DISPLAY_CONFIG, grab, 8);
    next_said(VD_AGENT_DISPLAY_CONFIG, "what comes after a clipboard");
    for (int i = 0; i < COUNT(types); i++) CHECK(!ever_said(types[i]), "the viewer's clipboard (%u) comes to the agent", types[i]);
    for (int i = 0; i < COUNT(types); i++) agent_says(types[i], grab, sizeof grab);
    agent_says(VD_AGENT_REPLY, grab, 8);
    for (;;) {
        AWAIT(viewer, SPICE_MSG_MAIN_AGENT_DATA);
        uint32_t type = ((VDAgentMessage *)viewer->data)->type;
        for (int i = 0; i < COUNT(types); i++) CHECK(type != types[i], "the agent's clipboard (%u) comes to the viewer", type);
        if (type == VD_AGENT_REPLY) break;
    }
    /* And then it may. */
    EQUAL(spice_server_set_agent_copypaste(server, 1), 0, "the clipboard");
    say_to_agent(VD_AGENT_CLIPBOARD_GRAB, grab, sizeof grab);
    next_said(VD_AGENT_CLIPBOARD_GRAB, "the viewer's clipboard");
    agent_says(VD_AGENT_CLIPBOARD_GRAB, grab, sizeof grab);
    heard(VD_AGENT_CLIPBOARD_GRAB);
    end();
}
static void files_are_the_hosts_matter(void)
{
    begin();
    EQUAL(spice_server_set_agent_file_xfer(server, 0), 0, "no files");
    uint8_t file[16] = { 1 };
    say_to_agent(VD_AGENT_FILE_XFER_START, file, sizeof file);
    say_to_agent(VD_AGENT_FILE_XFER_DATA, file, sizeof file);
    say_to_agent(VD_AGENT_DISPLAY_CONFIG, file, 8);
    next_said(VD_AGENT_DISPLAY_CONFIG, "what comes after a file");
    CHECK(!ever_said(VD_AGENT_FILE_XFER_START) && !ever_said(VD_AGENT_FILE_XFER_DATA), "a viewer's file comes to the agent");
    EQUAL(spice_server_set_agent_file_xfer(server, 1), 0, "files");
    say_to_agent(VD_AGENT_FILE_XFER_START, file, sizeof file);
    next_said(VD_AGENT_FILE_XFER_START, "a viewer's file");
    end();
}
/* Without an agent, what is said to it goes nowhere, and harms nobody. */
static void without_an_agent(void)
{
    server = serve(&port);
    viewer = join(port);
    start(10);
    say_to_agent(VD_AGENT_DISPLAY_CONFIG, "\0\0\0\0", 4);
    CHECK(stays(viewer, 100), "the viewer was sent away");
    agent = device_added(server, "vdagent", NULL);
    AWAIT(viewer, SPICE_MSG_MAIN_AGENT_CONNECTED_TOKENS);
    start(10);
    say_to_agent(VD_AGENT_DISPLAY_CONFIG, "\1\0\0\0", 4);
    Said *one = next_said(VD_AGENT_DISPLAY_CONFIG, "what is said when there is one");
    EQUAL(one->body->data[0], 1, "what was said before there was one");
    end();
}
/* The agent has the pointer, where there is no tablet. */
static void the_agents_pointer(void)
{
    begin();
    Guest *guest = guest_added(server, 0);
    create_primary(guest, 320, 200);
    uint16_t mode = SPICE_MOUSE_MODE_CLIENT;
    gint64 until = now_ms() + patience_ms();
    while (spice_server_is_server_mouse(server)) {
        CHECK(now_ms() < until, "it stays the server's mouse");
        say(viewer, SPICE_MSGC_MAIN_MOUSE_MODE_REQUEST, &mode, 2);
        listen_for(viewer, 20);
    }
    Channel *inputs = attach(port, viewer, SPICE_CHANNEL_INPUTS, 0, 0);
    struct PACKED { uint32_t x, y; uint16_t buttons; uint8_t display; } where = { 123, 45, SPICE_MOUSE_BUTTON_MASK_LEFT, 0 };
    say(inputs, SPICE_MSGC_INPUTS_MOUSE_POSITION, &where, sizeof where);
    Said *one = next_said(VD_AGENT_MOUSE_STATE, "where the pointer is");
    VDAgentMouseState state;
    EQUAL(one->port, VDP_SERVER_PORT, "port of the server's message");
    EQUAL(one->body->len, sizeof state, "size of a mouse state");
    memcpy(&state, one->body->data, sizeof state);
    EQUAL(state.x, 123, "x");
    EQUAL(state.y, 45, "y");
    EQUAL(state.buttons, VD_AGENT_LBUTTON_MASK, "buttons");
    EQUAL(spice_server_set_agent_mouse(server, 0), 0, "not the agent's pointer");
    WAIT_FOR(spice_server_is_server_mouse(server), "it is still the viewer's mouse");
    hang_up(inputs);
    guest_remove(guest);
    end();
    guest_free(guest);
}
/* An agent that says nonsense is no end of anybody else. */
static void nonsense(void)
{
    begin();
    run_for(50);
    uint8_t junk[64];
    memset(junk, 0xa5, sizeof junk);
    device_says(agent, junk, sizeof junk);
    run_for(100);
    device_remove(agent);
    CHECK(stays(viewer, 50), "the viewer was sent away");
    end();
}

MAIN(CASE(a_viewer_hears_of_it), CASE(one_agent), CASE(to_the_agent), CASE(tokens_of_a_viewer), CASE(tokens_of_the_server),
     CASE(from_the_agent), CASE(the_clipboard_is_the_hosts_matter), CASE(files_are_the_hosts_matter), CASE(without_an_agent),
     CASE(the_agents_pointer), CASE(nonsense))
