//! The pages of `docs/checks/`. Generated: `just gen` writes this file from the folder.

/// Code and text of every page, in the order of the codes.
#[rustfmt::skip]
pub const PAGES: &[(&str, &str)] = &[
    ("DT101", include_str!("../../../docs/checks/DT101.md")),
    ("DT102", include_str!("../../../docs/checks/DT102.md")),
    ("DT103", include_str!("../../../docs/checks/DT103.md")),
    ("DT104", include_str!("../../../docs/checks/DT104.md")),
    ("DT105", include_str!("../../../docs/checks/DT105.md")),
    ("DT106", include_str!("../../../docs/checks/DT106.md")),
    ("DT107", include_str!("../../../docs/checks/DT107.md")),
    ("DT112", include_str!("../../../docs/checks/DT112.md")),
    ("DT113", include_str!("../../../docs/checks/DT113.md")),
    ("DT114", include_str!("../../../docs/checks/DT114.md")),
    ("DT115", include_str!("../../../docs/checks/DT115.md")),
    ("DT116", include_str!("../../../docs/checks/DT116.md")),
    ("DT117", include_str!("../../../docs/checks/DT117.md")),
    ("DT121", include_str!("../../../docs/checks/DT121.md")),
    ("DT122", include_str!("../../../docs/checks/DT122.md")),
    ("DT123", include_str!("../../../docs/checks/DT123.md")),
    ("DT124", include_str!("../../../docs/checks/DT124.md")),
    ("DT125", include_str!("../../../docs/checks/DT125.md")),
    ("DT126", include_str!("../../../docs/checks/DT126.md")),
];
