//! Made-up users, groups and files for the three applications, drawn from a sequence that repeats in every run: fifty of
//! each kind, linked with a chance of one in twenty, as the published benchmark draws them.

use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};

/// How many there are of each kind: the published benchmark's largest.
const EACH: usize = 50;

/// How many requests are drawn: the published benchmark's number.
const REQUESTS: usize = 500;

/// What one application decides over.
#[derive(Default)]
pub struct World {
    /// Entities with their links, for Cedar.
    pub entities: Vec<Json>,
    /// What the host says of a user; links are closed, the user's own among them.
    pub users: BTreeMap<String, Json>,
    /// What the host says of a file, repository or list.
    pub resources: BTreeMap<String, Json>,
    /// Requests: what, who, on what.
    pub requests: Vec<(String, String, String)>,
}

/// A sequence of numbers.
struct Draw(u64);

impl Draw {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }

    /// Those of a kind that one thing is linked with.
    fn links(&mut self, kind: &str, count: usize) -> Vec<String> {
        let mut links = Vec::new();
        for number in 0..count {
            if self.below(20) == 0 {
                links.push(format!("{kind}_{number}"));
            }
        }
        links
    }

    fn one(&mut self, kind: &str) -> String {
        format!("{kind}_{}", self.below(EACH))
    }

    fn of<'t>(&mut self, all: &[&'t str]) -> &'t str {
        all.get(self.below(all.len())).copied().unwrap_or_default()
    }
}

/// Who is linked to whom; the kind of a thing is the part of its name before the first `_`.
type Parents = BTreeMap<String, Vec<String>>;

/// A thing and everything that links lead to from it.
fn closed(parents: &Parents, from: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![from.to_owned()];
    while let Some(next) = open.pop() {
        open.extend(parents.get(&next).cloned().unwrap_or_default());
        found.insert(next);
    }
    found
}

/// The type of a thing in Cedar.
pub fn kind(name: &str) -> &'static str {
    match name.split('_').next() {
        Some("user") => "User",
        Some("doc") => "Document",
        Some("folder") => "Folder",
        Some("repo") => "Repository",
        Some("org") => "Organization",
        Some("list") => "List",
        Some("app") => "App",
        Some("view") => "View",
        Some("team") => "Team",
        Some("group") => "Group",
        _ => "Permission",
    }
}

fn reference(name: &str) -> Json {
    json!({ "type": kind(name), "id": name })
}

fn entity(name: &str) -> Json {
    json!({ "__entity": reference(name) })
}

fn entities(names: &[String]) -> Vec<Json> {
    names.iter().map(|name| entity(name)).collect()
}

impl World {
    fn add(&mut self, name: &str, attributes: Json, parents: &[String]) {
        let parents: Vec<Json> = parents.iter().map(|name| reference(name)).collect();
        self.entities
            .push(json!({ "uid": reference(name), "attrs": attributes, "parents": parents }));
    }

    fn add_all(&mut self, parents: &Parents, mut attributes: impl FnMut(&str) -> Json) {
        for (name, parents) in parents {
            self.add(name, attributes(name), parents);
        }
    }
}

/// Views lead from files to folders, groups and users.
pub fn gdrive() -> World {
    let mut draw = Draw(11);
    let mut world = World::default();
    let mut parents = Parents::new();
    let mut owned = BTreeMap::new();
    let mut public = BTreeSet::new();
    let numbered = |kind: &'static str| (0..EACH).map(move |number| format!("{kind}_{number}"));
    for user in numbered("user") {
        parents.insert(format!("view_{user}"), Vec::new());
        parents.insert(user.clone(), draw.links("group", EACH));
        owned.insert(user, (draw.links("doc", EACH), draw.links("folder", EACH)));
    }
    for group in numbered("group") {
        let members = parents.iter().filter(|(_, groups)| groups.contains(&group));
        let views = members.map(|(user, _)| format!("view_{user}")).collect();
        parents.insert(format!("view_{group}"), views);
        parents.insert(group, Vec::new());
    }
    for (kind, number) in (0..EACH).flat_map(|number| [("doc", number), ("folder", number)]) {
        let mut around = draw.links("folder", if kind == "doc" { EACH } else { number });
        around.extend(draw.links("view_user", EACH));
        around.extend(draw.links("view_group", EACH));
        let name = format!("{kind}_{number}");
        if draw.below(2) == 0 {
            public.insert(name.clone());
        }
        parents.insert(name, around);
    }
    for (user, (documents, folders)) in &owned {
        let said = json!({ "view": format!("view_{user}"), "documents": documents, "folders": folders });
        world.users.insert(user.clone(), said);
    }
    for name in numbered("doc").chain(numbered("folder")) {
        let said = json!({ "public": public.contains(&name), "within": closed(&parents, &name) });
        world.resources.insert(name, said);
    }
    world.add_all(&parents, |name| match owned.get(name) {
        Some((documents, folders)) => json!({
            "view": entity(&format!("view_{name}")),
            "documents": entities(documents),
            "folders": entities(folders),
        }),
        None if name.starts_with("doc") => json!({ "public": public.contains(name) }),
        None => json!({}),
    });
    for _ in 0..REQUESTS {
        let action = draw.of(&["read", "write", "share", "change_owner", "create_document"]);
        let resource = draw.one(if action == "create_document" {
            "folder"
        } else {
            "doc"
        });
        world
            .requests
            .push((action.to_owned(), draw.one("user"), resource));
    }
    world
}

const ROLES: [&str; 5] = ["readers", "triagers", "writers", "maintainers", "admins"];
const OWNER_ROLES: [&str; 3] = ["readers", "writers", "admins"];
const ACTIONS: [&str; 5] = ["read", "triage", "write", "maintain", "admin"];

fn roles(of: &str, names: &[&str], wrap: fn(&str) -> Json) -> Json {
    let one = |role: &&str| ((*role).to_owned(), wrap(&format!("can_{of}_{role}")));
    Json::Object(names.iter().map(one).collect())
}

/// Permissions are reached from users over teams, organisations and other permissions.
pub fn github() -> World {
    let mut draw = Draw(12);
    let mut world = World::default();
    let mut parents = Parents::new();
    let mut owners = BTreeMap::new();
    let can = |draw: &mut Draw, kind: &str, roles: &[&str]| -> Vec<String> {
        let linked = draw.links(kind, EACH);
        linked
            .into_iter()
            .map(|of| format!("can_{of}_{}", draw.of(roles)))
            .collect()
    };
    for number in 0..EACH {
        let (org, repo, team, user) = (
            format!("org_{number}"),
            format!("repo_{number}"),
            format!("team_{number}"),
            format!("user_{number}"),
        );
        for role in OWNER_ROLES {
            parents.insert(format!("can_{org}_{role}"), Vec::new());
        }
        for role in ROLES {
            parents.insert(format!("can_{repo}_{role}"), Vec::new());
        }
        parents.insert(org, can(&mut draw, "org", &OWNER_ROLES));
        parents.insert(repo.clone(), Vec::new());
        owners.insert(repo, draw.one("org"));
        let mut above = draw.links("team", number);
        above.extend(can(&mut draw, "repo", &ROLES));
        parents.insert(team, above);
        let mut above = can(&mut draw, "repo", &ROLES);
        above.extend(draw.links("team", EACH));
        above.extend(draw.links("org", EACH));
        above.extend(can(&mut draw, "org", &OWNER_ROLES));
        parents.insert(user, above);
    }
    for (repo, owner) in &owners {
        let mut said = roles(repo, &ROLES, |name| json!(name));
        if let Some(members) = said.as_object_mut() {
            members.insert("owner".to_owned(), roles(owner, &OWNER_ROLES, |name| json!(name)));
        }
        world.resources.insert(repo.clone(), said);
    }
    for number in 0..EACH {
        let user = format!("user_{number}");
        let holds = closed(&parents, &user);
        world.users.insert(user, json!({ "holds": holds }));
    }
    world.add_all(&parents, |name| match (owners.get(name), kind(name)) {
        (Some(owner), _) => {
            let mut attributes = roles(name, &ROLES, entity);
            if let Some(members) = attributes.as_object_mut() {
                members.insert("owner".to_owned(), entity(owner));
            }
            attributes
        }
        (None, "Organization") => roles(name, &OWNER_ROLES, entity),
        _ => json!({}),
    });
    for (number, action) in ACTIONS.iter().enumerate() {
        let above = ACTIONS
            .get(number + 1)
            .map(|above| json!([{ "type": "Action", "id": above }]));
        let uid = json!({ "type": "Action", "id": action });
        let parents = above.unwrap_or(json!([]));
        world
            .entities
            .push(json!({ "uid": uid, "attrs": {}, "parents": parents }));
    }
    for _ in 0..REQUESTS {
        let action = draw.of(&ACTIONS).to_owned();
        world.requests.push((action, draw.one("user"), draw.one("repo")));
    }
    world
}

/// Lists are shared with teams; teams lie in teams.
pub fn tinytodo() -> World {
    let mut draw = Draw(13);
    let mut world = World::default();
    let mut parents = Parents::new();
    for number in 0..EACH {
        parents.insert(format!("team_{number}"), draw.links("team", number));
        parents.insert(format!("user_{number}"), draw.links("team", EACH));
    }
    for number in 0..EACH {
        let user = format!("user_{number}");
        let teams = closed(&parents, &user);
        world.users.insert(user, json!({ "teams": teams }));
    }
    world.add_all(&parents, |_| json!({}));
    world.add("app_TinyTodo", json!({}), &[]);
    for number in 0..EACH {
        let name = format!("list_{number}");
        let (owner, readers, editors) = (draw.one("user"), draw.one("team"), draw.one("team"));
        let attributes =
            json!({ "owner": entity(&owner), "readers": entity(&readers), "editors": entity(&editors) });
        world.add(&name, attributes, &["app_TinyTodo".to_owned()]);
        world.resources.insert(
            name,
            json!({ "owner": owner, "readers": readers, "editors": editors }),
        );
    }
    for _ in 0..REQUESTS {
        let action = draw.of(&[
            "create_list",
            "get_lists",
            "get_list",
            "update_list",
            "delete_list",
            "create_task",
            "update_task",
            "delete_task",
            "edit_shares",
        ]);
        let on_app = ["create_list", "get_lists"].contains(&action);
        let resource = if on_app {
            "app_TinyTodo".to_owned()
        } else {
            draw.one("list")
        };
        world
            .requests
            .push((action.to_owned(), draw.one("user"), resource));
    }
    world
}
