//! What servers list beside tools, and whose a resource is. A URI says nothing of its server, and what a server claims of one must not draw
//! requests away from another: where there are several servers, the configuration says whose it is, or exactly one of them lists it. In:
//! lists of servers. Out: one list for clients, and the server of a URI.

use super::Gateway;
use super::server::Server;
use super::wire::named;
use crate::json::Json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a server may list beside tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// Resources.
    Resources,
    /// Templates of their URIs.
    Templates,
    /// Prompts.
    Prompts,
}

impl Offer {
    /// All of them.
    pub const ALL: [Offer; 3] = [Offer::Resources, Offer::Templates, Offer::Prompts];

    /// What a method lists.
    pub fn of_method(method: &str) -> Option<Offer> {
        Offer::ALL.into_iter().find(|offer| offer.method() == method)
    }

    /// The method that lists it.
    pub fn method(self) -> &'static str {
        match self {
            Offer::Resources => "resources/list",
            Offer::Templates => "resources/templates/list",
            Offer::Prompts => "prompts/list",
        }
    }

    /// The member of results that holds it.
    pub fn member(self) -> &'static str {
        match self {
            Offer::Resources => "resources",
            Offer::Templates => "resourceTemplates",
            Offer::Prompts => "prompts",
        }
    }

    /// What a server that lists it offers.
    pub fn capability(self) -> &'static str {
        match self {
            Offer::Resources | Offer::Templates => RESOURCES,
            Offer::Prompts => PROMPTS,
        }
    }

    /// The notification that the list is otherwise.
    pub fn changed(self) -> &'static str {
        match self {
            Offer::Resources | Offer::Templates => "notifications/resources/list_changed",
            Offer::Prompts => "notifications/prompts/list_changed",
        }
    }
}

/// Capabilities of servers, as the protocol calls them.
pub const RESOURCES: &str = "resources";
/// The same.
pub const PROMPTS: &str = "prompts";
/// The same.
pub const COMPLETIONS: &str = "completions";

/// What requests are judged as, by what a server offers.
pub const JUDGED: [(&str, &str); 3] = [
    (RESOURCES, "mcp.resource"),
    (PROMPTS, "mcp.prompt"),
    (COMPLETIONS, "mcp.completion"),
];

/// A server with its name.
pub type Behind<'a> = (&'a str, &'a Server);

impl Gateway {
    /// What the gateway can do: call tools, and what its servers offer and the policy could allow. Servers that are not started yet are, at once.
    pub(super) fn capabilities(&self) -> Json {
        let all: Vec<(bool, Json)> = std::thread::scope(|scope| {
            let ask = |server: &'_ Server| (server.is_heard(), server.offers().unwrap_or(Json::Null));
            let asked: Vec<_> = self
                .servers
                .values()
                .map(|server| scope.spawn(move || ask(server)))
                .collect();
            asked.into_iter().filter_map(|one| one.join().ok()).collect()
        });
        let says = |name: &str, what: &str| {
            let is_said = |of: &Json| of.get(name).and_then(|of| of.get(what)) == Some(&Json::Bool(true));
            all.iter().any(|(is_heard, of)| *is_heard && is_said(of))
        };
        let flag = |name: &str, what: &'static str| (what, Json::Bool(says(name, what)));
        let tools = Json::object([flag("tools", "listChanged")]);
        let mut found = vec![("tools", tools)];
        for (name, _) in JUDGED.iter().filter(|(name, _)| self.may_offer(name)) {
            let is_offered = all.iter().any(|(_, of)| of.get(name).is_some());
            let offer = match *name {
                RESOURCES => Json::object([flag(name, "subscribe"), flag(name, "listChanged")]),
                PROMPTS => Json::object([flag(name, "listChanged")]),
                _ => Json::Object(Vec::new()),
            };
            found.extend(is_offered.then_some((*name, offer)));
        }
        if self.logs() {
            found.push(("logging", Json::Object(Vec::new())));
        }
        Json::object(found)
    }

    /// Whether a server offers something, and the policy could allow a request for it.
    pub(super) fn offers(&self, capability: &str) -> bool {
        self.may_offer(capability) && self.servers.values().any(|server| server.has(capability))
    }

    /// Whether the policy could allow a request for what is offered.
    pub(super) fn may_offer(&self, capability: &str) -> bool {
        let judged = JUDGED.iter().find(|(name, _)| *name == capability);
        let is_known = |tool: &str| self.gate.setup().shows_all || self.gate.knows(tool);
        judged.is_some_and(|(_, tool)| is_known(tool))
    }

    /// What all servers list, in the order of what it is named by.
    pub(super) fn catalog(&self, offer: Offer) -> Vec<Json> {
        if !self.may_offer(offer.capability()) {
            return Vec::new();
        }
        let mut all: Vec<(String, Json)> = Vec::new();
        let lists = self.lists(offer);
        let owners = owners(&lists);
        for (behind, list) in &lists {
            let is_own = |owner: Option<Behind<'_>>| owner.is_some_and(|owner| owner.0 == behind.0);
            let shown = |item: &Json| match offer {
                Offer::Prompts => {
                    let wire = self.wire_name(behind.0, item.get("name")?.as_str()?)?;
                    Some((wire.clone(), named(item, &wire)))
                }
                Offer::Resources => {
                    let uri = item.get("uri")?.as_str()?;
                    let listed = || owners.get(uri).copied().flatten();
                    let owner = self.owner_of_all(uri).or_else(listed);
                    is_own(owner).then(|| (uri.to_owned(), item.clone()))
                }
                Offer::Templates => {
                    let template = item.get("uriTemplate")?.as_str()?;
                    is_own(self.owner_of_all(template)).then(|| (template.to_owned(), item.clone()))
                }
            };
            all.extend(list.iter().filter_map(shown));
        }
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        all.into_iter().map(|(_, item)| item).collect()
    }

    /// What each server lists. One that does not say lists nothing.
    fn lists<'a>(&'a self, offer: Offer) -> Vec<Lists<'a>> {
        let list = |behind: Behind<'a>| Some((behind, behind.1.listed(offer)?));
        self.behind().filter_map(list).collect()
    }

    fn behind(&self) -> impl Iterator<Item = Behind<'_>> {
        self.servers.iter().map(|(name, server)| (name.as_str(), server))
    }

    /// Whose resource a URI is; none where nobody can tell.
    pub(super) fn owner(&self, uri: &str) -> Option<Behind<'_>> {
        self.owner_of_all(uri).or_else(|| {
            let lists = self.lists(Offer::Resources);
            owners(&lists).get(uri).copied().flatten()
        })
    }

    /// Whose a URI or a template is, whatever is listed: it begins as the configuration says, or there is one server.
    pub(super) fn owner_of_all(&self, uri: &str) -> Option<Behind<'_>> {
        let begins = |(_, server): &Behind<'_>| server.resources.iter().any(|start| uri.starts_with(start));
        self.behind().find(begins).or_else(|| {
            let mut all = self.behind();
            let only = all.next().filter(|(_, server)| server.resources.is_empty());
            only.filter(|_| all.next().is_none())
        })
    }
}

/// A server and what it lists.
type Lists<'a> = (Behind<'a>, Arc<Vec<Json>>);

/// The server of each URI that exactly one lists, of those of which the configuration does not say what is theirs.
fn owners<'l, 'a>(lists: &'l [Lists<'a>]) -> BTreeMap<&'l str, Option<Behind<'a>>> {
    let mut owners: BTreeMap<&str, Option<Behind<'_>>> = BTreeMap::new();
    for (behind, list) in lists
        .iter()
        .filter(|((_, server), _)| server.resources.is_empty())
    {
        for uri in list.iter().filter_map(|item| item.get("uri")?.as_str()) {
            let owner = owners.entry(uri).or_insert(Some(*behind));
            *owner = owner.filter(|owner| owner.0 == behind.0);
        }
    }
    owners
}
