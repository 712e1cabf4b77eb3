//! The store of a fleet: a table of a PostgreSQL database, for gates on many machines. A change is one transaction that
//! holds a lock for each of its records, taken in one order by everybody, so two gates never change one record at once and never
//! wait for each other for ever. Connections are kept and used again. It blocks the thread that calls it, which must not be
//! one that runs other tasks.

use super::{Key, Records, Row, Store, StoreError, Work, changes, row};
use crate::limits;
use postgres::config::Host;
use postgres::error::SqlState;
use postgres::types::Type;
use postgres::{Client, Config, NoTls};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The version of the schema.
const VERSION: i32 = 1;
/// The lock that is held while the schema is made: `GAITINIT`.
const INIT: i64 = 0x4741_4954_494e_4954;
/// Made at the first use, or by `gait store init`.
const SCHEMA: &str = "
    CREATE SCHEMA IF NOT EXISTS gait;
    CREATE TABLE IF NOT EXISTS gait.version (version int4 NOT NULL);
    CREATE TABLE IF NOT EXISTS gait.record (
        kind text COLLATE \"C\" NOT NULL,
        name text COLLATE \"C\" NOT NULL,
        value bytea NOT NULL,
        digest bytea NOT NULL,
        PRIMARY KEY (kind, name)
    );";

/// Whose word a connection may be given in the clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// This machine's: a socket, or a loopback address.
    Local,
    /// Any; whoever runs the gates says that it is theirs.
    Any,
}

/// A table of a database, connected when it is needed.
pub struct Postgres {
    config: Config,
    place: String,
    /// How long others may hold a record, in milliseconds.
    wait: u64,
    idle: Mutex<Vec<Client>>,
}

/// A failure, and whether the connection is gone.
struct Broken {
    error: StoreError,
    is_gone: bool,
}

impl Postgres {
    /// The store that a connection string names. Its password is in no output, and neither is the string where it is none.
    pub fn new(url: &str, network: Network) -> Result<Postgres, StoreError> {
        let refused = |reason: &str| StoreError::Foreign {
            place: "the store".to_owned(),
            reason: reason.to_owned(),
        };
        let parsed = url.parse::<Config>();
        let mut config = parsed.map_err(|_| refused("its connection string cannot be read"))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(refused("its connection string names no host"));
        }
        let far = config.get_hosts().iter().any(|host| !is_local(host))
            || config.get_hostaddrs().iter().any(|at| !at.is_loopback());
        if far && network == Network::Local {
            return Err(refused(
                "it is on another machine, and the connection is not encrypted",
            ));
        }
        let seconds = Duration::from_secs;
        config
            .application_name("gait")
            .connect_timeout(seconds(limits::STORE_CONNECT_SECONDS))
            .tcp_user_timeout(seconds(limits::STORE_SILENT_SECONDS))
            .keepalives(true)
            .keepalives_idle(seconds(limits::STORE_SILENT_SECONDS));
        Ok(Postgres {
            place: place(&config),
            config,
            wait: limits::LOCK_WAIT_MILLIS,
            idle: Mutex::new(Vec::new()),
        })
    }

    /// The same store, which waits so many milliseconds while others hold a record, and no longer.
    pub fn waiting(self, millis: u64) -> Postgres {
        Postgres { wait: millis, ..self }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Client>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, client: Client) {
        let mut idle = self.idle();
        if idle.len() < limits::STORE_IDLE && !client.is_closed() {
            idle.push(client);
        }
    }

    /// A connection on which `begin` was done. One that was lost meanwhile is made once more.
    fn begun<T>(
        &self,
        make: bool,
        mut begin: impl FnMut(&mut Client) -> Result<T, Broken>,
    ) -> Result<(Client, T), StoreError> {
        let kept = self.idle().pop();
        if let Some(mut client) = kept {
            match begin(&mut client) {
                Ok(value) => return Ok((client, value)),
                Err(broken) if !broken.is_gone => return Err(broken.error),
                // Others that were kept are as old.
                Err(_) => self.idle().clear(),
            }
        }
        let mut tries = 0;
        loop {
            tries += 1;
            let made = self.connect(make).and_then(|mut client| {
                let value = begin(&mut client)?;
                Ok((client, value))
            });
            match made {
                Ok(begun) => return Ok(begun),
                Err(broken) if broken.is_gone && tries < limits::STORE_CONNECTS => {}
                Err(broken) => return Err(broken.error),
            }
        }
    }

    fn connect(&self, make: bool) -> Result<Client, Broken> {
        let mut client = self.config.connect(NoTls).map_err(|e| self.broken(&e, true))?;
        if !self.is_there(&mut client)? {
            if !make {
                let place = self.place.clone();
                let reason = "there is no store yet; `gait store init` makes one".to_owned();
                return Err(Broken {
                    error: StoreError::Foreign { place, reason },
                    is_gone: false,
                });
            }
            let made = client
                .batch_execute(&format!("BEGIN; {}; SELECT pg_advisory_xact_lock({INIT});", self.settings()))
                .and_then(|()| client.batch_execute(SCHEMA))
                .and_then(|()| {
                    client.batch_execute(&format!(
                        "INSERT INTO gait.version SELECT {VERSION} WHERE NOT EXISTS (SELECT FROM gait.version); COMMIT"
                    ))
                });
            made.map_err(|e| self.wrong(&e, &client))?;
        }
        self.is_ours(&mut client)?;
        Ok(client)
    }

    fn is_there(&self, client: &mut Client) -> Result<bool, Broken> {
        let query =
            "SELECT to_regclass('gait.record') IS NOT NULL AND to_regclass('gait.version') IS NOT NULL";
        let found = client.query_typed_one(query, &[]);
        let found = found.and_then(|row| row.try_get(0));
        found.map_err(|e| self.wrong(&e, client))
    }

    /// Refuses a table of another version, and one with anything that makes it forget or hide records.
    fn is_ours(&self, client: &mut Client) -> Result<(), Broken> {
        let query = "SELECT (SELECT array_agg(version) FROM gait.version), relkind = 'r' AND relpersistence = 'p' \
            AND NOT relhasrules AND NOT relhastriggers AND NOT relrowsecurity AND NOT relhassubclass AND NOT relispartition \
            FROM pg_class WHERE oid = 'gait.record'::regclass";
        let found = client.query_typed_one(query, &[]);
        let found =
            found.and_then(|row| Ok((row.try_get::<_, Option<Vec<i32>>>(0)?, row.try_get::<_, bool>(1)?)));
        let (versions, is_plain) = found.map_err(|e| self.wrong(&e, client))?;
        let reason = match versions.unwrap_or_default().as_slice() {
            [VERSION] if is_plain => return Ok(()),
            [VERSION] => {
                "its table has rules, triggers or policies, or is not kept through a crash".to_owned()
            }
            found => format!("its version is {found:?}, not {VERSION}"),
        };
        let place = self.place.clone();
        Err(Broken {
            error: StoreError::Foreign { place, reason },
            is_gone: false,
        })
    }

    /// Begins a transaction that holds the locks of records, and reads them. What it reads is looked for after the locks are
    /// held, so it is what the last one who held them wrote.
    fn begin(&self, client: &mut Client, keys: &BTreeSet<Key>) -> Result<BTreeMap<Key, Vec<u8>>, Broken> {
        let begin = format!("BEGIN ISOLATION LEVEL READ COMMITTED; {}", self.settings());
        client.batch_execute(&begin).map_err(|e| self.wrong(&e, client))?;
        let locks: BTreeSet<i64> = keys.iter().map(lock).collect();
        let locks: Vec<i64> = locks.into_iter().collect();
        let query = "SELECT pg_advisory_xact_lock(number) FROM unnest($1) AS numbers (number)";
        let locked = client.query_typed(query, &[(&locks, Type::INT8_ARRAY)]);
        locked.map_err(|e| self.wrong(&e, client))?;
        self.rows(client, keys)
    }

    fn rows(&self, client: &mut Client, keys: &BTreeSet<Key>) -> Result<BTreeMap<Key, Vec<u8>>, Broken> {
        let kinds: Vec<&str> = keys.iter().map(Key::kind).collect();
        let names: Vec<&str> = keys.iter().map(Key::name).collect();
        let query = "SELECT place, value, digest FROM gait.record \
            JOIN unnest($1, $2) WITH ORDINALITY AS wanted (kind, name, place) USING (kind, name)";
        let found = client.query_typed(query, &[(&kinds, Type::TEXT_ARRAY), (&names, Type::TEXT_ARRAY)]);
        let found = found.map_err(|e| self.wrong(&e, client))?;
        let mut rows = BTreeMap::new();
        for found in found {
            let read = || {
                Ok((
                    found.try_get::<_, i64>(0)?,
                    found.try_get(1)?,
                    found.try_get::<_, &[u8]>(2)?,
                ))
            };
            let (place, value, kept) = read().map_err(|e| self.wrong(&e, client))?;
            let at = usize::try_from(place - 1).unwrap_or(usize::MAX);
            if let Some(key) = keys.iter().nth(at) {
                let value = row::value(&self.place, key, value, kept);
                let value = value.map_err(|error| Broken {
                    error,
                    is_gone: false,
                })?;
                rows.insert(key.clone(), value);
            }
        }
        Ok(rows)
    }

    fn write(&self, client: &mut Client, written: &[(&Key, Option<&[u8]>)]) -> Result<(), Broken> {
        let (mut put, mut gone) = (Columns::default(), Columns::default());
        for (key, value) in written {
            let columns = if value.is_some() { &mut put } else { &mut gone };
            columns.kinds.push(key.kind());
            columns.names.push(key.name());
            let value = value.unwrap_or_default();
            columns.values.push(value);
            let digest = row::of(key.kind(), key.name(), value);
            columns.digests.push(digest.as_bytes().to_vec());
        }
        if !put.kinds.is_empty() {
            let query = "INSERT INTO gait.record (kind, name, value, digest) SELECT * FROM unnest($1, $2, $3, $4) \
                ON CONFLICT (kind, name) DO UPDATE SET value = excluded.value, digest = excluded.digest";
            let columns: &[(&(dyn postgres::types::ToSql + Sync), Type)] = &[
                (&put.kinds, Type::TEXT_ARRAY),
                (&put.names, Type::TEXT_ARRAY),
                (&put.values, Type::BYTEA_ARRAY),
                (&put.digests, Type::BYTEA_ARRAY),
            ];
            let done = client.execute_typed(query, columns);
            done.map_err(|e| self.wrong(&e, client))?;
        }
        if !gone.kinds.is_empty() {
            let query = "DELETE FROM gait.record USING unnest($1, $2) AS gone (kind, name) \
                WHERE record.kind = gone.kind AND record.name = gone.name";
            let columns: &[(&(dyn postgres::types::ToSql + Sync), Type)] =
                &[(&gone.kinds, Type::TEXT_ARRAY), (&gone.names, Type::TEXT_ARRAY)];
            let done = client.execute_typed(query, columns);
            done.map_err(|e| self.wrong(&e, client))?;
        }
        Ok(())
    }

    /// Ends a transaction. Where its connection is lost meanwhile, nobody knows how.
    fn commit(&self, client: &mut Client) -> Result<(), StoreError> {
        client.batch_execute("COMMIT").map_err(|error| {
            let broken = self.wrong(&error, client);
            if !broken.is_gone {
                return broken.error;
            }
            StoreError::Unknown {
                place: self.place.clone(),
                reason: words(&error),
            }
        })
    }

    fn wrong(&self, error: &postgres::Error, client: &Client) -> Broken {
        self.broken(error, client.is_closed())
    }

    fn broken(&self, error: &postgres::Error, closed: bool) -> Broken {
        let place = self.place.clone();
        let code = error.code();
        let contended = [
            SqlState::LOCK_NOT_AVAILABLE,
            SqlState::QUERY_CANCELED,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::T_R_SERIALIZATION_FAILURE,
        ];
        // The classes of lost connections and of a server that ends or starts.
        let lost = code.is_some_and(|code| code.code().starts_with("08") || code.code().starts_with("57P"));
        let error = match code {
            Some(code) if contended.contains(code) => StoreError::Contended { place },
            _ => StoreError::Failed {
                place,
                reason: words(error),
            },
        };
        let is_gone = closed || lost;
        Broken { error, is_gone }
    }
}

/// What is written, by column.
#[derive(Default)]
struct Columns<'v> {
    kinds: Vec<&'v str>,
    names: Vec<&'v str>,
    values: Vec<&'v [u8]>,
    digests: Vec<Vec<u8>>,
}

impl Store for Postgres {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn change(&self, keys: &BTreeSet<Key>, work: &mut Work<'_>) -> Result<(), StoreError> {
        // Until here nothing was handed out, so a lost connection may be made again; from here on it may not.
        let (mut client, before) = self.begun(true, |client| self.begin(client, keys))?;
        let mut records = Records::new(self.place(), keys, before.clone());
        work(&mut records)?;
        let written = changes(&before, &records);
        self.write(&mut client, &written).map_err(|broken| broken.error)?;
        self.commit(&mut client)?;
        self.keep(client);
        Ok(())
    }

    fn read(&self, keys: &BTreeSet<Key>) -> Result<Records, StoreError> {
        let rows = match self.begun(false, |client| self.rows(client, keys)) {
            Ok((client, rows)) => {
                self.keep(client);
                rows
            }
            Err(StoreError::Foreign { .. }) if self.is_new()? => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        Ok(Records::new(self.place(), keys, rows))
    }

    fn list(&self, after: (&str, &str), max: usize) -> Result<Vec<Row>, StoreError> {
        let query = "SELECT kind, name, value, digest FROM gait.record WHERE (kind, name) > ($1, $2) \
            ORDER BY kind, name LIMIT $3";
        let max = i64::try_from(max).unwrap_or(i64::MAX);
        let (client, rows) = self.begun(false, |client| {
            let found = client.query_typed(
                query,
                &[(&after.0, Type::TEXT), (&after.1, Type::TEXT), (&max, Type::INT8)],
            );
            let read = |row: &postgres::Row| {
                Ok(Row {
                    kind: row.try_get(0)?,
                    name: row.try_get(1)?,
                    value: row.try_get(2)?,
                    digest: row.try_get(3)?,
                })
            };
            let rows: Result<Vec<Row>, postgres::Error> =
                found.and_then(|rows| rows.iter().map(read).collect());
            rows.map_err(|e| self.wrong(&e, client))
        })?;
        self.keep(client);
        Ok(rows)
    }

    fn check(&self) -> Result<Vec<String>, StoreError> {
        let query =
            "SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting <> 'on'";
        let (client, flaws) = self.begun(false, |client| {
            let found = client.query_typed(query, &[]);
            let name = |row: &postgres::Row| {
                Ok(format!(
                    "the server runs with `{}` off",
                    row.try_get::<_, &str>(0)?
                ))
            };
            let flaws: Result<Vec<String>, postgres::Error> =
                found.and_then(|rows| rows.iter().map(name).collect());
            flaws.map_err(|e| self.wrong(&e, client))
        })?;
        self.keep(client);
        Ok(flaws)
    }
}

impl Postgres {
    /// What bounds every wait on the server's side, and has a change on its disk when it is answered.
    fn settings(&self) -> String {
        format!(
            "SET LOCAL lock_timeout = {0}; SET LOCAL statement_timeout = {1}; \
             SET LOCAL idle_in_transaction_session_timeout = {2}; SET LOCAL synchronous_commit = on",
            self.wait,
            self.wait.max(limits::LOCK_WAIT_MILLIS),
            limits::STORE_IDLE_MILLIS,
        )
    }

    /// Whether nobody has made the store yet.
    fn is_new(&self) -> Result<bool, StoreError> {
        let connected = self
            .config
            .connect(NoTls)
            .map_err(|e| self.broken(&e, true).error);
        let there = self.is_there(&mut connected?);
        there.map(|there| !there).map_err(|broken| broken.error)
    }
}

/// The number of a record's lock. Two records that share one wait for each other, and that is all.
fn lock(key: &Key) -> i64 {
    let digest = row::of(key.kind(), key.name(), b"lock");
    let (first, _) = digest
        .as_bytes()
        .split_first_chunk::<8>()
        .unwrap_or((&[0; 8], &[]));
    i64::from_be_bytes(*first)
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|at| at.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// Where it is, without who asks and by what password.
fn place(config: &Config) -> String {
    let hosts = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    });
    let at = config.get_hostaddrs().iter().map(ToString::to_string);
    let hosts: Vec<String> = hosts.chain(at).collect();
    let ports: Vec<String> = config.get_ports().iter().map(ToString::to_string).collect();
    let ports = if ports.is_empty() {
        "5432".to_owned()
    } else {
        ports.join(",")
    };
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    format!("postgresql at {}:{ports}/{database}", hosts.join(","))
}

/// What the server says, or what became of the connection; the crate's own text is too short to act by.
fn words(error: &postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("{} ({})", said.message(), said.code().code()),
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}
