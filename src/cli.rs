//! The command line: what each subcommand does, and what it prints. Everything else is in `house` and `foundation`.

use std::{collections::BTreeSet, fmt::Write as _, sync::Arc};

use chrono::TimeDelta;
use clap::{Parser, Subcommand};
use domain::{
    access::Role,
    command::CommandKind,
    ids::{DoorId, OrganizationId, SiteId},
};
use entities::work;
use platform::{clock::SystemClock, lifecycle, settings::Settings, telemetry};
use simulator::SimulatorOptions;

use crate::{
    demo,
    failure::Failure,
    foundation::{self, Foundation, Migrations},
    house::{House, Rooms},
    keys::{self, KeyPlan},
    ledger::{self, KeptCheckpoint},
    rotation,
};

/// One GraphQL API for every door. Without a command: everything in one process, with simulated vendors and a demo.
#[derive(Debug, Parser)]
#[command(name = "gatehouse", version, about)]
pub struct Arguments {
    /// A settings file (TOML) over the defaults; the environment goes over it.
    #[arg(long, env = "GATEHOUSE_CONFIG", global = true)]
    config: Option<String>,
    #[command(subcommand)]
    command: Option<Task>,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Serve the GraphQL API.
    Api,
    /// Carry out commands.
    Worker,
    /// Serve the simulated vendors alone.
    Simulator,
    /// Bring the database up to date.
    Migrate,
    /// Print the GraphQL schema (Federation SDL).
    Schema,
    /// Set up the demo organization, linked to the simulated vendors at this address.
    Seed {
        /// Where `gatehouse simulator` listens, for example http://simulator:8090
        #[arg(long)]
        simulator: String,
    },
    /// Manage API keys, and the key of the vault.
    Key {
        #[command(subcommand)]
        command: KeyTask,
    },
    /// Look after the ledger of events.
    Ledger {
        #[command(subcommand)]
        command: LedgerTask,
    },
}

#[derive(Debug, Subcommand)]
enum LedgerTask {
    /// Read it again from its beginning, also while the house runs, and name the first row that is wrong.
    Verify {
        /// Only this organization's.
        #[arg(long)]
        organization: Option<OrganizationId>,
        /// A checkpoint that was kept elsewhere and has to be part of it: `<sequence>:<hash>`.
        #[arg(long)]
        checkpoint: Option<KeptCheckpoint>,
    },
}

#[derive(Debug, Subcommand)]
enum KeyTask {
    /// Create a key and print it. It is not stored and cannot be shown again.
    Create {
        /// A name for people.
        #[arg(long, default_value = "created on the command line")]
        name: String,
        /// VIEWER, OPERATOR, MANAGER or ADMIN.
        #[arg(long, default_value = "VIEWER", value_parser = role)]
        role: Role,
        /// Limit it to this site; may be repeated.
        #[arg(long = "site")]
        sites: Vec<SiteId>,
        /// Limit it to this door; may be repeated.
        #[arg(long = "door")]
        doors: Vec<DoorId>,
        /// Limit it to this command, for example OPEN_DOOR; may be repeated.
        #[arg(long = "verb", value_parser = verb)]
        verbs: Vec<CommandKind>,
        /// Let it expire after so many days.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        days: Option<u32>,
        /// Let it send so many commands, and change nothing else.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        uses: Option<u32>,
    },
    /// Seal every stored secret anew with the first key of GATEHOUSE_SECRET_KEY, while the house runs.
    Rotate,
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "use VIEWER, OPERATOR, MANAGER or ADMIN".to_owned())
}

fn verb(text: &str) -> Result<CommandKind, String> {
    let known = || CommandKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
    CommandKind::parse(text).ok_or_else(|| format!("use one of {}", known()))
}

/// Does what the arguments say. Returns when the process is done.
///
/// # Errors
/// A sentence for the person at the terminal.
pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    if matches!(arguments.command, Some(Task::Schema)) {
        print(&api::sdl());
        return Ok(());
    }
    let settings = Settings::load(arguments.config.as_deref())?;
    telemetry::start(&settings)?;
    match arguments.command {
        None => serve(&settings, everything(&settings)).await,
        Some(Task::Api) => serve(&settings, rooms(&settings, true)?).await,
        Some(Task::Worker) => serve(&settings, rooms(&settings, false)?).await,
        Some(Task::Simulator) => serve_simulator(&settings).await,
        Some(Task::Migrate) => {
            let applied = foundation::apply_migrations(&settings).await?;
            print(&format!("{applied} migrations applied; the database is up to date.\n"));
            Ok(())
        }
        Some(Task::Seed { simulator }) => seed(&settings, &simulator).await,
        Some(Task::Key { command }) => manage_key(&settings, command).await,
        Some(Task::Ledger { command: LedgerTask::Verify { organization, checkpoint } }) => {
            print(&ledger::verify(&settings, organization, checkpoint).await?);
            Ok(())
        }
        Some(Task::Schema) => Ok(()),
    }
}

fn everything(settings: &Settings) -> Rooms {
    let options = SimulatorOptions { address: settings.simulator_address, seed: demo::SEED, ..Default::default() };
    Rooms { api: true, worker: true, demo: Some(options), migrations: Migrations::Apply }
}

fn rooms(settings: &Settings, api: bool) -> Result<Rooms, Failure> {
    if settings.is_embedded() {
        return Err(Failure::new(
            "Separate processes need PostgreSQL and Redis: set GATEHOUSE_DATABASE_URL and GATEHOUSE_REDIS_URL, or run \
             `gatehouse` without a command for everything in one process.",
        ));
    }
    Ok(Rooms { api, worker: !api, demo: None, migrations: Migrations::Require })
}

async fn serve(settings: &Settings, rooms: Rooms) -> Result<(), Failure> {
    let stop = lifecycle::shutdown_on_signal().map_err(|error| Failure::during("Signals cannot be heard")(&error))?;
    let mut house = House::start(settings, Arc::new(SystemClock), rooms).await?;
    match house.address() {
        Some(address) if house.demo_key().is_some() => print(&welcome(&house, &address.to_string()).await?),
        Some(address) => tracing::info!(%address, "serving the API"),
        None => tracing::info!("working"),
    }
    tokio::select! {
        () = stop.cancelled() => {
            house.stop().await;
            Ok(())
        }
        () = house.failed() => Err(Failure::new("A part of the house stopped by itself; the log above says why.")),
    }
}

async fn serve_simulator(settings: &Settings) -> Result<(), Failure> {
    let stop = lifecycle::shutdown_on_signal().map_err(|error| Failure::during("Signals cannot be heard")(&error))?;
    let address = settings.simulator_address;
    let options = SimulatorOptions { address, seed: demo::SEED, ..Default::default() };
    let simulator = simulator::start(options).await.map_err(|error| {
        Failure::new(format!(
            "The simulated vendors cannot listen on {address} ({error}): stop the other program, or set \
             GATEHOUSE_SIMULATOR_ADDRESS."
        ))
    })?;
    tracing::info!(address = %simulator.address(), "serving the simulated vendors");
    stop.cancelled().await;
    simulator.shutdown().await;
    Ok(())
}

async fn seed(settings: &Settings, simulator: &str) -> Result<(), Failure> {
    let foundation = Foundation::lay(settings, Arc::new(SystemClock), Migrations::Require).await?;
    let fresh = work::first_organization(&foundation.database)
        .await
        .map_err(|error| Failure::during("The database could not be read")(&error))?
        .is_none();
    let key = platform::api_key::generate();
    demo::furnish(&foundation, simulator, &demo::credentials()?, &key).await?;
    if fresh {
        print(&format!("{}\n", key.expose()));
    } else {
        print("The demo is there already; its accounts lead to this simulator now. For a key: gatehouse key create\n");
    }
    Ok(())
}

async fn manage_key(settings: &Settings, task: KeyTask) -> Result<(), Failure> {
    let KeyTask::Create { name, role, sites, doors, verbs, days, uses } = task else { return rotate(settings).await };
    let failed = Failure::during("The key could not be stored");
    let foundation = Foundation::lay(settings, Arc::new(SystemClock), Migrations::Apply).await?;
    let organization = keys::organization(&foundation, "My organization").await.map_err(|error| failed(&error))?;
    check_limits(&foundation, organization, &sites, &doors).await?;
    let plan = KeyPlan {
        name,
        role,
        sites: sites.into_iter().collect(),
        doors: doors.into_iter().collect(),
        verbs: verbs.into_iter().collect(),
        lifetime: days.map(|days| TimeDelta::days(i64::from(days))),
        max_uses: uses,
    };
    let secret = platform::api_key::generate();
    keys::store_key(&foundation, organization, &plan, &secret).await.map_err(|error| failed(&error))?;
    print(&format!("{}\n", secret.expose()));
    Ok(())
}

async fn rotate(settings: &Settings) -> Result<(), Failure> {
    let count = rotation::rotate(settings).await?;
    print(&format!("{count} stored secrets were sealed anew; the first key opens everything.\n"));
    Ok(())
}

/// A key limited to something that is not there would see nothing, for ever.
async fn check_limits(
    foundation: &Foundation,
    organization: OrganizationId,
    sites: &[SiteId],
    doors: &[DoorId],
) -> Result<(), Failure> {
    let failed = Failure::during("The database could not be read");
    let known = work::sites_of(&foundation.database, organization).await.map_err(|error| failed(&error))?;
    let known: BTreeSet<_> = known.into_iter().map(|row| SiteId(row.id)).collect();
    if let Some(site) = sites.iter().find(|site| !known.contains(site)) {
        return Err(Failure::new(format!("There is no site {site}: list them with the query `sites`.")));
    }
    for door in doors {
        let found = work::door(&foundation.database, *door).await.map_err(|error| failed(&error))?;
        if found.is_none_or(|row| row.organization_id != organization.0) {
            return Err(Failure::new(format!("There is no door {door}: list them with the query `doors`.")));
        }
    }
    Ok(())
}

async fn welcome(house: &House, address: &str) -> Result<String, Failure> {
    let failed = Failure::during("The demo could not be read");
    let database = &house.foundation().database;
    let doors = work::doors(database, 1_000).await.map_err(|error| failed(&error))?;
    let key = house.demo_key().map(domain::secret::Secret::expose).unwrap_or_default();
    let mut text = String::new();
    let _ = writeln!(text, "\nGatehouse is open: {} doors at simulated vendors.\n", doors.len());
    let _ = writeln!(text, "  GraphiQL   http://{address}/graphiql");
    let _ = writeln!(text, "  API        http://{address}/graphql");
    let _ = writeln!(text, "  API key    {key}\n");
    let openable = doors.iter().find(|door| door.capabilities().contains(&CommandKind::OpenDoor));
    if let Some(door) = openable {
        let id = DoorId(door.id);
        let _ = writeln!(text, "Open \"{}\":\n", door.name);
        let _ = writeln!(
            text,
            "  curl -s http://{address}/graphql -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \
             \\\n    -d '{{\"query\":\"mutation {{ openDoor(input: {{doorId: \\\"{id}\\\"}}) {{ command {{ id state }} \
             userErrors {{ code message }} }} }}\"}}'\n"
        );
    }
    Ok(text)
}

#[expect(clippy::print_stdout, reason = "what the person at the terminal asked for")]
fn print(text: &str) {
    print!("{text}");
}
