//! The gate as a service over HTTP. In: what to listen on, and what to answer with. Out: answers, until the process is told to stop; then
//! what was begun is finished and on disk. Everything that decides blocks, on threads of its own.

mod otlp;
mod permits;
mod refusal;
mod request;
mod routes;
mod service;
mod telemetry;

pub use routes::OPENAPI;
pub use service::{MayLoosen, Places, Service};
pub use telemetry::Collector;

use crate::http::{self, Guard, Listening, Said, Say, ServeError};
use crate::limits;
use routes::Shared;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Answers until the process is told to stop (SIGTERM, SIGINT); SIGHUP loads the bundle again. `say` is told what people should know.
pub fn serve(
    listening: Listening,
    service: Service,
    guard: Guard,
    most: usize,
    say: &mut dyn FnMut(Said),
) -> Result<(), ServeError> {
    let service = Arc::new(service);
    let threads = most.saturating_add(limits::REQUESTS_ABOUT).saturating_add(1);
    let make = |say: Say| {
        service.tell_troubles(http::troubles(say.clone(), Arc::clone(&service.metrics)));
        Arc::new(Shared {
            service: Arc::clone(&service),
            guard,
            deciding: Arc::new(Semaphore::new(most)),
            about: Arc::new(Semaphore::new(limits::REQUESTS_ABOUT)),
            say,
        })
    };
    let served = http::serve(listening, threads, make, say);
    service.close();
    served
}
