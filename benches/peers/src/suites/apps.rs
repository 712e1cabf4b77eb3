//! The three applications of the benchmark published with the Cedar paper at OOPSLA 2024: sharing of files, roles on
//! repositories, lists of tasks. Written anew; `README.md` says what differs. All engines hold who is linked to whom
//! when they are ready, closed over the links; a request names an action, a user and a resource.

use super::worlds::{self, World};
use crate::engine::{Contestant, Failure};
use crate::engines::Wire;
use crate::engines::cedar::{Asked, Cedar, Names};
use crate::engines::cel::{Cel, Extend};
use crate::engines::gait::{self, Facts, Gait, Gate};
use crate::engines::rego::{Rego, RegoMachine};
use crate::suite::{Suite, intent};
use ::gait::json::{self, Json as Strict};
use cedar_policy::{Entities, EntityId, EntityUid};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// An application in four languages.
struct App {
    name: &'static str,
    /// What its Gait policy calls the fact about a resource.
    resource: &'static str,
    gait: &'static str,
    cedar: &'static str,
    rego: &'static str,
    cel: &'static str,
    world: fn() -> World,
}

const APPS: [App; 3] = [
    App {
        name: "gdrive",
        resource: "file",
        gait: include_str!("../../policies/gdrive.gaitpol"),
        cedar: include_str!("../../policies/gdrive.cedar"),
        rego: include_str!("../../policies/gdrive.rego"),
        cel: include_str!("../../policies/gdrive.cel"),
        world: worlds::gdrive,
    },
    App {
        name: "github",
        resource: "repo",
        gait: include_str!("../../policies/github.gaitpol"),
        cedar: include_str!("../../policies/github.cedar"),
        rego: include_str!("../../policies/github.rego"),
        cel: include_str!("../../policies/github.cel"),
        world: worlds::github,
    },
    App {
        name: "tinytodo",
        resource: "list",
        gait: include_str!("../../policies/tinytodo.gaitpol"),
        cedar: include_str!("../../policies/tinytodo.cedar"),
        rego: include_str!("../../policies/tinytodo.rego"),
        cel: include_str!("../../policies/tinytodo.cel"),
        world: worlds::tinytodo,
    },
];

/// The applications whose name begins with `name`.
pub fn all(name: &str) -> Result<Vec<Suite>, Failure> {
    let wanted = APPS.iter().filter(|app| app.name.starts_with(name));
    wanted.map(made).collect()
}

fn made(app: &'static App) -> Result<Suite, Failure> {
    let world = (app.world)();
    let bundle = gait::build(app.gait)?;
    let same = bundle.clone();
    let conditions = super::tools::conditions(app.cel)?;
    let entities = serde_json::to_string(&world.entities)?;
    let said = serde_json::to_vec(&json!([world.users, world.resources]))?;
    let known = said.clone();
    let data = json!({ "users": keyed(json!(world.users)), "resources": keyed(json!(world.resources)) });
    let (data, again, more) = (data.to_string(), data.to_string(), data.to_string());
    let intents = world
        .requests
        .iter()
        .map(|(action, user, resource)| intent(action, &json!({ "user": user, "resource": resource })));
    Ok(Suite {
        name: app.name.to_owned(),
        rules: app.gait.matches("\nrule ").count(),
        contestants: vec![
            Contestant::new("gait", move || Gait::open(&bundle, Some(facts(app, &said)?))),
            Contestant::new("gait, whole gate", move || {
                Gate::open(&same, Some(facts(app, &known)?))
            }),
            Contestant::new("cedar", move || {
                Cedar::load(app.cedar, Entities::from_json_str(&entities, None)?, ask)
            }),
            Contestant::new("regorus", move || Rego::load(app.rego, Some(&data))),
            Contestant::new("regorus vm", move || RegoMachine::load(app.rego, Some(&again))),
            Contestant::new("cel", move || Cel::load(&conditions, variables(&more)?)),
        ],
        intents: intents.collect::<Result<_, Failure>>()?,
        odd: Vec::new(),
    })
}

/// Lists as objects, whose members are found faster by Rego and CEL.
fn keyed(value: Json) -> Json {
    match value {
        Json::Array(items) => {
            let names = items.iter().filter_map(|item| item.as_str());
            Json::Object(names.map(|name| (name.to_owned(), json!(true))).collect())
        }
        Json::Object(members) => Json::Object(
            members
                .into_iter()
                .map(|(name, value)| (name, keyed(value)))
                .collect(),
        ),
        other => other,
    }
}

/// What the host tells Gait of users and resources.
fn facts(app: &'static App, said: &[u8]) -> Result<Facts, Failure> {
    let said = json::parse(said)?;
    let [users, resources] = said.as_array().unwrap_or_default() else {
        return Err("what is said is of users and of resources".into());
    };
    let held = |of: &Strict| -> BTreeMap<String, Strict> {
        let members = of.as_object().unwrap_or_default().iter().cloned();
        members.map(|(name, said)| (name.to_string(), said)).collect()
    };
    Ok(Facts {
        resource: app.resource,
        users: held(users),
        resources: held(resources),
    })
}

/// What the host tells CEL: two more variables; a resource nobody knows is an empty object.
fn variables(data: &str) -> Result<Extend, Failure> {
    let data: Json = serde_json::from_str(data)?;
    let held = |of: &str| -> Result<BTreeMap<String, ::cel::Value>, Failure> {
        let members = data
            .get(of)
            .and_then(Json::as_object)
            .ok_or("data is of users and of resources")?;
        let one = |(name, said): (&String, &Json)| {
            let value = ::cel::to_value(said).map_err(|error| error.to_string())?;
            Ok((name.clone(), value))
        };
        members.iter().map(one).collect()
    };
    let (users, resources) = (held("users")?, held("resources")?);
    let nothing = ::cel::to_value(json!({})).map_err(|error| error.to_string())?;
    Ok(Arc::new(move |wire, context| {
        let named = |name: &str| wire.args.get(name).and_then(Json::as_str).unwrap_or_default();
        let user = users.get(named("user")).unwrap_or(&nothing);
        context.add_variable_from_value("user", user.clone());
        let resource = resources.get(named("resource")).unwrap_or(&nothing);
        context.add_variable_from_value("resource", resource.clone());
        Ok(())
    }))
}

/// The action, the user and the resource as entities.
fn ask(names: &Names, wire: Wire) -> Result<Asked, Failure> {
    let named = |name: &str| -> Result<EntityUid, Failure> {
        let id = wire
            .args
            .get(name)
            .and_then(Json::as_str)
            .ok_or("a request names who and what")?;
        let of = names
            .types
            .get(worlds::kind(id))
            .ok_or("a type of the applications")?;
        Ok(EntityUid::from_type_name_and_id(of.clone(), EntityId::new(id)))
    };
    Ok(Asked {
        principal: named("user")?,
        action: EntityUid::from_type_name_and_id(names.action.clone(), EntityId::new(&wire.tool_name)),
        resource: named("resource")?,
        context: Vec::new(),
    })
}
