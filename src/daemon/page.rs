//! The page on which people answer calls that wait: three files that the browser keeps nothing of. In: a path. Out: a file. The keys of people stay
//! in their browser, which signs; the page is told what waits and sends answers like any other client.

use crate::http::Content;

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

/// The file of a path.
pub fn file(path: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.path == path)
}

impl File {
    /// What is answered.
    pub fn content(&self) -> Content {
        Content {
            kind: self.kind,
            bytes: self.text.as_bytes().to_vec(),
        }
    }
}
