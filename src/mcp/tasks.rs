//! Tasks that calls of one client have become (2025-11-25, and the extension of 2026-07-28). In: what servers answer. Out: whose task an id is, and what
//! was judged of it. Whoever knows an id has nothing of a task that is not its own. The last ones are kept.

use super::rounds::{Going, Wanted};
use crate::json::Json;
use crate::limits;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A call that goes on as a task.
#[derive(Clone, Debug)]
pub struct Task {
    /// The call.
    pub going: Going,
    /// What the server wants of the client, as it was let through.
    pub wanted: Wanted,
}

/// The tasks of a client, by their ids.
#[derive(Debug, Default)]
pub struct Tasks(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    tasks: BTreeMap<String, Task>,
    order: VecDeque<String>,
}

/// The id of the task that a call has become, by its result.
pub fn made(result: &Json) -> Option<&str> {
    let is_flat = result.get("resultType").and_then(Json::as_str) == Some("task");
    let task = result.get("task").or_else(|| is_flat.then_some(result));
    task?.get("taskId")?.as_str()
}

impl Tasks {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call has become a task.
    pub fn keep(&self, id: &str, going: Going) {
        let mut open = self.open();
        let task = Task {
            going,
            wanted: Wanted::default(),
        };
        if open.tasks.insert(id.to_owned(), task).is_none() {
            open.order.push_back(id.to_owned());
        }
        if open.order.len() > limits::MCP_TASKS
            && let Some(oldest) = open.order.pop_front()
        {
            open.tasks.remove(&oldest);
        }
    }

    /// The task of an id.
    pub fn find(&self, id: &str) -> Option<Task> {
        self.open().tasks.get(id).cloned()
    }

    /// What the server of a task wants now, which was let through.
    pub fn wants(&self, id: &str, wanted: Wanted) {
        if let Some(task) = self.open().tasks.get_mut(id) {
            task.wanted = wanted;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    #[test]
    fn a_result_says_which_task_a_call_has_become() {
        for (result, id) in [
            (r#"{"task":{"taskId":"a","status":"working"}}"#, Some("a")),
            (r#"{"resultType":"task","taskId":"a"}"#, Some("a")),
            (r#"{"resultType":"complete","taskId":"a"}"#, None),
            (r#"{"content":[],"taskId":"a"}"#, None),
            (r#"{"task":{"taskId":5}}"#, None),
            (r#"{"task":"a"}"#, None),
        ] {
            assert_eq!(made(&parse(result.as_bytes()).unwrap()), id, "{result}");
        }
    }
}
