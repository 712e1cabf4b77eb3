//! What people ask the daemon: which calls wait for them, and to take their answers. In: the body of `POST /v1/approvals`. Out: documents.
//! An answer is signed where the person is; here it is verified and put where calls find it. Nothing is decided and nothing runs.

use super::request::Given;
use super::service::Service;
use crate::approvals::{self, Handed};
use crate::artifact::jcs;
use crate::host::{Host, HostError, Mode, Os};
use crate::http::Refusal;
use crate::json::Json;

impl Service {
    /// The calls that wait, with the answers that are there.
    pub fn inbox(&self) -> Result<Json, Refusal> {
        let (_, folder) = self.approvers()?;
        let known = self.known()?;
        // Nobody has answered anything yet, or the folder cannot be read: then no answer counts, either.
        let given = approvals::in_folder(&Os, folder, &known).unwrap_or_default();
        let given = approvals::distinct(given);
        let mut waiting = self.waiting().list(Os.now());
        for one in &mut waiting {
            let own = given.iter().filter(|given| given.subject == one.subject);
            one.given = own.cloned().collect();
        }
        let waiting = waiting.iter().map(approvals::inbox::Waiting::to_json);
        Ok(Json::object([
            ("ok", Json::Bool(true)),
            ("waiting", Json::Array(waiting.collect())),
        ]))
    }

    /// Takes the answer of a person to a call that waits: it is in the folder, durable, when this returns.
    pub fn answer(&self, body: &[u8]) -> Result<Json, Refusal> {
        let mut asked = Given::read(body)?;
        let answer = asked
            .object("answer")?
            .ok_or_else(|| super::request::missing("answer"))?;
        asked.end()?;
        let bytes = jcs::to_vec(&answer);
        let now = Os.now();
        let answer = approvals::verify(&bytes, &self.known()?, now, now)?;
        if let Some(flaw) = answer.flaw {
            let message = format!("the answer of {} would be {}", answer.by, flaw.said());
            return Err(Refusal::new(409, "approval.not_counted", message));
        }
        let is_asked = |waiting: &approvals::inbox::Waiting| waiting.subject == answer.subject;
        if !self.waiting().list(now).iter().any(is_asked) {
            let message = "no call waits for this answer";
            return Err(Refusal::new(404, "approval.not_waiting", message)
                .hint("GET /v1/approvals lists the calls that wait"));
        }
        self.keep(&bytes, &answer)
    }

    fn keep(&self, bytes: &[u8], answer: &Handed) -> Result<Json, Refusal> {
        let (_, folder) = self.approvers()?;
        let file = folder.join(approvals::file_name(answer.digest));
        match Os.write_new(&file, bytes, Mode::Public) {
            // It was sent before.
            Ok(()) | Err(HostError::Exists { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(Json::object([
            ("ok", Json::Bool(true)),
            ("file", Json::str(file.to_string_lossy())),
            ("digest", answer.digest.to_json()),
            ("by", Json::str(&answer.by)),
            ("denied", answer.answer.denies().map_or(Json::Null, Json::str)),
        ]))
    }
}
