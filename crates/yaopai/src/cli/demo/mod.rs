//! `yaopai demo`: a simulated WeChat, a shop, the server and a front door, and a walk through what they do.

mod body;
mod client;
mod folder;
mod front;
mod page;
mod phone;
mod shop;
mod signing;
mod tale;
mod tap;
mod tips;
mod walk;
mod wire;
mod world;

use std::pin::pin;
use std::sync::Arc;

use anyhow::{anyhow, bail};
use zeroize::Zeroizing;

use tale::Tale;
use world::{Plan, Platform, Secret, World};

/// Where the AppSecret may stand, so that it needn't on the command line.
const SECRET_VARIABLE: &str = "YAOPAI_DEMO_SECRET";

#[derive(clap::Args)]
pub struct Args {
    /// Play the walk and end: with status 0 if every step went as it should, else with 1. Takes free ports.
    #[arg(long)]
    script: bool,
    /// Use the real WeChat with your own mini program's appid, in place of the simulated one.
    #[arg(long, value_name = "APPID")]
    appid: Option<String>,
    /// Its AppSecret: env:NAME or file:PATH, or the secret itself. Other users of this machine can see what stands on a
    /// command line, and the shell's history keeps it. Without this option: the environment variable YAOPAI_DEMO_SECRET.
    #[arg(long, value_name = "SECRET", requires = "appid")]
    secret: Option<String>,
    /// Open the page in this machine's browser (xdg-open).
    #[arg(long, conflicts_with_all = ["script", "appid"])]
    open: bool,
    /// Open the front door to the network, for a real phone (only with --appid).
    #[arg(long, requires = "appid")]
    lan: bool,
}

impl Args {
    /// What is logged unless the caller says otherwise: with a real phone, the server's view of it; else only trouble, as the
    /// demo prints by itself what happens.
    pub fn log(&self) -> &'static str {
        if self.appid.is_some() { "info" } else { "warn" }
    }

    fn plan(&self) -> anyhow::Result<Plan> {
        let Some(appid) = &self.appid else {
            let platform = Platform::Simulated { known: walk::KNOWN };
            return Ok(Plan { platform, free_ports: self.script, lan: false });
        };
        if self.script {
            bail!("--script plays its own phone, and the real WeChat has none for it; leave out --script or --appid");
        }
        let secret = match &self.secret {
            Some(given) => secret(given)?,
            None if std::env::var_os(SECRET_VARIABLE).is_some() => Secret::Reference(format!("env:{SECRET_VARIABLE}")),
            None => bail!("--appid needs the AppSecret: --secret env:NAME, --secret file:PATH, or {SECRET_VARIABLE}"),
        };
        Ok(Plan { platform: Platform::Real { appid: appid.clone(), secret }, free_ports: false, lan: self.lan })
    }
}

/// Files are meant from where the user is; the configuration would read them from the temporary folder.
fn secret(given: &str) -> anyhow::Result<Secret> {
    if let Some(path) = given.strip_prefix("file:") {
        let path = std::path::absolute(path).map_err(|e| anyhow!("--secret {given}: {e}"))?;
        return Ok(Secret::Reference(format!("file:{}", path.display())));
    }
    if given.starts_with("env:") {
        return Ok(Secret::Reference(given.to_owned()));
    }
    Ok(Secret::Text(Zeroizing::new(given.to_owned())))
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    let tale = Arc::new(Tale::to_stdout());
    let plan = args.plan()?;
    let real = matches!(plan.platform, Platform::Real { .. });
    tale.say(if real {
        "Yaopai demo: starting a shop, the server and a front door for the real WeChat …\n腰牌演示：正在启动……"
    } else {
        "Yaopai demo: starting a simulated WeChat, a shop, the server and a front door …\n腰牌演示：正在启动……"
    });
    // From here on a signal no longer ends the process by itself: what is under way is dropped, and the folder with it.
    let mut stopped = pin!(stopped()?);
    let mut world = tokio::select! {
        biased;
        () = &mut stopped => bail!("stopped before everything had started"),
        world = World::start(plan, tale.clone()) => world?,
    };
    let done = tokio::select! {
        biased;
        () = &mut stopped => if args.script { Err(anyhow!("stopped before the walk's end")) } else { Ok(()) },
        done = stay(&mut world, real, &args) => done,
    };
    world.stop().await;
    done
}

/// Until Ctrl-C, SIGTERM, or the terminal is closed: a demo leaves nothing behind in any of these cases.
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    let told = super::stopped()?;
    let mut hangup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            () = told => {}
            _ = hangup.recv() => {}
        }
    })
}

/// The walk and, unless it is all that is wanted, staying up.
async fn stay(world: &mut World, real: bool, args: &Args) -> anyhow::Result<()> {
    if real {
        tips::real(world);
    } else {
        if let Err(e) = walk::play(world).await {
            // Causes are part of the sentence here: which step, and what it saw.
            let sentence = format!("{e:#}");
            world.tale.wrong(&sentence);
            bail!(sentence);
        }
        world.tale.say("\nEvery step went as it should. / 每一步都符合预期。");
        if args.script {
            return Ok(());
        }
        let page = world.page().await?;
        tips::simulated(world, &page);
        if args.open {
            open(world, &page);
        }
    }
    std::future::pending().await
}

/// As the desktop opens links. That it can't is no reason to stop: the address is printed.
fn open(world: &World, url: &str) {
    let quiet = std::process::Stdio::null;
    let opened = std::process::Command::new("xdg-open")
        .arg(url)
        .stdin(quiet())
        .stdout(quiet())
        .stderr(quiet())
        .spawn()
        .map(|mut child| std::thread::spawn(move || child.wait()));
    if let Err(e) = opened {
        world.tale.say(&format!("xdg-open can't be started ({e}): open {url} by hand. / 请手动打开上面的网址。"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(script: bool, appid: Option<&str>, secret: Option<&str>) -> Args {
        Args { script, appid: appid.map(Into::into), secret: secret.map(Into::into), open: false, lan: false }
    }

    #[test]
    fn a_real_appid_needs_a_secret_and_no_script() {
        let error = |a: Args| a.plan().err().unwrap().to_string();
        assert!(error(args(true, Some("wx1"), Some("s"))).contains("leave out --script"));
        assert!(error(args(false, Some("wx1"), None)).contains("--secret env:NAME"));
    }

    /// What `main` makes status 1 of.
    #[tokio::test]
    async fn a_step_that_goes_wrong_fails_the_script() {
        let tale = Arc::new(Tale::kept());
        let platform = Platform::Simulated { known: "xiaohong" };
        let mut world = World::start(Plan { platform, free_ports: true, lan: false }, tale.clone()).await.unwrap();
        let done = stay(&mut world, false, &args(true, None, None)).await;
        world.stop().await;
        let sentence = done.unwrap_err().to_string();
        assert!(sentence.starts_with("the walk failed at step 1: "), "{sentence}");
        assert!(tale.text().ends_with(&format!("✗ {sentence}\n")), "{}", tale.text());
    }

    #[test]
    fn secrets_by_reference_stay_references() {
        let reference = |given| match secret(given).unwrap() {
            Secret::Reference(reference) => Some(reference),
            Secret::Text(_) => None,
        };
        assert_eq!(reference("env:X").as_deref(), Some("env:X"));
        assert!(reference("file:x").unwrap().starts_with("file:/"));
        assert_eq!(reference("abc"), None);
    }
}
