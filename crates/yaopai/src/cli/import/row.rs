//! What a row says.

use yaopai_core::app::Apps;
use yaopai_core::ids::{AppName, USER_ID_MAX, UserId};
use yaopai_core::ports::UserFound;
use yaopai_core::service::FileBinding;
use yaopai_core::session::Claims;
use yaopai_core::time::Timestamp;

use super::columns::Columns;
use super::problem::Malformed;
use super::rows::{Broken, Raw};

/// The longest openid, unionid and app's name in bytes.
const VALUE_MAX: usize = USER_ID_MAX;

/// How rows are read.
pub struct Reading<'a> {
    pub columns: Columns,
    pub apps: &'a Apps,
    /// The app of rows that name none.
    pub app: Option<AppName>,
    pub now: Timestamp,
}

/// A row that says nothing that can be used.
#[derive(Debug)]
pub struct Bad {
    pub why: Malformed,
    /// What could be read of it, for the report.
    pub openid: String,
    pub user: String,
}

impl Reading<'_> {
    /// Reads a row.
    ///
    /// # Errors
    /// What is wrong with it: the first thing, in the order of the columns as documented.
    pub fn row(&self, raw: Raw<'_>) -> Result<FileBinding, Bad> {
        self.binding(&raw).map_err(|why| {
            let whole = raw.broken.is_none() && raw.len() == self.columns.count;
            let shown = |column| if whole { shown(raw.field(column)) } else { String::new() };
            Bad { why, openid: shown(self.columns.openid), user: shown(self.columns.user) }
        })
    }

    fn binding(&self, raw: &Raw<'_>) -> Result<FileBinding, Malformed> {
        match raw.broken {
            Some(Broken::OpenQuote) => return Err(Malformed::OpenQuote),
            Some(Broken::TooLong) => return Err(Malformed::RowTooLong),
            Some(Broken::TooManyFields) => return Err(Malformed::FieldCount),
            None if raw.len() != self.columns.count => return Err(Malformed::FieldCount),
            None => {}
        }
        let optional = |name, column: Option<usize>| match column.map(|n| raw.field(n)) {
            None | Some([]) => Ok(None),
            Some(bytes) => value(name, bytes).map(Some),
        };
        let app = match optional("app", self.columns.app)? {
            Some(name) => Some(AppName::from(name)),
            None => self.app.clone(),
        };
        let app = app.ok_or(Malformed::Missing("app"))?;
        // The configuration's own name of it: one text for all rows.
        let app = self.apps.get(&app).ok_or(Malformed::AppUnknown)?.name.clone();
        let openid = value("openid", raw.field(self.columns.openid))?.to_owned();
        let user = UserId::from(value("user", raw.field(self.columns.user))?);
        let unionid = optional("unionid", self.columns.unionid)?.map(str::to_owned);
        let claims = self.columns.claims.map(|n| claims(raw.field(n))).transpose()?.flatten();
        let bound_at = match self.columns.bound_at.map(|n| raw.field(n)) {
            None | Some([]) => None,
            Some(bytes) => Some(self.instant(bytes).ok_or(Malformed::BoundAt)?),
        };
        Ok(FileBinding { app, openid, unionid, user: UserFound { user, claims }, bound_at })
    }

    fn instant(&self, bytes: &[u8]) -> Option<Timestamp> {
        let at: jiff::Timestamp = std::str::from_utf8(bytes).ok()?.parse().ok()?;
        let at = Timestamp(at.as_millisecond());
        (Timestamp(0)..=self.now).contains(&at).then_some(at)
    }
}

/// A name or an id. An id with white space around it would never be found again.
fn value<'r>(column: &'static str, bytes: &'r [u8]) -> Result<&'r str, Malformed> {
    let text = std::str::from_utf8(bytes).map_err(|_| Malformed::NotUtf8(column))?;
    if text.is_empty() {
        Err(Malformed::Missing(column))
    } else if text.len() > VALUE_MAX {
        Err(Malformed::TooLong(column))
    } else if text.contains(char::is_control) {
        Err(Malformed::Control(column))
    } else if text.trim() != text {
        Err(Malformed::Space(column))
    } else {
        Ok(text)
    }
}

fn claims(bytes: &[u8]) -> Result<Option<Claims>, Malformed> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Malformed::NotUtf8("claims"))?;
    let json: serde_json::Value = serde_json::from_str(text).map_err(|_| Malformed::ClaimsNotJson)?;
    if !json.is_object() {
        return Err(Malformed::ClaimsNotJson);
    }
    Claims::from_json(&json).map(Some).ok_or(Malformed::ClaimsTooLarge)
}

/// For the report: enough to find the row by.
fn shown(bytes: &[u8]) -> String {
    let text: String =
        String::from_utf8_lossy(bytes).chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    text.chars().take(VALUE_MAX).collect()
}
