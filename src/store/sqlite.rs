//! The store of one machine: a SQLite database in a folder that only its owner may change. Many processes may use it at
//! once; a change is one transaction that holds the database's write lock, and is on disk before it is answered, so a
//! process that is killed at any moment leaves all of it or nothing.

use super::{FILE, Key, Records, Row, Store, StoreError, Work, changes, row};
use crate::host::{Host, HostError, Mode, Os, Private};
use crate::limits;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The files of a database.
const FILES: [&str; 3] = [FILE, "gait.db-wal", "gait.db-shm"];
/// `GAIT`, in the header of the file.
const APPLICATION: i32 = 0x4741_4954;
/// The version of the schema.
const VERSION: i32 = 1;
const TABLE: &str = "CREATE TABLE record (kind TEXT NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL, \
    digest BLOB NOT NULL, PRIMARY KEY (kind, name)) STRICT";

/// A database in a folder, opened when it is needed.
#[derive(Debug)]
pub struct Sqlite {
    folder: PathBuf,
    /// How long others may have the database, in milliseconds.
    wait: u64,
    open: Mutex<Option<Opened>>,
}

/// A database that is open, and which file that is: another one may have its path by now.
#[derive(Debug)]
struct Opened {
    file: Private,
    connection: Connection,
}

impl Sqlite {
    /// The store in a folder, which need not exist yet.
    pub fn new(folder: &Path) -> Sqlite {
        Sqlite {
            folder: folder.to_owned(),
            wait: limits::LOCK_WAIT_MILLIS,
            open: Mutex::new(None),
        }
    }

    /// The same store, which waits so many milliseconds while others have it, and no longer.
    pub fn waiting(self, millis: u64) -> Sqlite {
        Sqlite { wait: millis, ..self }
    }

    /// A thread that panicked has rolled its transaction back when it let go of the lock.
    fn slot(&self) -> MutexGuard<'_, Option<Opened>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `work` with the database. Where that fails, the connection is not used again.
    fn with<T>(
        &self,
        file: Private,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut slot = self.slot();
        let mut opened = match slot.take().filter(|opened| opened.file == file) {
            Some(opened) => opened,
            None => Opened {
                connection: self.connect(&file)?,
                file,
            },
        };
        let value = work(&mut opened.connection)?;
        *slot = Some(opened);
        Ok(value)
    }

    /// The database's file, where it may be used; `None` where there is none.
    fn file(&self) -> Result<Option<Private>, StoreError> {
        Ok(Os.private_file(&self.folder, FILES)?)
    }

    /// The same, made where there is none: whole, or not at all.
    fn made(&self) -> Result<Private, StoreError> {
        Os.private_folder(&self.folder)?;
        if let Some(file) = self.file()? {
            return Ok(file);
        }
        let path = self.folder.join(FILE);
        match Os.write_new(&path, &empty().map_err(|e| self.wrong(&e))?, Mode::Private) {
            // Somebody else was faster.
            Ok(()) | Err(HostError::Exists { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        self.file()?.ok_or(StoreError::Host(HostError::NotFound { path }))
    }

    fn connect(&self, file: &Private) -> Result<Connection, StoreError> {
        let wrong = |error: rusqlite::Error| self.wrong(&error);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW
            | OpenFlags::SQLITE_OPEN_EXRESCODE;
        let connection = Connection::open_with_flags(&file.path, flags).map_err(wrong)?;
        configure(&connection, self.wait).map_err(wrong)?;
        self.is_ours(&connection)?;
        Ok(connection)
    }

    /// Refuses a database that is another program's, of another version, or has anything beside our table.
    fn is_ours(&self, connection: &Connection) -> Result<(), StoreError> {
        let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let foreign = |reason: String| StoreError::Foreign {
            place: self.place(),
            reason,
        };
        let application = number("application_id").map_err(|e| self.wrong(&e))?;
        if application != i64::from(APPLICATION) {
            return Err(foreign("it was not made by gait".to_owned()));
        }
        let version = number("user_version").map_err(|e| self.wrong(&e))?;
        if version != i64::from(VERSION) {
            return Err(foreign(format!("its version is {version}, not {VERSION}")));
        }
        let schema = schema(connection).map_err(|e| self.wrong(&e))?;
        if schema != [TABLE] {
            return Err(foreign("its tables are not those of gait".to_owned()));
        }
        let mode = connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0));
        match mode.map_err(|e| self.wrong(&e))?.as_str() {
            "wal" => Ok(()),
            mode => Err(foreign(format!("its journal is kept as `{mode}`, not as `wal`"))),
        }
    }

    fn wrong(&self, error: &rusqlite::Error) -> StoreError {
        let (place, reason) = (self.place(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Contended { place },
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                StoreError::Foreign { place, reason }
            }
            _ => StoreError::Failed { place, reason },
        }
    }

    fn rows(&self, at: &Connection, keys: &BTreeSet<Key>) -> Result<BTreeMap<Key, Vec<u8>>, StoreError> {
        let query = "SELECT value, digest FROM record WHERE kind = ?1 AND name = ?2";
        let mut query = at.prepare(query).map_err(|e| self.wrong(&e))?;
        let mut rows = BTreeMap::new();
        for key in keys {
            let found = query.query_row((key.kind(), key.name()), |row| {
                Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?))
            });
            if let Some((value, kept)) = found.optional().map_err(|e| self.wrong(&e))? {
                rows.insert(key.clone(), row::value(&self.place(), key, value, &kept)?);
            }
        }
        Ok(rows)
    }

    fn listed(&self, at: &Connection, after: (&str, &str), max: usize) -> Result<Vec<Row>, rusqlite::Error> {
        let query = "SELECT kind, name, value, digest FROM record \
            WHERE (kind, name) > (?1, ?2) ORDER BY kind, name LIMIT ?3";
        let max = i64::try_from(max).unwrap_or(i64::MAX);
        let mut query = at.prepare(query)?;
        let rows = query.query_map((after.0, after.1, max), |row| {
            Ok(Row {
                kind: row.get(0)?,
                name: row.get(1)?,
                value: row.get(2)?,
                digest: row.get(3)?,
            })
        })?;
        rows.collect()
    }

    fn there(&self) -> Result<Private, StoreError> {
        let path = self.folder.join(FILE);
        self.file()?.ok_or(StoreError::Host(HostError::NotFound { path }))
    }
}

impl Store for Sqlite {
    fn place(&self) -> String {
        self.folder.join(FILE).display().to_string()
    }

    fn change(&self, keys: &BTreeSet<Key>, work: &mut Work<'_>) -> Result<(), StoreError> {
        self.with(self.made()?, |connection| {
            let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
            let transaction = begun.map_err(|e| self.wrong(&e))?;
            let before = self.rows(&transaction, keys)?;
            let mut records = Records::new(self.place(), keys, before.clone());
            work(&mut records)?;
            for (key, value) in changes(&before, &records) {
                write(&transaction, key, value).map_err(|e| self.wrong(&e))?;
            }
            transaction.commit().map_err(|error| StoreError::Unknown {
                place: self.place(),
                reason: error.to_string(),
            })
        })
    }

    fn read(&self, keys: &BTreeSet<Key>) -> Result<Records, StoreError> {
        let rows = match self.file()? {
            None => BTreeMap::new(),
            Some(file) => self.with(file, |connection| {
                let transaction = connection.transaction().map_err(|e| self.wrong(&e))?;
                self.rows(&transaction, keys)
            })?,
        };
        Ok(Records::new(self.place(), keys, rows))
    }

    fn list(&self, after: (&str, &str), max: usize) -> Result<Vec<Row>, StoreError> {
        self.with(self.there()?, |connection| {
            self.listed(connection, after, max).map_err(|e| self.wrong(&e))
        })
    }

    fn check(&self) -> Result<Vec<String>, StoreError> {
        self.with(self.there()?, |connection| {
            let mut found = Vec::new();
            let pragma = format!("PRAGMA integrity_check({})", limits::STORE_FLAWS);
            let query = connection.prepare(&pragma);
            let mut query = query.map_err(|e| self.wrong(&e))?;
            let lines = query.query_map((), |row| row.get::<_, String>(0));
            for line in lines.map_err(|e| self.wrong(&e))? {
                found.push(line.map_err(|e| self.wrong(&e))?);
            }
            found.retain(|line| line != "ok");
            Ok(found)
        })
    }
}

fn write(at: &Connection, key: &Key, value: Option<&[u8]>) -> Result<(), rusqlite::Error> {
    let names = (key.kind(), key.name());
    match value {
        None => at.execute("DELETE FROM record WHERE kind = ?1 AND name = ?2", names),
        Some(value) => at.execute(
            "INSERT INTO record (kind, name, value, digest) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (kind, name) DO UPDATE SET value = excluded.value, digest = excluded.digest",
            (
                names.0,
                names.1,
                value,
                row::of(names.0, names.1, value).as_bytes(),
            ),
        ),
    }
    .map(drop)
}

/// Every transaction is on disk when it ends, and what stands in the file is data and never code.
fn configure(connection: &Connection, wait: u64) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(Duration::from_millis(wait))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    // A row holds its name and its value.
    let length = i32::try_from(limits::RECORD_BYTES.saturating_mul(2)).unwrap_or(i32::MAX);
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, length)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "cell_size_check", true)
}

/// The text of everything that a database has.
fn schema(connection: &Connection) -> Result<Vec<String>, rusqlite::Error> {
    let query = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name LIMIT 2";
    let mut query = connection.prepare(query)?;
    let rows = query.query_map((), |row| row.get(0))?;
    rows.collect()
}

/// The bytes of a database without records. It is made in memory and written as a file like any other, so nobody ever
/// sees a part of it.
fn empty() -> Result<Vec<u8>, rusqlite::Error> {
    let mut connection = Connection::open_in_memory()?;
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.pragma_update(None, "user_version", VERSION)?;
    connection.execute_batch(TABLE)?;
    let mut bytes = connection.serialize("main")?.to_vec();
    // The read and write versions of the file format: 2 says that its journal is a write-ahead log.
    for byte in bytes.iter_mut().skip(18).take(2) {
        *byte = 2;
    }
    Ok(bytes)
}
