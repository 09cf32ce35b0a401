/* Pictures of a graphics processor: without a viewer, too, whoever draws is told that it is done, and descriptors go back. */
#include "client.h"
#include "guest.h"

static SpiceServer *server;
static Guest *guest;
#define XR24 0x34325258

static int buffer(void)
{
    int fd = memfd_create("scanout", MFD_CLOEXEC);
    CHECK(fd >= 0 && !ftruncate(fd, 64 * 64 * 4), "a buffer");
    return fd;
}
static void begin(void)
{
    server = serve_nowhere();
    guest = guest_added(server, 0);
}
static void end(void)
{
    guest_remove(guest);
    spice_server_destroy(server);
    guest_free(guest);
}
static void draws_are_done(void)
{
    begin();
    spice_qxl_gl_scanout(&guest->qxl, buffer(), 64, 64, 64 * 4, XR24, 1);
    for (uint64_t cookie = 1; cookie <= 20; cookie++) {
        spice_qxl_gl_draw_async(&guest->qxl, 0, 0, 64, 64, cookie);
        WAIT_FOR(done(guest, cookie) == 1, "draw %d is not done", (int)cookie);
    }
    run_for(50);
    for (uint64_t cookie = 1; cookie <= 20; cookie++) EQUAL(done(guest, cookie), 1, "times that a draw was done");
    end();
}
static void without_a_buffer(void)
{
    begin();
    spice_qxl_gl_scanout(&guest->qxl, -1, 0, 0, 0, 0, 0);
    spice_qxl_gl_draw_async(&guest->qxl, 0, 0, 1, 1, 77);
    WAIT_FOR(done(guest, 77) == 1, "a draw of nothing is not done");
    end();
}
/* The server has the descriptor that it was given, and closes it. */
static void descriptors_go_back(void)
{
    begin();
    spice_qxl_gl_scanout(&guest->qxl, -1, 0, 0, 0, 0, 0);
    run_for(50);
    int before = open_descriptors();
    for (int i = 0; i < 50; i++) spice_qxl_gl_scanout(&guest->qxl, buffer(), 64, 64, 64 * 4, XR24, i % 2);
    spice_qxl_gl_draw_async(&guest->qxl, 0, 0, 64, 64, 5);
    WAIT_FOR(done(guest, 5) == 1, "a draw is not done");
    WAIT_FOR(open_descriptors() <= before + 1, "%d descriptors before, %d with one buffer", before, open_descriptors());
    spice_qxl_gl_scanout(&guest->qxl, -1, 0, 0, 0, 0, 0);
    WAIT_FOR(open_descriptors() <= before, "%d descriptors before, %d afterwards", before, open_descriptors());
    /* And those that are there when the device goes. */
    spice_qxl_gl_scanout(&guest->qxl, buffer(), 64, 64, 64 * 4, XR24, 0);
    guest_remove(guest);
    WAIT_FOR(open_descriptors() <= before, "%d descriptors before, %d without the device", before, open_descriptors());
    spice_server_destroy(server);
    guest_free(guest);
}
static void between_pictures_of_the_processor(void)
{
    begin();
    uint32_t *memory = create_primary(guest, 64, 64);
    spice_qxl_gl_scanout(&guest->qxl, buffer(), 64, 64, 64 * 4, XR24, 0);
    spice_qxl_gl_draw_async(&guest->qxl, 0, 0, 64, 64, 1);
    WAIT_FOR(done(guest, 1) == 1, "a draw is not done");
    spice_qxl_gl_scanout(&guest->qxl, -1, 0, 0, 0, 0, 0);
    give(guest, fill(guest, 0, rect(0, 0, 64, 64), 0x123456));
    update(guest, 0, rect(0, 0, 64, 64));
    EQUAL(memory[100] & 0xffffff, 0x123456, "a pixel that was drawn by command");
    spice_qxl_destroy_primary_surface(&guest->qxl, 0);
    all_came_back(guest);
    end();
}

/* Reads up to a message of this type, and takes the descriptor that comes beside the byte after it. */
static int descriptor_after(Channel *c, uint16_t type)
{
    char byte, space[CMSG_SPACE(sizeof(int))];
    struct iovec iov = { &byte, 1 };
    struct msghdr head = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space };
    await_(c, type, "with a descriptor", __FILE__, __LINE__);
    CHECK(readable(c, patience_ms()), "nothing follows");
    EQUAL(recvmsg(c->fd, &head, 0), 1, "bytes beside the descriptor");
    struct cmsghdr *beside = CMSG_FIRSTHDR(&head);
    CHECK(beside && beside->cmsg_type == SCM_RIGHTS, "no descriptor");
    int fd;
    memcpy(&fd, CMSG_DATA(beside), sizeof fd);
    return fd;
}
static Channel *beside(Link link)
{
    int pair[2];
    CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "pair");
    EQUAL(spice_server_add_client(server, pair[0], 1), 0, "add_client");
    fcntl(pair[1], F_SETFL, O_NONBLOCK);
    Channel *c = channel_new(pair[1]);
    EQUAL(link_channel(c, link), 0, "link");
    return c;
}
/* A viewer on a Unix socket is given the buffer itself, and says when it has shown a draw. */
static void a_viewer_on_a_unix_socket(void)
{
    begin();
    struct stat ours, theirs;
    int fd = buffer();
    fstat(fd, &ours);
    spice_qxl_gl_scanout(&guest->qxl, fd, 64, 64, 64 * 4, XR24, 1);
    spice_qxl_gl_draw_async(&guest->qxl, 0, 0, 64, 64, 100);
    WAIT_FOR(done(guest, 100) == 1, "a draw is not done");
    Channel *viewer = beside((Link){ .type = SPICE_CHANNEL_MAIN, .mini = 1 });
    greeted(viewer);
    Channel *display = beside((Link){ .type = SPICE_CHANNEL_DISPLAY, .session = viewer->session, .caps = 1 << SPICE_DISPLAY_CAP_GL_SCANOUT });
    begin_to_look(display);
    int given = descriptor_after(display, SPICE_MSG_DISPLAY_GL_SCANOUT_UNIX);
    fstat(given, &theirs);
    CHECK(ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev, "another buffer");
    close(given);
    if (!with_c_faults()) {
        /* Who comes later sees what is there; by the C library, nothing before the next draw. */
        AWAIT(display, SPICE_MSG_DISPLAY_GL_DRAW);
        say(display, SPICE_MSGC_DISPLAY_GL_DRAW_DONE, NULL, 0);
    }
    run_for(50);
    spice_qxl_gl_draw_async(&guest->qxl, 1, 2, 3, 4, 1);
    AWAIT(display, SPICE_MSG_DISPLAY_GL_DRAW);
    EQUAL(done(guest, 1), 0, "times that a draw was done before it was shown");
    say(display, SPICE_MSGC_DISPLAY_GL_DRAW_DONE, NULL, 0);
    WAIT_FOR(done(guest, 1) == 1, "a draw that is shown is not done");
    if (!with_c_faults()) {
        /* One that answers nothing holds up nobody for long; the C library waits for it for ever. */
        spice_qxl_gl_draw_async(&guest->qxl, 1, 2, 3, 4, 2);
        spice_qxl_gl_draw_async(&guest->qxl, 1, 2, 3, 4, 3);
        WAIT_FOR(done(guest, 2) == 1 && done(guest, 3) == 1, "draws wait for a viewer");
    }
    spice_qxl_gl_scanout(&guest->qxl, -1, 0, 0, 0, 0, 0);
    hang_up(display);
    hang_up(viewer);
    run_for(50);
    end();
}

MAIN(CASE(a_viewer_on_a_unix_socket), CASE(draws_are_done), CASE(without_a_buffer), CASE(descriptors_go_back), CASE(between_pictures_of_the_processor))
