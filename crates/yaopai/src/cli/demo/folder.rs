//! The demo's temporary folder: everything it writes is in it, and it goes when the demo does.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use yaopai_core::ports::Entropy;

/// A folder that only this user can read, removed on drop.
pub struct Folder(PathBuf);

impl Folder {
    /// Makes a new one: a name that nobody can guess, and never one that is there already.
    pub fn new(entropy: &dyn Entropy) -> anyhow::Result<Self> {
        let mut random = [0u8; 8];
        entropy.fill(&mut random);
        let path = std::env::temp_dir().join(format!("yaopai-demo-{}", hex::encode(random)));
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|e| anyhow!("cannot create the temporary folder {}: {e}", path.display()))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file that only this user can read.
    pub fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.0.join(name);
        std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|e| anyhow!("cannot write {}: {e}", path.display()))
    }

    /// Removes a file.
    pub fn remove(&self, name: &str) {
        let _ = std::fs::remove_file(self.0.join(name));
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemEntropy;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn nobody_else_reads_it_and_it_goes() {
        let folder = Folder::new(&SystemEntropy).unwrap();
        folder.write("secret", "s").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(folder.path()), mode(&folder.path().join("secret"))), (0o700, 0o600));
        let path = folder.path().to_owned();
        drop(folder);
        assert!(!path.exists());
    }
}
