//! The header line.

use super::rows::Raw;

const KNOWN: [&str; 6] = ["app", "openid", "user", "unionid", "claims", "bound_at"];

/// Which column stands where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    pub app: Option<usize>,
    pub openid: usize,
    pub user: usize,
    pub unionid: Option<usize>,
    pub claims: Option<usize>,
    pub bound_at: Option<usize>,
    /// How many fields each row must have.
    pub count: usize,
}

impl Columns {
    /// Reads the header. `has_app`: rows needn't name their app.
    ///
    /// # Errors
    /// What is wrong, and what to do.
    pub fn read(header: &Raw<'_>, has_app: bool) -> Result<Self, String> {
        if header.broken.is_some() {
            return Err("it can't be read as a header: it must name the columns, like openid,user".into());
        }
        let mut at = [None; KNOWN.len()];
        for n in 0..header.len() {
            let name =
                std::str::from_utf8(header.field(n)).map_err(|_| "the header is not UTF-8: save the file as UTF-8")?;
            let known = KNOWN.iter().position(|known| *known == name).ok_or_else(|| unknown(name))?;
            if at[known].replace(n).is_some() {
                return Err(format!("column `{name}` is there twice: leave one out"));
            }
        }
        let [app, openid, user, unionid, claims, bound_at] = at;
        let missing = |name| format!("column `{name}` is missing: the first line must name the columns");
        if app.is_none() && !has_app {
            return Err("column `app` is missing: add it, or give --app".into());
        }
        let (openid, user) = (openid.ok_or_else(|| missing("openid"))?, user.ok_or_else(|| missing("user"))?);
        Ok(Self { app, openid, user, unionid, claims, bound_at, count: header.len() })
    }
}

fn unknown(name: &str) -> String {
    let lower = name.trim().to_lowercase();
    let near = |known: &&str| strsim::damerau_levenshtein(&lower, known);
    let nearest = KNOWN.iter().min_by_key(|known| near(known)).filter(|known| near(known) <= 2.max(known.len() / 3));
    // Long: most likely no header at all.
    let shown: String = name.chars().take(40).collect();
    let hint = match nearest {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("the columns are {}; leave others out", KNOWN.join(", ")),
    };
    format!("unknown column {shown:?}; {hint}")
}

#[cfg(test)]
mod tests {
    use super::super::rows::Rows;
    use super::*;

    fn read(text: &str) -> Result<Columns, String> {
        Columns::read(&Rows::new(text.as_bytes()).unwrap().next().unwrap().unwrap(), false)
    }

    #[test]
    fn in_any_order() {
        let columns = read("user,claims,app,openid\n").unwrap();
        assert_eq!((columns.user, columns.claims, columns.app, columns.openid), (0, Some(1), Some(2), 3));
        assert_eq!((columns.unionid, columns.bound_at, columns.count), (None, None, 4));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (header, said) in [
            ("app,openid,usr\n", "unknown column \"usr\"; did you mean `user`?"),
            ("app,OpenID,user\n", "unknown column \"OpenID\"; did you mean `openid`?"),
            ("app,openid,user,phone_number\n", "unknown column \"phone_number\"; the columns are app, openid"),
            ("app,openid,user,user\n", "column `user` is there twice"),
            ("app,openid\n", "column `user` is missing"),
            ("openid,user\n", "give --app"),
            ("app,openid,\"user\n", "it can't be read as a header"),
        ] {
            let e = read(header).unwrap_err();
            assert!(e.contains(said), "{header:?}: {e}");
        }
    }
}
