//! The examples as programs: the header's value is an argument, the body comes on standard input.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub struct Reader {
    pub name: &'static str,
    command: Vec<String>,
    /// Where it was compiled to; removed with it.
    built: Option<PathBuf>,
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/body-digest")
}

fn run(command: &mut Command) -> std::process::Child {
    let program = command.get_program().to_owned();
    command.spawn().unwrap_or_else(|e| panic!("{}: {e}. scripts/setup installs it", program.display()))
}

impl Reader {
    /// A program and its file in the folder of examples.
    pub fn new(name: &'static str, command: &[&str; 2]) -> Self {
        let file = examples().join(command[1]);
        Self { name, command: vec![command[0].to_owned(), file.to_str().unwrap().to_owned()], built: None }
    }

    /// Compiled once, because the cases are many.
    pub fn java() -> Self {
        let classes = Path::new(env!("CARGO_TARGET_TMPDIR")).join("body-digest-java");
        let mut javac = Command::new("javac");
        javac.args(["-Xlint:all", "-Werror", "-d"]).arg(&classes).arg(examples().join("java/BodyDigest.java"));
        assert!(run(&mut javac).wait().unwrap().success(), "examples/body-digest/java does not compile");
        let java = ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", classes.to_str().unwrap(), "BodyDigest"];
        Self { name: "java", command: java.map(str::to_owned).to_vec(), built: Some(classes) }
    }

    /// Cargo builds a package's examples with its tests.
    pub fn rust() -> Self {
        let deps = std::env::current_exe().unwrap();
        let program = deps.parent().unwrap().join("../examples/body_digest");
        assert!(
            program.is_file(),
            "not built; with --test, cargo leaves it out: cargo build -p yaopai-wire --examples"
        );
        Self { name: "rust", command: vec![program.to_str().unwrap().to_owned()], built: None }
    }

    /// Does it say that the body is the one that was signed? Both its word and its status must say the same, so that a
    /// program that breaks is not taken for one that refuses.
    pub fn judge(&self, value: Option<&str>, body: &[u8]) -> bool {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).args(value).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = run(&mut command);
        child.stdin.take().unwrap().write_all(body).unwrap();
        let output = child.wait_with_output().unwrap();
        match (output.status.code(), &output.stdout[..]) {
            (Some(0), b"as signed\n") => true,
            (Some(1), b"not as signed\n") => false,
            (status, said) => panic!("{}: {status:?}, {}", self.name, String::from_utf8_lossy(said)),
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(folder) = &self.built {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}
