//! Codes of `wx.login` and of getPhoneNumber.

use super::SimHandle;
use crate::{CodeInfo, MOCK_CODE, SimError};

impl SimHandle {
    /// The phone calls `wx.login`: a login code.
    ///
    /// # Errors
    /// Unknown app or user.
    pub fn issue_code(&self, appid: &str, user: &str) -> Result<String, SimError> {
        let now = self.now_ms();
        self.0.state().issue_code(appid, user, now)
    }

    /// The user presses `<button open-type="getPhoneNumber">`: a phone code.
    ///
    /// # Errors
    /// Unknown app or user.
    pub fn issue_phone_code(&self, appid: &str, user: &str) -> Result<String, SimError> {
        let now = self.now_ms();
        self.0.state().issue_phone_code(appid, user, now)
    }

    /// How often this login code was shown to code2Session, whatever the outcome. 0 for a code that was never issued.
    pub fn exchanges_of(&self, code: &str) -> u64 {
        if code == MOCK_CODE {
            return self.0.state().counters.mock_exchanges;
        }
        self.code(code).map_or(0, |code| code.exchanges)
    }

    /// What is known about a login code.
    pub fn code(&self, code: &str) -> Option<CodeInfo> {
        self.0.state().codes.get(code).cloned()
    }

    /// What is known about a phone code.
    pub fn phone_code(&self, code: &str) -> Option<CodeInfo> {
        self.0.state().phone_codes.get(code).cloned()
    }
}
