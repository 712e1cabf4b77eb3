//! The revisions of the protocol that gait speaks. In: what a message or its headers say. Out: the revision, or nothing.

/// The revision without sessions: each request says what it is.
pub const STATELESS: &str = "2026-07-28";

/// A revision that clients of the gateway may speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Revision {
    /// 2025-06-18, with sessions.
    V2025_06_18,
    /// 2025-11-25, with sessions.
    V2025_11_25,
    /// 2026-07-28, without.
    V2026_07_28,
}

impl Revision {
    /// All of them, the newest first.
    pub const ALL: [Revision; 3] = [
        Revision::V2026_07_28,
        Revision::V2025_11_25,
        Revision::V2025_06_18,
    ];

    /// As messages write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Revision::V2025_06_18 => "2025-06-18",
            Revision::V2025_11_25 => "2025-11-25",
            Revision::V2026_07_28 => STATELESS,
        }
    }

    /// The revision of a text.
    pub fn read(text: &str) -> Option<Revision> {
        Revision::ALL.into_iter().find(|one| one.as_str() == text)
    }

    /// Whether clients begin sessions in it.
    pub fn has_sessions(self) -> bool {
        self != Revision::V2026_07_28
    }
}

/// The revisions with sessions that a server may speak to gait, the newest first.
pub const OF_SERVERS: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
