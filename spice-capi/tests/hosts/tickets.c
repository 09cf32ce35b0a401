/* Tickets: which are taken, who is let in with them, and for how long. */
#include "client.h"

static SpiceServer *server;
static int port;

static void begin(void)
{
    server = spice_server_new();
    port = free_port();
    spice_server_set_port(server, port);
    spice_server_set_addr(server, "127.0.0.1", 0);
}
static int main_with(const char *password) { return knock(port, (Link){ .type = SPICE_CHANNEL_MAIN, .password = password }); }
static Channel *come(const char *password)
{
    Channel *c = open_channel(port, (Link){ .type = SPICE_CHANNEL_MAIN, .password = password, .caps = MAIN_CAPS });
    greeted(c);
    return c;
}
static void end(void)
{
    WAIT_FOR(spice_server_get_num_clients(server) == 0, "viewers that have left are still counted");
    spice_server_destroy(server);
}
static char *letters(int count)
{
    char *text = g_malloc(count + 1);
    for (int i = 0; i < count; i++) text[i] = 'a' + i % 26;
    text[count] = 0;
    return text;
}

static void what_is_taken(void)
{
    begin();
    for (int initialised = 0; initialised < 2; initialised++) {
        EQUAL(spice_server_set_ticket(server, NULL, 0, 0, 0), 0, "no password");
        EQUAL(spice_server_set_ticket(server, "", 0, 0, 0), 0, "an empty one");
        EQUAL(spice_server_set_ticket(server, "x", INT_MAX, 1, 1), 0, "a very long lifetime, and nobody here");
        EQUAL(spice_server_set_ticket(server, "x", -1, 0, 0), 0, "over before it begins");
        for (int size = 58; size < 70; size++) {
            char *password = letters(size);
            EQUAL(spice_server_set_ticket(server, password, 0, 0, 0), size <= SPICE_MAX_PASSWORD_LENGTH ? 0 : -1, "a password of 58 to 69 bytes");
            g_free(password);
        }
        if (!initialised) EQUAL(spice_server_init(server, &core), 0, "init");
    }
    end();
}
static void who_is_let_in(void)
{
    begin();
    EQUAL(spice_server_set_ticket(server, "secret", 0, 0, 0), 0, "ticket");
    EQUAL(spice_server_init(server, &core), 0, "init");
    EQUAL(main_with("secret"), SPICE_LINK_ERR_OK, "the right one");
    EQUAL(main_with("Secret"), SPICE_LINK_ERR_PERMISSION_DENIED, "another letter");
    EQUAL(main_with("secre"), SPICE_LINK_ERR_PERMISSION_DENIED, "its beginning");
    EQUAL(main_with("secrets"), SPICE_LINK_ERR_PERMISSION_DENIED, "one letter more");
    EQUAL(main_with(""), SPICE_LINK_ERR_PERMISSION_DENIED, "nothing");
    EQUAL(main_with("secret"), SPICE_LINK_ERR_OK, "the right one again");
    end();
}
/* Who guesses on this machine may stand for others who do not, behind a proxy. */
static void guesses_keep_nobody_else_out(void)
{
    begin();
    EQUAL(spice_server_set_ticket(server, "secret", 0, 0, 0), 0, "ticket");
    EQUAL(spice_server_init(server, &core), 0, "init");
    for (int i = 0; i < 12; i++) EQUAL(main_with("wrong"), SPICE_LINK_ERR_PERMISSION_DENIED, "a guess");
    EQUAL(main_with("secret"), SPICE_LINK_ERR_OK, "the right one after twelve guesses");
    end();
}
/* Of 60 bytes, the C library keeps 59, and lets in nobody. */
static void the_longest(void)
{
    begin();
    int size = SPICE_MAX_PASSWORD_LENGTH - (with_c_faults() ? 1 : 0);
    char *password = letters(size);
    EQUAL(spice_server_set_ticket(server, password, 0, 0, 0), 0, "a long one");
    EQUAL(spice_server_init(server, &core), 0, "init");
    EQUAL(main_with(password), SPICE_LINK_ERR_OK, "the right one");
    password[size - 1] ^= 1;
    EQUAL(main_with(password), SPICE_LINK_ERR_PERMISSION_DENIED, "another last byte");
    g_free(password);
    end();
}
static void nobody_comes_without_a_ticket_being_set(void)
{
    begin();
    EQUAL(spice_server_init(server, &core), 0, "init");
    EQUAL(main_with(""), SPICE_LINK_ERR_PERMISSION_DENIED, "nothing, and no ticket was ever set");
    EQUAL(main_with("x"), SPICE_LINK_ERR_PERMISSION_DENIED, "anything, and no ticket was ever set");
    EQUAL(spice_server_set_ticket(server, NULL, 0, 0, 0), 0, "no password");
    EQUAL(main_with(""), SPICE_LINK_ERR_PERMISSION_DENIED, "nothing for nothing");
    EQUAL(spice_server_set_ticket(server, "", 0, 0, 0), 0, "an empty one");
    EQUAL(main_with(""), SPICE_LINK_ERR_PERMISSION_DENIED, "an empty ticket lets in nobody");
    end();
}
static void noauth_lets_in_anybody(void)
{
    begin();
    EQUAL(spice_server_set_noauth(server), 0, "noauth");
    EQUAL(spice_server_init(server, &core), 0, "init");
    EQUAL(main_with(""), SPICE_LINK_ERR_OK, "nothing");
    EQUAL(main_with("anything"), SPICE_LINK_ERR_OK, "anything");
    EQUAL(spice_server_set_ticket(server, "secret", 0, 0, 0), 0, "a ticket from now on");
    EQUAL(main_with("anything"), SPICE_LINK_ERR_PERMISSION_DENIED, "a wrong one after noauth");
    EQUAL(main_with("secret"), SPICE_LINK_ERR_OK, "the right one after noauth");
    EQUAL(spice_server_set_noauth(server), 0, "noauth while it runs");
    EQUAL(main_with(""), SPICE_LINK_ERR_OK, "nothing, again");
    end();
}
static void it_ends_with_its_lifetime(void)
{
    begin();
    EQUAL(spice_server_init(server, &core), 0, "init");
    EQUAL(spice_server_set_ticket(server, "secret", -1, 0, 0), 0, "over before it begins");
    EQUAL(main_with("secret"), SPICE_LINK_ERR_PERMISSION_DENIED, "a ticket that is over");
    EQUAL(spice_server_set_ticket(server, "secret", 3600, 0, 0), 0, "for an hour");
    EQUAL(main_with("secret"), SPICE_LINK_ERR_OK, "within the hour");
    EQUAL(spice_server_set_ticket(server, "secret", INT_MAX, 0, 0), 0, "for 68 years");
    EQUAL(main_with("secret"), SPICE_LINK_ERR_OK, "within 68 years");
    EQUAL(spice_server_set_ticket(server, "secret", 1, 0, 0), 0, "for a second");
    run_for(2200);
    EQUAL(main_with("secret"), SPICE_LINK_ERR_PERMISSION_DENIED, "two seconds later");
    EQUAL(spice_server_set_ticket(server, "secret", 0, 0, 0), 0, "for ever");
    EQUAL(main_with("secret"), SPICE_LINK_ERR_OK, "for ever");
    end();
}
/* Who is here stays when the ticket is over, and can open further channels: with the C library by the ticket that is good by
 * then; a server may also take the one that the session began with. */
static void a_session_outlives_its_ticket(void)
{
    begin();
    EQUAL(spice_server_set_ticket(server, "secret", 0, 0, 0), 0, "ticket");
    EQUAL(spice_server_init(server, &core), 0, "init");
    Channel *viewer = come("secret");
    Link inputs = { .type = SPICE_CHANNEL_INPUTS, .session = viewer->session, .password = "secret" };
    EQUAL(spice_server_set_ticket(server, "secret", -1, 0, 0), 0, "over");
    EQUAL(main_with("secret"), SPICE_LINK_ERR_PERMISSION_DENIED, "a session with a ticket that is over");
    CHECK(stays(viewer, 100), "who is here is sent away when the ticket is over");
    EQUAL(spice_server_set_ticket(server, "other", 0, 0, 0), 0, "another");
    int with_old = knock(port, inputs);
    inputs.password = "other";
    int with_new = knock(port, inputs);
    CHECK(with_old == SPICE_LINK_ERR_OK || with_new == SPICE_LINK_ERR_OK, "neither ticket opens a channel: %d, %d", with_old, with_new);
    inputs.password = "wrong";
    EQUAL(knock(port, inputs), SPICE_LINK_ERR_PERMISSION_DENIED, "a channel with a wrong ticket");
    EQUAL(main_with("secret"), SPICE_LINK_ERR_PERMISSION_DENIED, "a session with the ticket before");
    hang_up(viewer);
    end();
}
static void fail_if_connected(void)
{
    begin();
    EQUAL(spice_server_set_ticket(server, "first", 0, 1, 0), 0, "nobody is here");
    EQUAL(spice_server_init(server, &core), 0, "init");
    Channel *viewer = come("first");
    EQUAL(spice_server_set_ticket(server, "second", 0, 1, 0), -1, "somebody is here");
    EQUAL(spice_server_set_ticket(server, "second", 0, 1, 1), -1, "somebody is here, and that comes first");
    CHECK(stays(viewer, 100), "sent away, although it failed");
    hang_up(viewer);
    WAIT_FOR(spice_server_get_num_clients(server) == 0, "who has left is still counted");
    EQUAL(main_with("second"), SPICE_LINK_ERR_PERMISSION_DENIED, "the ticket that was not set");
    EQUAL(main_with("first"), SPICE_LINK_ERR_OK, "the ticket that stayed");
    WAIT_FOR(spice_server_get_num_clients(server) == 0, "who has left is still counted");
    EQUAL(spice_server_set_ticket(server, "second", 0, 1, 0), 0, "nobody is here any more");
    EQUAL(main_with("second"), SPICE_LINK_ERR_OK, "the new one");
    end();
}
static void disconnect_if_connected(void)
{
    begin();
    EQUAL(spice_server_set_ticket(server, "first", 0, 0, 1), 0, "nobody is here");
    EQUAL(spice_server_init(server, &core), 0, "init");
    Channel *viewer = come("first");
    Channel *inputs = open_channel(port, (Link){ .type = SPICE_CHANNEL_INPUTS, .session = viewer->session, .password = "first" });
    EQUAL(spice_server_set_ticket(server, "second", 0, 0, 0), 0, "who is here may stay");
    CHECK(stays(viewer, 100), "sent away unasked");
    EQUAL(spice_server_set_ticket(server, "third", 0, 0, 1), 0, "who is here goes");
    CHECK(ends(viewer), "the main channel is still there");
    CHECK(ends(inputs), "the inputs channel is still there");
    hang_up(viewer);
    hang_up(inputs);
    WAIT_FOR(spice_server_get_num_clients(server) == 0, "who was sent away is still counted");
    EQUAL(main_with("second"), SPICE_LINK_ERR_PERMISSION_DENIED, "the one before");
    EQUAL(main_with("third"), SPICE_LINK_ERR_OK, "the new one");
    end();
}
/* Viewers of before the choice of a mechanism show their ticket right away. */
static void without_a_choice_of_mechanism(void)
{
    begin();
    EQUAL(spice_server_set_ticket(server, "secret", 0, 0, 0), 0, "ticket");
    EQUAL(spice_server_init(server, &core), 0, "init");
    EQUAL(knock(port, (Link){ .type = SPICE_CHANNEL_MAIN, .password = "secret", .no_auth_selection = 1 }), SPICE_LINK_ERR_OK, "the right one");
    EQUAL(knock(port, (Link){ .type = SPICE_CHANNEL_MAIN, .password = "wrong", .no_auth_selection = 1 }), SPICE_LINK_ERR_PERMISSION_DENIED, "a wrong one");
    end();
}
/* What is no ticket at all is refused, and nobody else notices. */
static void not_a_ticket(void)
{
    begin();
    EQUAL(spice_server_set_ticket(server, "secret", 0, 0, 0), 0, "ticket");
    EQUAL(spice_server_init(server, &core), 0, "init");
    for (int kind = 0; kind < 5; kind++) {
        Link link = { .type = SPICE_CHANNEL_MAIN };
        Channel *c = channel_new(dial(port));
        SpiceLinkReply reply;
        uint8_t ticket[128], secret[80];
        memset(ticket, kind == 0 ? 0 : 0xff, sizeof ticket);
        memset(secret, 'x', sizeof secret);
        EQUAL(greet(c, &link, &reply), 0, "greeting");
        /* More than a password may have, and no end of the string. */
        if (kind == 2) encrypt(reply.pub_key, secret, sizeof secret, ticket);
        if (kind == 3) encrypt(reply.pub_key, "secret", 6, ticket);
        if (kind == 4) encrypt(reply.pub_key, "secret\0and more", 15, ticket);
        int result = show_ticket(c, &link, ticket);
        /* What follows the end does not count. */
        if (kind == 4) EQUAL(result, SPICE_LINK_ERR_OK, "the right one, and something after it");
        /* Without its end it may count as the right one or not; all else is wrong, or an end of the connection. */
        if (kind < 3) CHECK(result == SPICE_LINK_ERR_PERMISSION_DENIED || result == -1, "kind %d: %d", kind, result);
        hang_up(c);
    }
    EQUAL(main_with("secret"), SPICE_LINK_ERR_OK, "the right one");
    end();
}
static void a_mechanism_that_nobody_knows(void)
{
    begin();
    EQUAL(spice_server_set_ticket(server, "secret", 0, 0, 0), 0, "ticket");
    EQUAL(spice_server_init(server, &core), 0, "init");
    Link link = { .type = SPICE_CHANNEL_MAIN };
    Channel *c = channel_new(dial(port));
    SpiceLinkReply reply;
    uint8_t ticket[128];
    uint32_t mechanism = 99;
    EQUAL(greet(c, &link, &reply), 0, "greeting");
    encrypt(reply.pub_key, "secret", 7, ticket);
    send_all(c, &mechanism, 4);
    /* The ticket right after it, as to a mechanism of no words of its own. */
    link.no_auth_selection = 1;
    CHECK(show_ticket(c, &link, ticket) != SPICE_LINK_ERR_OK, "a right ticket by no mechanism");
    hang_up(c);
    EQUAL(main_with("secret"), SPICE_LINK_ERR_OK, "the right one");
    end();
}
/* One that is too long changes nothing. */
static void one_that_is_refused(void)
{
    begin();
    EQUAL(spice_server_set_ticket(server, "secret", 0, 0, 0), 0, "ticket");
    EQUAL(spice_server_init(server, &core), 0, "init");
    char *password = letters(SPICE_MAX_PASSWORD_LENGTH + 1);
    EQUAL(spice_server_set_ticket(server, password, 0, 0, 0), -1, "a ticket that is too long");
    EQUAL(main_with(password), SPICE_LINK_ERR_PERMISSION_DENIED, "the one that was refused");
    EQUAL(main_with("secret"), SPICE_LINK_ERR_OK, "the one before");
    g_free(password);
    end();
}
static void two_links_at_once(void)
{
    begin();
    EQUAL(spice_server_set_ticket(server, "secret", 0, 0, 0), 0, "ticket");
    EQUAL(spice_server_init(server, &core), 0, "init");
    SpiceLinkReply replies[2];
    Channel *links[2];
    Link link = { .type = SPICE_CHANNEL_MAIN };
    for (int i = 0; i < 2; i++) {
        links[i] = channel_new(dial(port));
        EQUAL(greet(links[i], &link, &replies[i]), 0, "greeting");
    }
    for (int i = 1; i >= 0; i--) {
        uint8_t ticket[128];
        encrypt(replies[i].pub_key, i ? "wrong" : "secret", i ? 6 : 7, ticket);
        EQUAL(show_ticket(links[i], &link, ticket), i ? SPICE_LINK_ERR_PERMISSION_DENIED : SPICE_LINK_ERR_OK, "each by its own ticket");
        hang_up(links[i]);
    }
    end();
}

MAIN(CASE(what_is_taken), CASE(who_is_let_in), CASE(guesses_keep_nobody_else_out), CASE(the_longest), CASE(nobody_comes_without_a_ticket_being_set),
     CASE(noauth_lets_in_anybody), CASE(it_ends_with_its_lifetime), CASE(a_session_outlives_its_ticket), CASE(fail_if_connected),
     CASE(disconnect_if_connected), CASE(without_a_choice_of_mechanism), CASE(not_a_ticket), CASE(a_mechanism_that_nobody_knows),
     CASE(one_that_is_refused), CASE(two_links_at_once))
