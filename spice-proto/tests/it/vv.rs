//! Connection files.

use proptest::prelude::*;
use spice_proto::ChannelType;
use spice_proto::vv::{ConnectionFile, ConnectionFileErrorKind, Entry, Group, Secret};

const FILE: &str = "# from the management
[virt-viewer]
type=spice
host=2001:db8::5
port=-1
tls-port=5901
password=s;e\\\\c\\sret
# Password is valid for 120 seconds.
delete-this-file=1
fullscreen=0
title=guest : %d - Press SHIFT+F12 to Release Cursor
secure-channels=main;inputs;cursor;playback
x-second=2
versions=rhev-win64:2.0-160;rhel7:2.0-6;
ca=-----BEGIN CERTIFICATE-----\\nMIID\\n-----END CERTIFICATE-----\\n
host-subject=O=example,CN=host 5
x-first=\\q
proxy=http://user:pass@proxy:8080

[ovirt]
host=engine.example.org:443
sso-token=geheim
[virt-viewer]
title=later
";

#[test]
fn a_file_is_read_and_written() {
    let file = ConnectionFile::parse(FILE).unwrap();
    assert_eq!(file.session_type, "spice");
    assert_eq!((file.host.as_deref(), file.port, file.tls_port), (Some("2001:db8::5"), None, Some(5901)));
    assert_eq!(file.password, Some(Secret("s;e\\c ret".into())));
    assert_eq!(
        (file.delete_this_file, file.fullscreen, file.enable_usbredir),
        (Some(true), Some(false), None)
    );
    assert_eq!(file.title.as_deref(), Some("later"));
    assert_eq!(file.host_subject.as_deref(), Some("O=example,CN=host 5"));
    assert_eq!(file.ca.as_deref(), Some("-----BEGIN CERTIFICATE-----\nMIID\n-----END CERTIFICATE-----\n"));
    assert_eq!(file.versions, ["rhev-win64:2.0-160", "rhel7:2.0-6"]);
    let unknown: Vec<_> = file.other.iter().map(|entry| (entry.key(), entry.raw(), entry.text())).collect();
    assert_eq!(unknown, [("x-second", "2", Some("2".into())), ("x-first", "\\q", None)]);
    assert_eq!(file.groups.len(), 1);
    assert_eq!((file.groups[0].name(), file.groups[0].entries.len()), ("ovirt", 2));

    let written = file.write();
    assert_eq!(ConnectionFile::parse(&written).as_ref(), Ok(&file));
    assert_eq!(ConnectionFile::parse(&FILE.replace('\n', "\r\n")).as_ref(), Ok(&file));
    assert!(written.starts_with("[virt-viewer]\ntype=spice\n"), "{written}");
    assert!(written.contains("\npassword=s;e\\\\c ret\n"), "{written}");
    assert!(written.contains("\nx-second=2\nx-first=\\q\n\n[ovirt]\nhost=engine"), "{written}");
}

#[test]
fn channels_are_secured_by_name_or_all_at_once() {
    let mut file = ConnectionFile::parse(FILE).unwrap();
    let secured: Vec<_> = ChannelType::all().filter(|channel| file.secures(*channel)).collect();
    let named = [ChannelType::MAIN, ChannelType::INPUTS, ChannelType::CURSOR, ChannelType::PLAYBACK];
    assert_eq!(secured, named);
    assert!(!file.secures(ChannelType(99)));
    file.secure_channels = vec!["all".into()];
    assert!(file.secures(ChannelType::WEBDAV) && file.secures(ChannelType(99)));
}

#[test]
fn secrets_do_not_show() {
    let shown = format!("{:?}", ConnectionFile::parse(FILE).unwrap());
    assert!(!shown.contains("c ret") && !shown.contains("geheim") && !shown.contains("pass@"), "{shown}");
    let error = ConnectionFile::parse("[virt-viewer]\nport=geheim\n").unwrap_err();
    assert!(!format!("{error:?} {error}").contains("geheim"));
}

#[test]
fn a_fault_has_its_line() {
    for (text, expected) in [
        ("", "line 1: the file ends without a `type` in a group `virt-viewer`"),
        ("[virt-viewer]\nhost=a\n", "line 2: the file ends without a `type` in a group `virt-viewer`"),
        ("[other]\ntype=spice\n\n", "line 3: the file ends without a `type` in a group `virt-viewer`"),
        ("\ntype=spice\n", "line 2: a key before the first group"),
        ("[virt-viewer]\n; no\n", "line 2: neither a group, nor a key with a value, nor a comment"),
        ("[virt-viewer\n", "line 1: neither a group, nor a key with a value, nor a comment"),
        ("[a[b]\n", "line 1: not a name for a group"),
        ("[virt-viewer]\n=1\n", "line 2: not a name for a key"),
        ("[virt-viewer]\nport=65536\n", "line 2: the value of `port` is not a number from -1 to 65535"),
        ("[virt-viewer]\ntls-port=\n", "line 2: the value of `tls-port` is not a number from -1 to 65535"),
        ("[virt-viewer]\n\nhost=a\\b\n", "line 3: `\\b` in the value of `host` means nothing"),
        ("[virt-viewer]\nhost=a\\", "line 2: `\\` in the value of `host` means nothing"),
        ("[virt-viewer]\nhost=a\\;b\n", "line 2: `\\;` in the value of `host` means nothing"),
    ] {
        assert_eq!(ConnectionFile::parse(text).unwrap_err().to_string(), expected, "{text}");
    }
    let error = ConnectionFile::parse("[virt-viewer]\nfullscreen=yes\n").unwrap_err();
    assert_eq!((error.line, matches!(error.kind, ConnectionFileErrorKind::Number { .. })), (2, true));
}

#[test]
fn no_entry_can_break_out_of_its_line() {
    let entry = Entry::new("x-note", " one\ntype=vnc\r\n[ovirt]").unwrap();
    assert_eq!(entry.raw(), "\\sone\\ntype=vnc\\r\\n[ovirt]");
    for key in ["", "a=b", "a\nb", "#a", " a", "a ", "[a]", "a[b]c"] {
        assert_eq!(Entry::new(key, ""), None, "{key}");
    }
    for name in ["", "a]", "[a", "a\nb", "virt-viewer"] {
        assert_eq!(Group::new(name), None, "{name}");
    }
}

proptest! {
    #[test]
    fn every_file_comes_back(texts in prop::collection::vec("[ -~\t\r\n\u{c}é]{0,12}", 8), port in any::<u16>()) {
        let mut file = ConnectionFile::new(texts[0].as_str());
        file.host = Some(texts[1].clone());
        file.port = Some(port).filter(|port| *port != 0);
        file.password = Some(Secret(texts[2].clone()));
        file.secure_channels = texts[3..5].to_vec();
        file.fullscreen = Some(port.is_multiple_of(2));
        file.other.extend(Entry::new("x-text", &texts[5]));
        let mut group = Group::new("ovirt").unwrap();
        group.entries.extend(Entry::new("ca", &texts[6]));
        file.groups.push(group);
        prop_assert_eq!(ConnectionFile::parse(&file.write()), Ok(file));
    }

    #[test]
    fn any_text_is_a_file_or_has_a_fault(text in "(\\[virt-viewer\\]\ntype=a\n)?([a-c\\[\\]=#\\\\; \t\r\n\u{c}]|port=|\ntitle=){0,40}") {
        if let Ok(file) = ConnectionFile::parse(&text) {
            prop_assert_eq!(ConnectionFile::parse(&file.write()), Ok(file));
        }
    }
}
