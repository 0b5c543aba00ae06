//! dtsctl.
