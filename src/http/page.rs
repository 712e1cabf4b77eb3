//! The page on which people answer calls that wait: three files that the browser keeps nothing of. In: a path. Out: a file. The keys of people stay
//! in their browser, which signs; the page is told what waits and sends answers like any other client.

use super::body::{self, Body, Content};
use hyper::Response;

/// Where the page asks for the calls that wait, and sends answers.
pub const INBOX: &str = "/v1/approvals";

/// A file of the page.
#[derive(Debug, PartialEq, Eq)]
pub struct File {
    path: &'static str,
    kind: &'static str,
    text: &'static str,
}

static FILES: [File; 3] = [
    File {
        path: "/approvals",
        kind: "text/html; charset=utf-8",
        text: include_str!("page/approvals.html"),
    },
    File {
        path: "/approvals/page.js",
        kind: "text/javascript; charset=utf-8",
        text: include_str!("page/approvals.js"),
    },
    File {
        path: "/approvals/page.css",
        kind: "text/css; charset=utf-8",
        text: include_str!("page/approvals.css"),
    },
];

/// What the page is, and what it asks for.
pub fn is_of_page(path: &str) -> bool {
    path == INBOX || file(path).is_some()
}

/// The file of a path.
pub fn file(path: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.path == path)
}

impl File {
    /// What is answered.
    pub fn response(&self) -> Response<Body> {
        body::page(Content {
            kind: self.kind,
            bytes: self.text.as_bytes().to_vec(),
        })
    }
}
