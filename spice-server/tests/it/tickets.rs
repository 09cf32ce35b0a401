//! Who is let in.

use spice_client::LinkFailure;
use spice_proto::{ChannelType, ConnectionId, LinkError};
use spice_server::{Auth, Secret, Ticket};

use crate::support::{TestChannel, TestServer, TestViewer, scripted, wait_for};

#[test]
fn the_right_ticket_opens_every_channel_and_a_wrong_one_none() {
    let (guest, _script) = scripted(true);
    let server = TestServer::start(Auth::ticket(Secret::new(b"s3cret").unwrap()), guest);
    for wrong in ["s3cre", "s3crett", &"x".repeat(60)] {
        let refused = TestViewer::join(&server, wrong).err();
        assert!(
            matches!(refused, Some(LinkFailure::Refused(LinkError::PERMISSION_DENIED))),
            "{wrong}: {refused:?}"
        );
    }
    let viewer = TestViewer::join(&server, "s3cret").unwrap();
    let refused = TestChannel::link(&server, viewer.connection, ChannelType::DISPLAY, "wrong").err();
    assert!(matches!(refused, Some(LinkFailure::Refused(LinkError::PERMISSION_DENIED))));
    viewer.display(&server, "s3cret").until(spice_client::DisplayModel::is_marked);
}

#[test]
fn a_connection_id_that_no_viewer_has_and_a_channel_that_a_viewer_has_already_are_refused() {
    let (guest, _script) = scripted(true);
    let server = TestServer::start(Auth::Open, guest);
    let viewer = TestViewer::join(&server, "").unwrap();
    for id in [0, viewer.connection.0 ^ 1] {
        let refused = TestChannel::link(&server, ConnectionId(id), ChannelType::DISPLAY, "").err();
        assert!(matches!(refused, Some(LinkFailure::Refused(LinkError::BAD_CONNECTION_ID))), "{refused:?}");
    }
    let mut display = viewer.display(&server, "");
    display.until(spice_client::DisplayModel::is_marked);
    let refused = TestChannel::link(&server, viewer.connection, ChannelType::DISPLAY, "").err();
    assert!(matches!(refused, Some(LinkFailure::Refused(LinkError::CHANNEL_NOT_AVAILABLE))), "{refused:?}");
}

#[test]
fn a_viewer_ends_with_its_main_channel() {
    let (guest, _script) = scripted(true);
    let server = TestServer::start(Auth::Open, guest);
    let viewer = TestViewer::join(&server, "").unwrap();
    let mut display = viewer.display(&server, "");
    display.until(spice_client::DisplayModel::is_marked);
    drop(viewer.main);
    assert!(display.channel.drains_to_its_end());
    wait_for("the viewer is forgotten", || (server.stats)().viewers == 0);
}

#[test]
fn a_server_that_was_open_can_ask_for_tickets_and_be_opened_again() {
    let (guest, _script) = scripted(true);
    let server = TestServer::start(Auth::Open, guest);
    let stays = TestViewer::join(&server, "").unwrap();
    let ticket = || Ticket::new(Secret::new(b"s3cret").unwrap());
    assert!(server.control.add_ticket(ticket()).is_err(), "nobody asks for it");
    server.control.set_open(false).unwrap();
    assert!(TestViewer::join(&server, "s3cret").is_err());
    server.control.add_ticket(ticket()).unwrap();
    let refused = TestViewer::join(&server, "").err();
    assert!(matches!(refused, Some(LinkFailure::Refused(LinkError::PERMISSION_DENIED))), "{refused:?}");
    TestViewer::join(&server, "s3cret").unwrap();
    server.control.set_open(true).unwrap();
    TestViewer::join(&server, "anything").unwrap();
    assert!((server.stats)().viewers >= 1);
    drop(stays);
}
