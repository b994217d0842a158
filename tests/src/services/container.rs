//! A server in a container of the local Docker engine, through testcontainers. It knows nothing of the server inside.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use testcontainers::{ContainerAsync, GenericImage, ImageExt, core::IntoContainerPort, runners::AsyncRunner};
use tokio::{process::Command, sync::OnceCell, time::timeout};

/// What to run, and on which port of this machine it answers.
#[derive(Clone, Debug)]
pub(super) struct ContainerPlan {
    /// The image's name.
    pub(super) image: &'static str,
    /// The image's tag; the same as in docker-compose.yml.
    pub(super) tag: &'static str,
    /// The port the server listens on inside.
    pub(super) inner_port: u16,
    /// The port of 127.0.0.1; fixed, so that the address survives a restart.
    pub(super) port: u16,
    /// The container's environment.
    pub(super) environment: Vec<(&'static str, String)>,
    /// The container's command line.
    pub(super) arguments: Vec<String>,
}

/// A container that is removed when this value is dropped.
#[derive(Debug)]
pub(super) struct Container {
    name: String,
    container: ContainerAsync<GenericImage>,
}

impl Container {
    /// Pulls the image when it is missing and starts the container. Whether the server answers is for the caller to find out.
    pub(super) async fn start(plan: ContainerPlan) -> Result<Self> {
        let name = format!("{}:{}", plan.image, plan.tag);
        let image = GenericImage::new(plan.image, plan.tag).with_exposed_port(plan.inner_port.tcp());
        let mut request = image
            .with_mapped_port(plan.port, plan.inner_port.tcp())
            .with_cmd(plan.arguments)
            .with_startup_timeout(Duration::from_secs(300));
        for (key, value) in plan.environment {
            request = request.with_env_var(key, value);
        }
        let container = request.start().await.with_context(|| format!("the container {name} does not start"))?;
        Ok(Self { name, container })
    }

    /// The image and its tag.
    pub(super) fn image(&self) -> &str {
        &self.name
    }

    /// SIGKILL; the container and its data stay.
    pub(super) async fn kill(&self) -> Result<()> {
        self.container.stop_with_timeout(Some(0)).await.context("the container can not be killed")
    }

    /// Starts a killed container.
    pub(super) async fn start_again(&self) -> Result<()> {
        self.container.start().await.context("the container does not start again")
    }

    /// Ends and deletes the container.
    pub(super) async fn remove(self) -> Result<()> {
        self.container.rm().await.context("the container can not be removed")
    }
}

/// Whether a Docker engine answers on this machine; asked once per process.
///
/// # Errors
/// A sentence why not.
pub(super) async fn engine() -> Result<()> {
    static ANSWER: OnceCell<Result<(), String>> = OnceCell::const_new();
    let answer = ANSWER.get_or_init(|| async {
        let mut info = Command::new("docker");
        info.args(["info", "--format", "{{.ServerVersion}}"]).kill_on_drop(true);
        match timeout(Duration::from_secs(10), info.output()).await {
            Ok(Ok(output)) if output.status.success() => Ok(()),
            Ok(Ok(_)) => Err("no Docker engine is running".to_owned()),
            Ok(Err(_)) => Err("Docker is not installed".to_owned()),
            Err(_) => Err("the Docker engine does not answer".to_owned()),
        }
    });
    match answer.await {
        Ok(()) => Ok(()),
        Err(sentence) => bail!("{sentence}"),
    }
}
