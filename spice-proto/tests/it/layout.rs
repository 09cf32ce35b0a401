//! Messages with their bytes written down.

/// For each number: these bytes are this message, and it is these bytes. No truncation of them is the same message, and
/// with a byte more they are another one or none, unless offsets may point behind what there is (`front`).
macro_rules! check_layout {
    ($message:ty: $($id:literal $digits:literal => $sample:expr $(, $front:ident)?;)*) => {$({
        let bytes = crate::hex::hex(&$digits.replace(' ', ""));
        let message: $message = $sample;
        assert_eq!(message.id(), $id);
        assert!(<$message>::name($id).is_some());
        assert_eq!(<$message>::decode($id, &bytes).as_ref(), Ok(&message));
        assert_eq!(message.encode().to_bytes(), bytes, "{message:?}");
        for short in 0..bytes.len() {
            let cut = <$message>::decode($id, &bytes.slice(..short));
            assert_ne!(cut.as_ref(), Ok(&message), "cut to {short}");
        }
        let front: &[&str] = &[$(stringify!($front))?];
        if front.is_empty() {
            let longer = bytes::Bytes::from([&bytes[..], &[0]].concat());
            assert_ne!(<$message>::decode($id, &longer), Ok(message));
        }
    })*};
}

pub(crate) use check_layout;
