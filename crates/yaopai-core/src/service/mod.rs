//! later
/// later
pub struct Service;
