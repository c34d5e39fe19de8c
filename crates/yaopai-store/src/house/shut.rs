//! Why nobody is served from a database, though all is there.

/// Everything was exported, to be imported elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// When; in UTC, as the database writes it.
    pub at: String,
    /// The file's id.
    pub to: String,
}

/// Why. Instants are in UTC, as the database writes them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Shut {
    /// It lives on elsewhere.
    #[error(
        "it has moved: everything in it was exported at {}, to the file with the id {}. Start the server on the database that this was imported \
         into. If the move was given up, `yaopai export undo` takes this one up again, and says what that may lose",
        .0.at,
        .0.to
    )]
    Moved(Mark),
    /// Who was served meanwhile was served elsewhere.
    #[error(
        "it came in by a rehearsal, and is as the old one was at {at}: what was answered there since is missing, kicks among it. To move, \
         empty it and import an export without --rehearsal. To try it out, with no client near: `yaopai serve --rehearsal`"
    )]
    Rehearsal {
        /// When it was exported.
        at: String,
    },
}

/// What the row of `meta` says.
#[derive(Debug, Default)]
pub(crate) struct Says {
    pub moved: (Option<String>, Option<String>),
    pub rehearsal: Option<String>,
}

impl Says {
    /// Has everything moved?
    pub fn mark(&self) -> Option<Mark> {
        match self.moved.clone() {
            (None, None) => None,
            (at, to) => Some(Mark { at: at.unwrap_or_default(), to: to.unwrap_or_default() }),
        }
    }

    /// Why nobody is to be served. `rehearsing`: who starts knows that it is a rehearsal.
    pub fn shut(self, rehearsing: bool) -> Option<Shut> {
        let rehearsal = self.rehearsal.clone().filter(|_| !rehearsing);
        self.mark().map(Shut::Moved).or_else(|| rehearsal.map(|at| Shut::Rehearsal { at }))
    }

    /// Why it isn't exported for a move.
    pub fn stays(&self) -> Result<(), super::HouseError> {
        let stays = "it came in by a rehearsal itself, and what the old one answered since is missing: export that, or say --rehearsal";
        if self.rehearsal.is_some() { Err(super::HouseError::Refused(stays.into())) } else { Ok(()) }
    }
}
