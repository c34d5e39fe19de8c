//! An answer, as tests look at it.

use std::fmt::Write as _;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::PRINCIPAL;

#[derive(Debug, Clone)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    pub async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {} {}", self.status, self.text))
    }

    /// A field of a success.
    #[track_caller]
    pub fn field(&self, name: &str) -> String {
        self.ok().json()[name].as_str().unwrap_or_else(|| panic!("no text {name} in {}", self.text)).to_owned()
    }

    /// It is a success.
    #[track_caller]
    pub fn ok(&self) -> &Self {
        assert!(self.status.is_success(), "{} {}", self.status, self.text);
        self
    }

    /// A header's one value; empty and absent differ.
    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next().map(|v| v.to_str().unwrap());
        assert!(values.next().is_none(), "{name} came twice");
        value
    }

    /// `status code` of a refusal, which must be one in every respect.
    #[track_caller]
    pub fn refusal(&self) -> String {
        let code = self.header("yaopai-code").unwrap_or_else(|| panic!("no refusal: {} {}", self.status, self.text));
        assert!(self.header("yaopai-time").is_some_and(|t| t.ends_with('Z')), "no Yaopai-Time");
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(problem["code"], code);
        assert_eq!(problem["type"], format!("urn:yaopai:error:{code}"));
        assert!(problem["title"].as_str().is_some_and(|t| !t.is_empty()));
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.len() > 10 && detail.ends_with('.'), "not a sentence: {detail}");
        // nginx knows only 401 and 403; the status we mean is in a header of its own.
        let meant = self.header("yaopai-status").map_or(self.status.as_u16(), |s| s.parse().unwrap());
        assert_eq!(problem["status"], meant);
        if self.status == 401 {
            assert_eq!(self.header("www-authenticate"), Some("Bearer realm=\"yaopai\""));
        }
        format!("{meant} {code}")
    }

    /// For snapshots: status, the headers that matter, the body. Ids and tokens are random and are left out.
    pub fn show(&self) -> String {
        let mut out = format!("{}\n", self.status);
        let matter = ["content-type", "cache-control", "retry-after", "set-cookie", "www-authenticate"];
        let mut names: Vec<&str> = self.headers.keys().map(|n| n.as_str()).collect();
        names.retain(|n| matter.contains(n) || n.starts_with("yaopai-"));
        names.sort_unstable();
        for name in names {
            for value in self.headers.get_all(name) {
                let value = value.to_str().unwrap();
                let hidden = ["yaopai-session-id", "yaopai-identity-id"].contains(&name) && !value.is_empty();
                let value = if hidden { "[id]" } else { value };
                writeln!(out, "{}", format!("{name}: {value}").trim_end()).unwrap();
            }
        }
        match serde_json::from_str::<Value>(&self.text) {
            Ok(mut value) => {
                redact(&mut value);
                out += &serde_json::to_string_pretty(&value).unwrap();
            }
            Err(_) => out += &self.text,
        }
        out.trim_end().to_owned()
    }

    /// The principal headers of a check's answer that aren't empty. All of them must be there, each once.
    #[track_caller]
    pub fn principal(&self) -> Vec<(&'static str, String)> {
        assert_eq!(self.header("cache-control"), Some("no-store"));
        let all = PRINCIPAL.iter().map(|name| {
            let value = self.header(name).unwrap_or_else(|| panic!("{name} is missing"));
            (*name, value.to_owned())
        });
        all.filter(|(_, value)| !value.is_empty()).collect()
    }

    /// Whom a check let pass.
    #[track_caller]
    pub fn user(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.text);
        self.principal();
        self.header("yaopai-user").unwrap().to_owned()
    }

    /// A check refused: nobody's principal, and why.
    #[track_caller]
    pub fn denied(&self) -> String {
        assert_eq!(self.principal(), [], "a refusal names somebody");
        self.refusal()
    }
}

fn redact(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), &*value) {
                    ("token", Value::String(t)) if t.starts_with("yp1_") && t.len() == 74 => *value = "[token]".into(),
                    ("session_id" | "identity_id" | "next", Value::String(id)) if id.len() == 36 => {
                        *value = "[id]".into();
                    }
                    ("user", Value::String(u)) if u.starts_with("u_") && u.len() == 34 => *value = "[made]".into(),
                    _ => redact(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}
