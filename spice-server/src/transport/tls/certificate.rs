//! A certificate's subject, as spice-gtk's `host-subject` is written, and its public key.
//!
//! Only as much of X.509 (RFC 5280, section 4.1) as leads there: nothing else of a certificate is checked.

/// Attribute types (X.520 `2.5.4.n`) by OpenSSL's short names, which `X509_NAME_add_entry_by_txt` understands.
const X520: [(u8, &str); 13] = [
    (3, "CN"),
    (4, "SN"),
    (5, "serialNumber"),
    (6, "C"),
    (7, "L"),
    (8, "ST"),
    (9, "street"),
    (10, "O"),
    (11, "OU"),
    (12, "title"),
    (17, "postalCode"),
    (42, "GN"),
    (43, "initials"),
];

/// `1.2.840.113549.1.9.1`
const EMAIL: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01];

/// `0.9.2342.19200300.100.1.25`
const DOMAIN_COMPONENT: &[u8] = &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19];

/// `0.9.2342.19200300.100.1.1`
const USER_ID: &[u8] = &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x01];

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTF16_STRING: u8 = 0x1e;
const VERSION: u8 = 0xa0;

/// The subject of a certificate (DER). `None` when it is none.
pub(super) fn subject(der: &[u8]) -> Option<String> {
    let (mut names, _) = expect(from_subject(der)?, SEQUENCE)?;
    let mut parts = Vec::new();
    while !names.is_empty() {
        let mut attributes;
        (attributes, names) = expect(names, SET)?;
        while !attributes.is_empty() {
            let attribute;
            (attribute, attributes) = expect(attributes, SEQUENCE)?;
            let (kind, value) = expect(attribute, OBJECT_IDENTIFIER)?;
            let (tag, value, _) = element(value)?;
            parts.push(format!("{}={}", name(kind), escaped(&text(tag, value))));
        }
    }
    Some(parts.join(","))
}

/// The public key of a certificate (DER): its `SubjectPublicKeyInfo`, with tag and length. `None` when it is none.
pub(super) fn public_key(der: &[u8]) -> Option<&[u8]> {
    let (_, _, fields) = element(from_subject(der)?)?;
    let (_, rest) = expect(fields, SEQUENCE)?;
    fields.get(..fields.len() - rest.len())
}

/// Whether a certificate (DER) is of version 1: such say nothing of their version.
pub(super) fn is_v1(der: &[u8]) -> bool {
    fields(der).is_some_and(|fields| fields.first() != Some(&VERSION))
}

/// The fields of a certificate.
fn fields(der: &[u8]) -> Option<&[u8]> {
    let (certificate, _) = expect(der, SEQUENCE)?;
    expect(certificate, SEQUENCE).map(|(fields, _)| fields)
}

/// The fields of a certificate from its subject on.
fn from_subject(der: &[u8]) -> Option<&[u8]> {
    let mut fields = fields(der)?;
    if fields.first() == Some(&VERSION) {
        (_, _, fields) = element(fields)?;
    }
    // Serial number, signature's algorithm, issuer, validity.
    for _ in 0..4 {
        (_, _, fields) = element(fields)?;
    }
    Some(fields)
}

/// The tag and the content of the first element, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (len, rest) = match first {
        short @ 0..=0x7f => (usize::from(short), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (
                bytes
                    .iter()
                    .try_fold(0_usize, |len, &byte| len.checked_mul(256)?.checked_add(byte.into()))?,
                rest,
            )
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(len)?;
    Some((tag, content, rest))
}

/// The content of the first element, which has this tag, and what follows it.
fn expect(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = element(der)?;
    (found == tag).then_some((content, rest))
}

fn name(kind: &[u8]) -> String {
    let known = match kind {
        [0x55, 0x04, number] => X520.iter().find(|(known, _)| known == number).map(|(_, name)| *name),
        EMAIL => Some("emailAddress"),
        DOMAIN_COMPONENT => Some("DC"),
        USER_ID => Some("UID"),
        _ => None,
    };
    known.map_or_else(|| dotted(kind), str::to_owned)
}

/// An object identifier in numbers, which OpenSSL takes for a name, too.
fn dotted(kind: &[u8]) -> String {
    let mut numbers: Vec<u128> = Vec::new();
    let mut number = 0_u128;
    for byte in kind {
        number = number.saturating_mul(128).saturating_add(u128::from(byte & 0x7f));
        if byte & 0x80 == 0 {
            if numbers.is_empty() {
                let first = (number / 40).min(2);
                numbers.push(first);
                number -= first * 40;
            }
            numbers.push(number);
            number = 0;
        }
    }
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(".")
}

fn text(tag: u8, value: &[u8]) -> String {
    if tag == UTF16_STRING {
        let units =
            value.chunks_exact(2).map(|pair| pair.iter().fold(0, |unit, &byte| unit << 8 | u16::from(byte)));
        return char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    }
    String::from_utf8_lossy(value).into_owned()
}

fn escaped(value: &str) -> String {
    let mut out = String::new();
    for character in value.chars() {
        if matches!(character, ',' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, DistinguishedName, DnType, DnValue, KeyPair};

    use super::*;

    fn certificate(parts: &[(DnType, DnValue)]) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["example.org".into()]).unwrap();
        params.distinguished_name = DistinguishedName::new();
        for (kind, value) in parts {
            params.distinguished_name.push(kind.clone(), value.clone());
        }
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn a_subject_is_written_as_openssl_names_its_parts() {
        let utf8 = |text: &str| DnValue::Utf8String(text.into());
        let der = certificate(&[
            (DnType::CountryName, DnValue::PrintableString("DE".try_into().unwrap())),
            (DnType::OrganizationName, utf8("Müller, Meier \\ Co")),
            (DnType::OrganizationalUnitName, DnValue::BmpString("Büro".try_into().unwrap())),
            (DnType::CustomDnType(vec![1, 2, 840, 113_549, 1, 9, 1]), utf8("root@example.org")),
            (DnType::CustomDnType(vec![0, 9, 2342, 19_200_300, 100, 1, 25]), utf8("example")),
            (DnType::CustomDnType(vec![2, 999, 3]), utf8("x")),
            (DnType::CommonName, utf8("desktop.example.org")),
        ]);
        assert_eq!(
            subject(&der).unwrap(),
            "C=DE,O=Müller\\, Meier \\\\ Co,OU=Büro,emailAddress=root@example.org,DC=example,2.999.3=x,\
             CN=desktop.example.org"
        );
        assert_eq!(subject(&certificate(&[])).unwrap(), "");
        assert_eq!(subject(b""), None);
    }

    #[test]
    fn a_certificate_that_is_cut_has_no_subject_and_does_no_harm() {
        let der = certificate(&[(DnType::CommonName, "x".into())]);
        for len in 0..der.len() {
            assert_eq!(subject(&der[..len]), None, "{len} bytes");
        }
    }

    proptest! {
        #[test]
        fn a_certificate_with_a_wrong_byte_does_no_harm(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut der = certificate(&[(DnType::CommonName, "x".into())]);
            let at = at.index(der.len());
            der[at] = byte;
            let _ = (subject(&der), public_key(&der), is_v1(&der));
        }
    }
}
