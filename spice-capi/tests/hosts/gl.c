/* What the graphics processor shows: a viewer on a Unix socket is given the buffer itself, and says when it has shown a
 * draw; nobody else is waited for. */
#include "viewer.h"
#include <sys/mman.h>
#include <sys/stat.h>

/* Reads up to a message of this type, and takes a descriptor that comes beside the byte after it. */
static int descriptor_after(Viewer *viewer, uint16_t type) {
    CHECK(await(viewer, type), "no message %d", type);
    CHECK(readable(viewer->fd, 10000), "nothing follows");
    char byte, space[CMSG_SPACE(sizeof(int))];
    struct iovec iov = { &byte, 1 };
    struct msghdr head = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space };
    CHECK(recvmsg(viewer->fd, &head, 0) == 1, "no byte");
    struct cmsghdr *beside = CMSG_FIRSTHDR(&head);
    CHECK(beside && beside->cmsg_type == SCM_RIGHTS, "no descriptor");
    int fd;
    memcpy(&fd, CMSG_DATA(beside), sizeof fd);
    return fd;
}
static Viewer link_pair(SpiceServer *server, uint8_t type, uint32_t session) {
    int pair[2];
    Viewer viewer;
    CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "pair");
    CHECK(!spice_server_add_client(server, pair[0], 1), "add_client");
    CHECK(!link_over(&viewer, pair[1], type, 0, session, "", type == SPICE_CHANNEL_MAIN ? 0 : 1 << SPICE_DISPLAY_CAP_GL_SCANOUT), "link");
    return viewer;
}

int main(void) {
    host_begin();
    SpiceServer *server = spice_server_new();
    spice_server_set_noauth(server);
    CHECK(!spice_server_init(server, &core), "init");
    Guest *guest = guest_new(server, 0);
    /* Nobody is here: a draw is done at once. */
    int buffer = memfd_create("buffer", 0);
    CHECK(!ftruncate(buffer, 64 * 64 * 4), "buffer");
    struct stat ours, theirs;
    fstat(buffer, &ours);
    spice_qxl_gl_scanout(&guest->qxl, buffer, 64, 64, 256, 0x34325258, 1);
    gint done = g_atomic_int_get(&guest->completed);
    spice_qxl_gl_draw_async(&guest->qxl, 0, 0, 64, 64, 1);
    WAIT_FOR(g_atomic_int_get(&guest->completed) == done + 1);

    Viewer viewer = link_pair(server, SPICE_CHANNEL_MAIN, 0);
    CHECK(await(&viewer, SPICE_MSG_MAIN_INIT), "init");
    memcpy(&viewer.session, message.body, 4);
    Viewer display = link_pair(server, SPICE_CHANNEL_DISPLAY, viewer.session);
    struct __attribute__((packed)) { uint8_t cache_id; int64_t cache; uint8_t dictionary_id; int32_t window; } init = { 1, 1 << 20, 1, 1 << 20 };
    say(&display, SPICE_MSGC_DISPLAY_INIT, &init, sizeof init);
    int fd = descriptor_after(&display, SPICE_MSG_DISPLAY_GL_SCANOUT_UNIX);
    fstat(fd, &theirs);
    CHECK(ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev, "another buffer");
    close(fd);
    if (!on_c_library()) {
        /* Who comes later sees what is there; by the C library, nothing before the next draw. */
        CHECK(await(&display, SPICE_MSG_DISPLAY_GL_DRAW), "the first draw");
        say(&display, SPICE_MSGC_DISPLAY_GL_DRAW_DONE, NULL, 0);
    }
    run_for(50);
    spice_qxl_gl_draw_async(&guest->qxl, 1, 2, 3, 4, 2);
    CHECK(await(&display, SPICE_MSG_DISPLAY_GL_DRAW), "draw");
    say(&display, SPICE_MSGC_DISPLAY_GL_DRAW_DONE, NULL, 0);
    WAIT_FOR(g_atomic_int_get(&guest->completed) == done + 2);
    if (!on_c_library()) {
        /* One that answers nothing holds up nobody for long; the C library waits for it for ever. */
        spice_qxl_gl_draw_async(&guest->qxl, 1, 2, 3, 4, 3);
        spice_qxl_gl_draw_async(&guest->qxl, 1, 2, 3, 4, 4);
        WAIT_FOR(g_atomic_int_get(&guest->completed) == done + 4);
    }
    spice_qxl_gl_scanout(&guest->qxl, -1, 0, 0, 0, 0, 0);
    leave(&display);
    leave(&viewer);
    run_for(50);
    CHECK(!spice_server_remove_interface(&guest->qxl.base), "remove");
    spice_server_destroy(server);
    guest_free(guest);
    return 0;
}
