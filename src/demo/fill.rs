//! Writes a demonstration into the database.

use std::sync::mpsc;
use std::time::Instant;

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};

use super::calendar::Calendar;
use super::dice::{Dice, Stream};
use super::options::{DemoOptions, DemoSummary, DemoUsers};
use super::plan::Plan;
use super::records;
use super::staff::{self, Colleague};
use super::story::{self, Memory};
use super::world::{Recruiter, World};
use crate::app::competencies;
use crate::auth::password::Hasher;
use crate::auth::{password, secret};
use crate::domain::ids::UserId;
use crate::domain::people::Role;
use crate::domain::text::check_name;
use crate::domain::timestamp::Timestamp;
use crate::store::agencies::{self, Agency, MailIdentity};
use crate::store::bulk::{self, Rows};
use crate::store::clients;
use crate::store::pool::{Store, StoreError, Tx};
use crate::store::types::Json;
use crate::store::users::{self, User};

/// About so many debriefs are written in one transaction.
const BATCH: usize = 1000;
/// So many clients, with all that belongs to them.
const CLIENT_BATCH: usize = 50;
/// So many batches may wait for the database while the next one is made.
const AHEAD: usize = 2;

/// Fills an agency. `settled` is told who can sign in as soon as they can; `progress` is told how many debriefs are written so far, batch by batch; what
/// is written stays if a later batch fails.
///
/// # Errors
/// If the agency's name or the password cannot be taken, if two agencies have this name, or if the
/// agency has the records of this seed already.
pub fn fill(
    store: &Store,
    options: &DemoOptions,
    settled: impl FnOnce(&DemoUsers) -> anyhow::Result<()>,
    mut progress: impl FnMut(u64),
) -> anyhow::Result<DemoSummary> {
    let began = Instant::now();
    check_name(&options.agency).context("the agency's name")?;
    let as_of = options.as_of.unwrap_or_else(|| store.clock().now().date_naive());
    let seed = Dice::mix(options.seed, &options.agency);
    let plan = Plan::new(seed, options.debriefs, Calendar::new(as_of));
    let made_up_password = options.password.is_none().then(|| secret::generate("demo"));
    let password = options.password.as_ref().or(made_up_password.as_ref()).context("there is no password")?;
    password::check(password).context("the password")?;
    let hash = Hasher::new(options.password_cost, 1)?.hash_here(password)?;
    let (world, emails) = store.write(|tx| settle_in(tx, options, plan, hash))?;
    let users = DemoUsers { emails, made_up_password };
    settled(&users)?;

    store.write(|tx| bulk::begin(tx).map_err(StoreError::from))?;
    let candidates = write_all(store, &world, &mut progress);
    let ended = store.write(|tx| bulk::end(tx).map_err(StoreError::from));
    let candidates = candidates
        .with_context(|| format!("filling the agency with seed {} (has it been before?)", options.seed))?;
    ended?;
    Ok(DemoSummary {
        agency: world.agency,
        agency_name: world.agency_name,
        as_of,
        users,
        clients: world.plan.clients.len() as u64,
        candidates,
        debriefs: world.plan.total,
        took: began.elapsed(),
    })
}

/// The same, with a bar on the terminal that shows how far it has got.
pub fn fill_with_bar(
    store: &Store,
    options: &DemoOptions,
    settled: impl FnOnce(&DemoUsers) -> anyhow::Result<()>,
) -> anyhow::Result<DemoSummary> {
    let style =
        ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} debriefs, {per_sec}, {eta} left")?;
    let bar = ProgressBar::new(options.debriefs).with_style(style);
    let summary = fill(store, options, settled, |written| bar.set_position(written));
    bar.finish_and_clear();
    summary
}

/// Finds or makes the agency and its people, and answers the addresses of those it made.
fn settle_in(
    tx: &mut Tx<'_>,
    options: &DemoOptions,
    plan: Plan,
    password_hash: String,
) -> anyhow::Result<(World, Vec<String>)> {
    let created: Timestamp = plan.calendar.moment(0, 1, -300).into();
    let mut named = agencies::find_by_name(tx, &options.agency).map_err(StoreError::from)?;
    if named.len() > 1 {
        bail!("there is more than one agency of the name {:?}", options.agency);
    }
    let agency = match named.pop() {
        Some(agency) => agency,
        None => new_agency(tx, options, plan.seed, created)?,
    };
    if clients::find(tx, agency.id, plan.clients[0].id).map_err(StoreError::from)?.is_some() {
        bail!("the agency has the records of seed {} already: take another", options.seed);
    }
    let (mut recruiters, mut made, mut manager) = (Vec::new(), Vec::new(), None);
    for (place, colleague) in staff::colleagues(&options.agency, plan.total).into_iter().enumerate() {
        let found = users::find_by_email(tx, &colleague.email).map_err(StoreError::from)?;
        let user = match found {
            Some(user) if user.agency_id == agency.id => user,
            Some(user) => bail!("{} is a user of another agency", user.email),
            None => {
                made.push(colleague.email.clone());
                let id = staff::dice_of(plan.seed, place, *created);
                new_user(tx, &agency, id, colleague, (&password_hash, created))?
            }
        };
        match user.role {
            Role::Manager => manager = manager.or(Some(user.id)),
            Role::Recruiter => recruiters.push(Recruiter { id: user.id, name: user.name, email: user.email }),
            Role::Admin | Role::Auditor => {}
        }
    }
    let Some(manager) = manager.or(recruiters.first().map(|first| first.id)) else {
        bail!("none of the agency's demonstration users is a recruiter any more");
    };
    if recruiters.is_empty() {
        bail!("none of the agency's demonstration users is a recruiter any more");
    }
    let offered = agency.competencies.0.into_iter().filter(|competency| !competency.archived);
    let world = World {
        plan,
        agency: agency.id,
        agency_name: agency.name,
        competencies: offered.map(|competency| competency.key).collect(),
        recruiters,
        manager,
        mail_domain: options.mail_domain.clone(),
        unsent: options.unsent,
        seed: options.seed,
    };
    Ok((world, made))
}

fn new_agency(
    tx: &mut Tx<'_>,
    options: &DemoOptions,
    seed: u64,
    created: Timestamp,
) -> anyhow::Result<Agency> {
    let agency = Agency {
        id: Dice::new(seed, Stream::Agency, 0).id(*created),
        name: options.agency.clone(),
        time_zone: "Europe/Berlin".to_owned(),
        mail: Json(MailIdentity::default()),
        competencies: Json(competencies::first()),
        version: 1,
        created_at: created,
        updated_at: created,
    };
    agencies::insert(tx, &agency).map_err(StoreError::from)?;
    Ok(agency)
}

fn new_user(
    tx: &mut Tx<'_>,
    agency: &Agency,
    id: UserId,
    colleague: Colleague,
    (password_hash, created): (&str, Timestamp),
) -> anyhow::Result<User> {
    let user = User {
        id,
        agency_id: agency.id,
        email: colleague.email,
        name: colleague.name,
        role: colleague.role,
        password_hash: password_hash.to_owned(),
        disabled_at: None,
        version: 1,
        created_at: created,
        updated_at: created,
    };
    users::insert(tx, &user).map_err(StoreError::from)?;
    Ok(user)
}

/// Makes the rows on a thread of their own and writes them on this one. Answers how many
/// candidates there are.
fn write_all(store: &Store, world: &World, progress: &mut impl FnMut(u64)) -> anyhow::Result<u64> {
    std::thread::scope(|scope| {
        let (give, take) = mpsc::sync_channel::<Rows>(AHEAD);
        let (give_back, take_back) = mpsc::channel::<Rows>();
        let maker = scope.spawn(move || {
            make_all(world, |rows| {
                // To free so many rows takes a while, and this thread is the one with time to spare.
                take_back.try_iter().for_each(drop);
                give.send(rows).is_ok()
            })
        });
        let mut written = 0;
        for mut rows in take {
            store.write(|tx| rows.insert(tx).map_err(StoreError::from))?;
            written += rows.debriefs.len() as u64;
            progress(written);
            drop(give_back.send(rows));
        }
        maker.join().map_err(|_| anyhow::anyhow!("the records could not be made"))
    })
}

/// Makes everything, batch by batch, as long as `give` takes it. Answers how many candidates there
/// are.
fn make_all(world: &World, give: impl Fn(Rows) -> bool) -> u64 {
    let mut rows = Rows::default();
    for index in 0..world.plan.clients.len() {
        records::client(world, index, &mut rows);
        if rows.clients.len() >= CLIENT_BATCH && !give(std::mem::take(&mut rows)) {
            return 0;
        }
    }
    let (mut made, mut index) = (0, 0);
    let mut memory = Memory::default();
    while made < world.plan.total {
        let journey = world.plan.journey(index, made);
        records::candidate(world, &journey, &mut rows);
        for place in 0..journey.legs.len() {
            story::tell(world, &mut memory, &mut rows, &journey, place, made + place as u64);
        }
        made += journey.legs.len() as u64;
        index += 1;
        let done = made >= world.plan.total;
        if (rows.debriefs.len() >= BATCH || done) && !give(std::mem::take(&mut rows)) {
            break;
        }
    }
    index
}
