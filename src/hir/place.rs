//! Places of a call as people write them and as values that can be changed: the name and type of what lies some steps
//! away, and the same record with another value there. In: steps, types, values. Out: names, types, changed values,
//! always in canonical form; a change that no value of the type can show is refused. It judges nothing.

use super::answer::{View, view};
use super::scope::{member_names, member_of};
use super::{Part, Step, sample};
use crate::builtins::{bind, ip};
use crate::json::{self, Json};
use crate::syntax::quote::member_name;
use crate::ty::Ty;
use crate::value::{UrlValue, Value};

/// The type one step away from a value of type `ty`, and the name of that step as a member. `len` has no member name.
pub fn step(ty: &Ty, step: Step) -> Option<(&str, Ty)> {
    match (step, ty.required()) {
        (Step::Part(Part::Len), _) => Some(("", Ty::Int)),
        (Step::Field(index), Ty::Record(fields)) => {
            let field = fields.get(index as usize)?;
            Some((&field.name, field.ty.clone()))
        }
        (_, ty) => member_names(ty).into_iter().find_map(|name| {
            let (found, ty) = member_of(ty, name)?;
            (found == step).then_some((name, ty))
        }),
    }
}

/// The type some steps away, without `?`.
pub fn ty_at(ty: &Ty, steps: &[Step]) -> Option<Ty> {
    steps.iter().try_fold(ty.required().clone(), |ty, at| {
        Some(step(&ty, *at)?.1.required().clone())
    })
}

/// A place as a condition writes it: `base` and the members on the way, `len(…)` around them.
pub fn written(base: &str, ty: &Ty, steps: &[Step]) -> String {
    let mut text = base.to_owned();
    let mut ty = ty.clone();
    for at in steps {
        let Some((name, next)) = step(&ty, *at) else {
            return text;
        };
        text = if name.is_empty() {
            format!("len({text})")
        } else if text.is_empty() {
            member_name(name)
        } else {
            format!("{text}.{}", member_name(name))
        };
        ty = next;
    }
    text
}

/// The plainest value of a type; an optional is missing, a list empty.
pub fn plain(ty: &Ty) -> Option<Value> {
    if ty.is_optional() {
        return Some(Value::Absent);
    }
    let json = json::parse(sample::value(ty)?.as_bytes()).ok()?;
    bind::bind(&json, ty).ok()
}

/// The value of a type that a canonical text stands for; `None` when the type reads the text as another one.
pub fn of_text(text: &str, ty: &Ty) -> Option<Value> {
    let value = bind::bind(&Json::str(text), ty.required()).ok()?;
    (value.text() == Some(text)).then_some(value)
}

/// Puts `new` some steps away from `value`, which has type `ty`: optionals on the way appear with the plainest values,
/// a part changes the text it is part of. `None` where no value of the type would show `new` there.
pub fn put(value: &mut Value, ty: &Ty, steps: &[Step], new: &Value) -> Option<()> {
    let Some((first, rest)) = steps.split_first() else {
        *value = new.clone();
        return Some(());
    };
    if *value == Value::Absent {
        *value = plain(ty.required())?;
    }
    let before = value.clone();
    let done = match (first, &mut *value, ty.required()) {
        (Step::Field(index), Value::Record(values), Ty::Record(fields)) => {
            let field = fields.get(*index as usize)?;
            put(values.get_mut(*index as usize)?, &field.ty, rest, new)
        }
        (Step::Part(Part::Len), whole, ty) => resized(whole, ty, new).map(|resized| *whole = resized),
        (Step::Part(part), whole, ty) => {
            let new = match rest {
                [] => Some(new.clone()),
                [Step::Part(Part::Len)] => {
                    let (_, part_ty) = step(ty, *first)?;
                    let now = part_value(whole, *part, &part_ty)?;
                    resized(&now, &part_ty, new)
                }
                [Step::Part(Part::Ip)] => Some(host_of(new)?),
                _ => None,
            };
            new.and_then(|new| with_part(whole, *part, &new))
                .map(|changed| *whole = changed)
        }
        _ => None,
    };
    let shows = done.is_some() && (matches!(first, Step::Field(_)) || view(value, steps) == View::of(new));
    if !shows {
        *value = before;
    }
    shows.then_some(())
}

/// Takes the deepest optional on the way out; `None` where there is none.
pub fn clear(value: &mut Value, ty: &Ty, steps: &[Step]) -> Option<()> {
    if let Some((Step::Field(index), rest)) = steps.split_first()
        && let (Value::Record(values), Ty::Record(fields)) = (&mut *value, ty.required())
        && let (Some(inner), Some(field)) = (values.get_mut(*index as usize), fields.get(*index as usize))
        && clear(inner, &field.ty, rest).is_some()
    {
        return Some(());
    }
    let there = ty.is_optional() && *value != Value::Absent;
    if there {
        *value = Value::Absent;
    }
    there.then_some(())
}

/// A part of a value as a value of its own type.
fn part_value(whole: &Value, part: Part, ty: &Ty) -> Option<Value> {
    match view(whole, &[Step::Part(part)]) {
        View::Text(text) => bind::bind(&Json::str(text), ty).ok(),
        View::Num(n) => Some(Value::Num(n)),
        _ => None,
    }
}

/// The host that is an address.
fn host_of(address: &Value) -> Option<Value> {
    match address {
        Value::Num(bits) => Some(Value::Host(ip::to_text(*bits).into())),
        _ => None,
    }
}

fn with_part(whole: &Value, part: Part, new: &Value) -> Option<Value> {
    let text = || View::of(new);
    match (whole, part, text()) {
        (Value::Host(_), Part::Ip, View::Num(_)) => host_of(new),
        (Value::Email(email), Part::Local, View::Text(local)) => {
            read(&format!("{local}@{}", email.domain()), &Ty::Email)
        }
        (Value::Email(email), Part::Domain, View::Text(domain)) => {
            read(&format!("{}@{domain}", email.local()), &Ty::Email)
        }
        (Value::Url(url), Part::Scheme, View::Text(scheme)) => {
            // The port of the old scheme would be an odd one for the new.
            let start = format!("{}://{}:", url.scheme(), bracketed(url.host()));
            let port = if url.text().starts_with(&start) {
                format!(":{}", url.port())
            } else {
                String::new()
            };
            read(
                &format!(
                    "{scheme}://{}{port}{}",
                    bracketed(url.host()),
                    tail(url.path(), url.query())
                ),
                &Ty::Url,
            )
        }
        (Value::Url(url), Part::Host, View::Text(host)) => read(
            &url_text(url, host, i128::from(url.port()), url.path(), url.query()),
            &Ty::Url,
        ),
        (Value::Url(url), Part::Port, View::Num(port)) => read(
            &url_text(url, url.host(), port, url.path(), url.query()),
            &Ty::Url,
        ),
        (Value::Url(url), Part::Path, View::Text(path)) => {
            let port = i128::from(url.port());
            read(&url_text(url, url.host(), port, path, url.query()), &Ty::Url)
        }
        (Value::Url(url), Part::Query, View::Text(query)) => {
            let port = i128::from(url.port());
            read(&url_text(url, url.host(), port, url.path(), query), &Ty::Url)
        }
        _ => None,
    }
}

fn read(text: &str, ty: &Ty) -> Option<Value> {
    bind::bind(&Json::str(text), ty).ok()
}

fn url_text(url: &UrlValue, host: &str, port: i128, path: &str, query: &str) -> String {
    format!(
        "{}://{}:{port}{}",
        url.scheme(),
        bracketed(host),
        tail(path, query)
    )
}

fn bracketed(host: &str) -> String {
    if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

fn tail(path: &str, query: &str) -> String {
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

/// The value with another length: a list loses its last elements or repeats its last one, a text is cut or filled.
fn resized(whole: &Value, ty: &Ty, length: &Value) -> Option<Value> {
    let Value::Num(length) = length else { return None };
    let length = usize::try_from(*length).ok()?;
    match (whole, ty.required()) {
        (Value::List(items), Ty::List { element, max }) => {
            if length as u64 > *max {
                return None;
            }
            let mut items = items.to_vec();
            if items.len() < length {
                let filler = match items.last() {
                    Some(last) => last.clone(),
                    None => plain(element)?,
                };
                items.resize(length, filler);
            }
            items.truncate(length);
            Some(Value::list(items))
        }
        (_, ty) => {
            let text = whole.text()?;
            let bytes = crate::limits::STRING_BYTES as usize;
            if length > bytes {
                return None;
            }
            let mut text: String = text
                .char_indices()
                .take_while(|(at, c)| at + c.len_utf8() <= length)
                .map(|(_, c)| c)
                .collect();
            let missing = length - text.len();
            text.extend(std::iter::repeat_n('x', missing));
            of_text(&text, ty)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ty::Field;

    fn field(name: &str, ty: Ty) -> Field {
        Field {
            name: name.to_owned(),
            ty,
        }
    }

    fn args() -> Ty {
        let text = || Ty::String { max: 8 };
        let list = Ty::List {
            element: Box::new(Ty::Email),
            max: 3,
        };
        let inner = Ty::Record(vec![field("a b", text()), field("n", Ty::Int)]);
        Ty::Record(vec![
            field("url", Ty::Url),
            field("to", list),
            field("note", Ty::Optional(Box::new(text()))),
            field("meta", Ty::Optional(Box::new(inner))),
        ])
    }

    fn call() -> Value {
        let json = br#"{"url":"https://a.example:8443/x?q=1","to":["ann@acme.com"]}"#;
        bind::bind(&json::parse(json).unwrap(), &args()).unwrap()
    }

    #[test]
    fn a_place_is_named_as_written() {
        for (steps, name) in [
            (&[Step::Field(0), Step::Part(Part::Host)][..], "args.url.host"),
            (&[Step::Field(1), Step::Part(Part::Len)], "len(args.to)"),
            (&[Step::Field(3), Step::Field(0)], "args.meta.\"a b\""),
            (&[], "args"),
        ] {
            assert_eq!(written("args", &args(), steps), name);
        }
    }

    #[test]
    fn a_change_is_seen_where_it_was_made_and_nowhere_else() {
        let text = |t: &str| Value::Str(t.into());
        let part = |i, p| vec![Step::Field(i), Step::Part(p)];
        for (steps, new, url) in [
            (
                part(0, Part::Host),
                Value::Host("b.example".into()),
                "https://b.example:8443/x?q=1",
            ),
            (
                part(0, Part::Host),
                Value::Host("fd00::1".into()),
                "https://[fd00::1]:8443/x?q=1",
            ),
            (part(0, Part::Port), Value::Num(443), "https://a.example/x?q=1"),
            (part(0, Part::Scheme), text("http"), "http://a.example:8443/x?q=1"),
            (
                part(0, Part::Path),
                text("/y/z"),
                "https://a.example:8443/y/z?q=1",
            ),
            (part(0, Part::Query), text(""), "https://a.example:8443/x"),
            (
                vec![Step::Field(0), Step::Part(Part::Path), Step::Part(Part::Len)],
                Value::Num(4),
                "https://a.example:8443/xxx?q=1",
            ),
        ] {
            let mut value = call();
            put(&mut value, &args(), &steps, &new).unwrap();
            let Value::Record(fields) = &value else { panic!() };
            assert_eq!(fields[0].text(), Some(url));
            assert_eq!(view(&value, &steps), View::of(&new));
        }
        for (steps, new) in [
            (part(0, Part::Scheme), text("gopher")),
            (part(0, Part::Path), text("y")),
            (part(0, Part::Port), Value::Num(70_000)),
            (part(1, Part::Len), Value::Num(4)),
            (vec![Step::Field(2), Step::Part(Part::Len)], Value::Num(9)),
        ] {
            let mut value = call();
            assert_eq!(put(&mut value, &args(), &steps, &new), None, "{steps:?} {new:?}");
            if steps[0] != Step::Field(2) {
                assert_eq!(value, call());
            }
        }
    }

    #[test]
    fn optionals_come_and_go() {
        let mut value = call();
        let place = [Step::Field(3), Step::Field(1)];
        assert_eq!(clear(&mut value, &args(), &place), None);
        put(&mut value, &args(), &place, &Value::Num(7)).unwrap();
        assert_eq!(view(&value, &place), View::Num(7));
        assert_eq!(view(&value, &[Step::Field(3), Step::Field(0)]), View::Text(""));
        clear(&mut value, &args(), &place).unwrap();
        assert_eq!(value, call());
        let length = [Step::Field(1), Step::Part(Part::Len)];
        put(&mut value, &args(), &length, &Value::Num(3)).unwrap();
        assert_eq!(view(&value, &length), View::Num(3));
    }
}
