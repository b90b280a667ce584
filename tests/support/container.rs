//! Whether containers can be started here.

use std::process::Command;

use super::process::{try_output, try_run};

/// The image that `tests/images/build` makes.
pub const IMAGE: (&str, &str) = ("lifeboat-test/postgres", "15");

/// Err says what is missing: a Docker engine that answers and can join containers, or the image.
pub fn available() -> Result<(), String> {
    try_run(Command::new("docker").args(["version", "--format", "{{.Server.Version}}"]))
        .map_err(|e| format!("no Docker engine answers: {e}"))?;
    // tests/images/build starts the engine without one where the kernel allows it none.
    try_run(Command::new("docker").args(["network", "inspect", "bridge"]))
        .map_err(|e| format!("the Docker engine has no network: {e}"))?;
    let image = format!("{}:{}", IMAGE.0, IMAGE.1);
    let out = try_output(Command::new("docker").args(["image", "inspect", &image]))?;
    if out.success() { Ok(()) } else { Err(format!("there is no image {image}; tests/images/build makes it")) }
}
