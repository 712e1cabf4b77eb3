//! One connection to a PostgreSQL server, with a runtime of its own that runs while an answer is waited for. In: what to ask. Out: the
//! answer, or that there was none in time; a server that takes what it is sent and says nothing keeps nobody. It knows no records.

use crate::limits;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_postgres::{Client, Config, Error, NoTls};

/// A connection.
pub struct Link {
    runtime: Runtime,
    client: Client,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum LinkError {
    /// The server refuses, or the connection is lost.
    Refused(Error),
    /// The server says nothing. The connection is of no more use: what was asked may be answered yet.
    Silent,
    /// There is nothing to wait with.
    Runtime(std::io::Error),
}

impl From<Error> for LinkError {
    fn from(error: Error) -> Self {
        LinkError::Refused(error)
    }
}

impl Link {
    /// Connects.
    pub fn connect(config: &Config) -> Result<Link, LinkError> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build();
        let runtime = runtime.map_err(LinkError::Runtime)?;
        let (client, connection) = wait(&runtime, config.connect(NoTls))?;
        // How it ended is what the next question is answered with.
        runtime.spawn(async move { drop(connection.await) });
        Ok(Link { runtime, client })
    }

    /// Asks. Everything that is asked at once goes out together, in its order.
    pub fn ask<'l, T, F: Future<Output = Result<T, Error>>>(
        &'l self,
        ask: impl FnOnce(&'l Client) -> F,
    ) -> Result<T, LinkError> {
        wait(&self.runtime, ask(&self.client))
    }

    /// Whether it is known to be lost.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }
}

/// Waits for an answer, longer than the server lets anything take by itself.
fn wait<T>(runtime: &Runtime, answer: impl Future<Output = Result<T, Error>>) -> Result<T, LinkError> {
    let most = Duration::from_millis(limits::STORE_ANSWER_MILLIS);
    match runtime.block_on(async { timeout(most, answer).await }) {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(LinkError::Silent),
    }
}
