//! What a viewer relays from another server, or pretends to.

use bytes::Bytes;
use spice_proto::migration::{DisplayData, InputsData, LossyAreas, MainData, SmartcardData, SpiceVmcData};

/// Migration data of every channel: what decodes comes back from its own encoding.
pub fn migration(data: &[u8]) {
    let body = Bytes::copy_from_slice(data);
    macro_rules! states {
        ($($state:ty),*) => {$(
            if let Ok(state) = <$state>::decode(&body) {
                assert_eq!(<$state>::decode(&state.encode().to_bytes()).as_ref(), Ok(&state));
            }
        )*};
    }
    states!(MainData, InputsData, SmartcardData, SpiceVmcData);
    for areas in [LossyAreas::Never, LossyAreas::Always, LossyAreas::OnLowBandwidth] {
        if let Ok(state) = DisplayData::decode(&body, areas) {
            assert_eq!(DisplayData::decode(&state.encode().to_bytes(), areas).as_ref(), Ok(&state));
        }
    }
}
