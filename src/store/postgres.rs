//! The store of a fleet: a table of a PostgreSQL database, for gates on many machines. A change is one transaction that
//! holds a lock for each of its records, taken in one order by everybody, so two gates never change one record at once and never
//! wait for each other for ever. It blocks the thread that calls it, which must not be one that runs other tasks, and no longer than its bounds
//! say, whatever the server does.

mod link;
mod pool;

use super::{Key, Records, Row, Store, StoreError, Work, changes, row};
use crate::limits;
use link::{Link, LinkError};
use pool::{Place, Pool};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::join;
use tokio_postgres::config::Host;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config};

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
    pool: Pool,
}

/// A failure, and what it means for the connection.
struct Broken {
    error: StoreError,
    end: End,
}

/// What is left of a connection after a failure.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// It is there.
    There,
    /// It is lost, and another one may not be.
    Lost,
    /// Nothing is heard, and nobody should wait for it once more.
    Silent,
}

impl Broken {
    /// A refusal by a server that answers.
    fn refused(error: StoreError) -> Broken {
        let end = End::There;
        Broken { error, end }
    }
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
            pool: Pool::default(),
        })
    }

    /// The same store, which waits so many milliseconds while others hold a record, and no longer.
    pub fn waiting(self, millis: u64) -> Postgres {
        Postgres { wait: millis, ..self }
    }

    /// A connection on which `begin` was done. One that was lost meanwhile is made once more.
    fn begun<T>(
        &self,
        make: bool,
        mut begin: impl FnMut(&Link) -> Result<T, Broken>,
    ) -> Result<(Place<'_>, Link, T), StoreError> {
        let contended = StoreError::Contended { place: self.place() };
        let mut at = self.pool.place(contended)?;
        if let Some(link) = at.kept.take() {
            match begin(&link) {
                Ok(value) => return Ok((at, link, value)),
                Err(broken) => match broken.end {
                    End::There => return Err(broken.error),
                    End::Lost => at.lost(),
                    End::Silent => return Err(gone(&at, broken.error)),
                },
            }
        }
        let mut tries = 0;
        loop {
            tries += 1;
            let made = self.connect(make).and_then(|link| {
                let value = begin(&link)?;
                Ok((link, value))
            });
            match made {
                Ok((link, value)) => {
                    at.reached();
                    return Ok((at, link, value));
                }
                Err(broken) if broken.end == End::There => {
                    at.reached();
                    return Err(broken.error);
                }
                Err(broken) if broken.end == End::Lost && tries < limits::STORE_CONNECTS => {}
                Err(broken) => return Err(gone(&at, broken.error)),
            }
        }
    }

    fn connect(&self, make: bool) -> Result<Link, Broken> {
        let link = Link::connect(&self.config).map_err(|e| self.broken(&e, true))?;
        if !self.is_there(&link)? {
            if !make {
                let place = self.place.clone();
                let reason = "there is no store yet; `gait store init` makes one".to_owned();
                return Err(Broken::refused(StoreError::Foreign { place, reason }));
            }
            let begin = format!(
                "BEGIN; {}; SELECT pg_advisory_xact_lock({INIT});",
                self.settings()
            );
            let end = format!(
                "INSERT INTO gait.version SELECT {VERSION} WHERE NOT EXISTS (SELECT FROM gait.version); COMMIT"
            );
            let made = link.ask(async |client| {
                client.batch_execute(&begin).await?;
                client.batch_execute(SCHEMA).await?;
                client.batch_execute(&end).await
            });
            made.map_err(|e| self.wrong(&e, &link))?;
        }
        self.is_ours(&link)?;
        Ok(link)
    }

    fn is_there(&self, link: &Link) -> Result<bool, Broken> {
        let query =
            "SELECT to_regclass('gait.record') IS NOT NULL AND to_regclass('gait.version') IS NOT NULL";
        let found = link.ask(async |client| client.query_typed_one(query, &[]).await?.try_get(0));
        found.map_err(|e| self.wrong(&e, link))
    }

    /// Refuses a table of another version, and one with anything that makes it forget or hide records.
    fn is_ours(&self, link: &Link) -> Result<(), Broken> {
        let query = "SELECT (SELECT array_agg(version) FROM gait.version), relkind = 'r' AND relpersistence = 'p' \
            AND NOT relhasrules AND NOT relhastriggers AND NOT relrowsecurity AND NOT relhassubclass AND NOT relispartition \
            FROM pg_class WHERE oid = 'gait.record'::regclass";
        let found = link.ask(async |client| {
            let row = client.query_typed_one(query, &[]).await?;
            Ok((row.try_get::<_, Option<Vec<i32>>>(0)?, row.try_get::<_, bool>(1)?))
        });
        let (versions, is_plain) = found.map_err(|e| self.wrong(&e, link))?;
        let reason = match versions.unwrap_or_default().as_slice() {
            [VERSION] if is_plain => return Ok(()),
            [VERSION] => {
                "its table has rules, triggers or policies, or is not kept through a crash".to_owned()
            }
            found => format!("its version is {found:?}, not {VERSION}"),
        };
        let place = self.place.clone();
        Err(Broken::refused(StoreError::Foreign { place, reason }))
    }

    /// Begins a transaction that holds the locks of records, and reads them. What it reads is looked for after the locks are
    /// held, so it is what the last one who held them wrote. All of it goes out at once: where one part is refused, so are those after it.
    fn begin(&self, link: &Link, keys: &BTreeSet<Key>) -> Result<BTreeMap<Key, Vec<u8>>, Broken> {
        let begin = format!("BEGIN ISOLATION LEVEL READ COMMITTED; {}", self.settings());
        let locks: BTreeSet<i64> = keys.iter().map(lock).collect();
        let locks: Vec<i64> = locks.into_iter().collect();
        let query = "SELECT pg_advisory_xact_lock(number) FROM unnest($1) AS numbers (number)";
        let (kinds, names) = columns(keys);
        let found = link.ask(async |client| {
            let locks: Typed<'_> = &[(&locks, Type::INT8_ARRAY)];
            let wanted: Typed<'_> = &[(&kinds, Type::TEXT_ARRAY), (&names, Type::TEXT_ARRAY)];
            let (begun, locked, found) = join!(
                biased;
                client.batch_execute(&begin),
                client.query_typed(query, locks),
                client.query_typed(ROWS, wanted),
            );
            begun?;
            locked?;
            found
        });
        let found = found.map_err(|e| self.wrong(&e, link))?;
        self.rows_of(keys, &found, link)
    }

    fn rows(&self, link: &Link, keys: &BTreeSet<Key>) -> Result<BTreeMap<Key, Vec<u8>>, Broken> {
        let (kinds, names) = columns(keys);
        let wanted: Typed<'_> = &[(&kinds, Type::TEXT_ARRAY), (&names, Type::TEXT_ARRAY)];
        let found = link.ask(|client| client.query_typed(ROWS, wanted));
        let found = found.map_err(|e| self.wrong(&e, link))?;
        self.rows_of(keys, &found, link)
    }

    fn rows_of(
        &self,
        keys: &BTreeSet<Key>,
        found: &[tokio_postgres::Row],
        link: &Link,
    ) -> Result<BTreeMap<Key, Vec<u8>>, Broken> {
        let mut rows = BTreeMap::new();
        for found in found {
            let read = || {
                Ok((
                    found.try_get::<_, i64>(0)?,
                    found.try_get(1)?,
                    found.try_get::<_, &[u8]>(2)?,
                ))
            };
            let (place, value, kept) = read().map_err(|e: LinkError| self.wrong(&e, link))?;
            let at = usize::try_from(place - 1).unwrap_or(usize::MAX);
            if let Some(key) = keys.iter().nth(at) {
                let value = row::value(&self.place, key, value, kept);
                rows.insert(key.clone(), value.map_err(Broken::refused)?);
            }
        }
        Ok(rows)
    }

    /// Writes, and ends the transaction. Where the connection is lost meanwhile, nobody knows how.
    fn end(&self, link: &Link, written: &[(&Key, Option<&[u8]>)]) -> Result<(), StoreError> {
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
        let ended = link.ask(async |client| {
            let (put, gone, committed) = join!(
                biased;
                put.write(client, PUT, 4),
                gone.write(client, REMOVE, 2),
                client.batch_execute("COMMIT"),
            );
            put?;
            gone?;
            committed
        });
        ended.map_err(|error| {
            let broken = self.wrong(&error, link);
            match broken.end {
                End::There => broken.error,
                End::Lost | End::Silent => StoreError::Unknown {
                    place: self.place.clone(),
                    reason: said(&error),
                },
            }
        })
    }

    fn wrong(&self, error: &LinkError, link: &Link) -> Broken {
        self.broken(error, link.is_closed())
    }

    fn broken(&self, error: &LinkError, closed: bool) -> Broken {
        let place = self.place.clone();
        let code = match error {
            LinkError::Refused(error) => error.code(),
            LinkError::Silent | LinkError::Runtime(_) => None,
        };
        let contended = [
            SqlState::LOCK_NOT_AVAILABLE,
            SqlState::QUERY_CANCELED,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::T_R_SERIALIZATION_FAILURE,
        ];
        // The classes of lost connections and of a server that ends or starts.
        let lost = code.is_some_and(|code| code.code().starts_with("08") || code.code().starts_with("57P"));
        let end = match error {
            LinkError::Silent => End::Silent,
            _ if closed || lost => End::Lost,
            _ => End::There,
        };
        let error = match code {
            Some(code) if contended.contains(code) => StoreError::Contended { place },
            _ => StoreError::Failed {
                place,
                reason: said(error),
            },
        };
        Broken { error, end }
    }
}

/// The server is away: others are told so without asking it.
fn gone(at: &Place<'_>, error: StoreError) -> StoreError {
    at.away(&error);
    error
}

/// Values with their types.
type Typed<'t> = &'t [(&'t (dyn ToSql + Sync), Type)];

/// The kinds and names of records.
fn columns(keys: &BTreeSet<Key>) -> (Vec<&str>, Vec<&str>) {
    keys.iter().map(|key| (key.kind(), key.name())).unzip()
}

const ROWS: &str = "SELECT place, value, digest FROM gait.record \
    JOIN unnest($1, $2) WITH ORDINALITY AS wanted (kind, name, place) USING (kind, name)";
const PUT: &str = "INSERT INTO gait.record (kind, name, value, digest) SELECT * FROM unnest($1, $2, $3, $4) \
    ON CONFLICT (kind, name) DO UPDATE SET value = excluded.value, digest = excluded.digest";
const REMOVE: &str = "DELETE FROM gait.record USING unnest($1, $2) AS gone (kind, name) \
    WHERE record.kind = gone.kind AND record.name = gone.name";

/// What is written, by column.
#[derive(Default)]
struct Columns<'v> {
    kinds: Vec<&'v str>,
    names: Vec<&'v str>,
    values: Vec<&'v [u8]>,
    digests: Vec<Vec<u8>>,
}

impl Columns<'_> {
    /// Has a statement take the first so many columns, where there is a row.
    async fn write(&self, client: &Client, query: &str, columns: usize) -> Result<(), tokio_postgres::Error> {
        if self.kinds.is_empty() {
            return Ok(());
        }
        let all: Typed<'_> = &[
            (&self.kinds, Type::TEXT_ARRAY),
            (&self.names, Type::TEXT_ARRAY),
            (&self.values, Type::BYTEA_ARRAY),
            (&self.digests, Type::BYTEA_ARRAY),
        ];
        let taken = all.get(..columns).unwrap_or(all);
        client.execute_typed(query, taken).await.map(drop)
    }
}

impl Store for Postgres {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn change(&self, keys: &BTreeSet<Key>, work: &mut Work<'_>) -> Result<(), StoreError> {
        // Until here nothing was handed out, so a lost connection may be made again; from here on it may not.
        let (at, link, before) = self.begun(true, |link| self.begin(link, keys))?;
        let mut records = Records::new(self.place(), keys, before.clone());
        work(&mut records)?;
        self.end(&link, &changes(&before, &records))?;
        at.keep(link);
        Ok(())
    }

    fn read(&self, keys: &BTreeSet<Key>) -> Result<Records, StoreError> {
        let rows = match self.begun(false, |link| self.rows(link, keys)) {
            Ok((at, link, rows)) => {
                at.keep(link);
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
        let (at, link, rows) = self.begun(false, |link| {
            let from: Typed<'_> = &[(&after.0, Type::TEXT), (&after.1, Type::TEXT), (&max, Type::INT8)];
            let found = link.ask(|client| client.query_typed(query, from));
            let read = |row: &tokio_postgres::Row| {
                Ok(Row {
                    kind: row.try_get(0)?,
                    name: row.try_get(1)?,
                    value: row.try_get(2)?,
                    digest: row.try_get(3)?,
                })
            };
            let rows: Result<Vec<Row>, LinkError> = found.and_then(|rows| rows.iter().map(read).collect());
            rows.map_err(|e| self.wrong(&e, link))
        })?;
        at.keep(link);
        Ok(rows)
    }

    fn check(&self) -> Result<Vec<String>, StoreError> {
        let query =
            "SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting <> 'on'";
        let (at, link, flaws) = self.begun(false, |link| {
            let found = link.ask(|client| client.query_typed(query, &[]));
            let name = |row: &tokio_postgres::Row| {
                Ok(format!(
                    "the server runs with `{}` off",
                    row.try_get::<_, &str>(0)?
                ))
            };
            let flaws: Result<Vec<String>, LinkError> =
                found.and_then(|rows| rows.iter().map(name).collect());
            flaws.map_err(|e| self.wrong(&e, link))
        })?;
        at.keep(link);
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
        let connected = Link::connect(&self.config).map_err(|e| self.broken(&e, true).error);
        let there = self.is_there(&connected?);
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

/// Why there is no answer; the crate's own text is too short to act by.
fn said(error: &LinkError) -> String {
    let error = match error {
        LinkError::Refused(error) => error,
        LinkError::Silent => return "the server says nothing".to_owned(),
        LinkError::Runtime(error) => return format!("there is nothing to wait with: {error}"),
    };
    match error.as_db_error() {
        Some(said) => format!("{} ({})", said.message(), said.code().code()),
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}
