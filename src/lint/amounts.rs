//! Amounts of money that a rule lets through. In: a rule that allows, a tool that moves money, a range. Out: the argument
//! that may lie in the range although no condition and no stricter rule has said so on purpose.

use super::Context;
use crate::domain::Verdict;
use crate::hir::{self, Atom, Cond, Place, Question, Step, Tool};
use crate::limits;
use crate::source::Span;
use crate::syntax::ast;
use crate::syntax::quote::member_name;
use crate::ty::{Field, Ty};

/// Stricter rules on one tool past which nothing is looked for.
const STRICTER: usize = 24;
/// Words that say of a number that it is an amount.
const WORDS: [&str; 8] = [
    "amount", "total", "sum", "price", "value", "payment", "fee", "refund",
];

/// What a rule lets through.
pub(super) struct Loose<'a> {
    pub written: &'a ast::Rule,
    pub tool: &'a Tool,
    /// The argument, as a condition writes it.
    pub argument: String,
}

/// Ends of the range of amounts.
pub(super) const MOST: i128 = limits::DECIMAL_MAGNITUDE;

/// For each rule that allows, the first argument of a tool with `money.move` that may lie in `range`.
pub(super) fn let_through<'a>(context: &Context<'a>, range: (i128, i128)) -> Vec<Loose<'a>> {
    let rules = context.rules().filter(|(_, rule)| rule.verdict == Verdict::Allow);
    let one = |(written, rule): (&'a ast::Rule, &'a hir::Rule)| {
        context.on(rule).find_map(|(index, tool, cond)| {
            let moves = tool.effects.iter().any(|effect| effect == "money.move");
            let argument = moves
                .then(|| argument(context, (index, tool), cond, range))
                .flatten()?;
            Some(Loose {
                written,
                tool,
                argument,
            })
        })
    };
    rules.filter_map(one).collect()
}

fn argument<'a>(
    context: &Context<'a>,
    (index, tool): (usize, &'a Tool),
    cond: &Cond,
    range: (i128, i128),
) -> Option<String> {
    let stricter: Vec<&Cond> = context.stricter(Verdict::Allow, index).collect();
    if stricter.len() > STRICTER {
        return None;
    }
    let refused: Vec<Cond> = stricter.iter().map(|c| super::meaning::not(c)).collect();
    tool.args.iter().enumerate().find_map(|(number, field)| {
        if !is_amount(field) {
            return None;
        }
        let place = Place {
            level: 0,
            steps: vec![Step::Field(u32::try_from(number).ok()?)],
        };
        // A comparison with another value bounds it in a way the classes do not know.
        if std::iter::once(&cond)
            .chain(&stricter)
            .any(|c| compares(c, &place))
        {
            return None;
        }
        let within = Cond::Atom(Atom {
            place,
            ty: field.ty.required().clone(),
            test: Question::Within(vec![range]),
            when_absent: false,
            span: Span::default(),
        });
        let mut all = vec![cond, &within];
        all.extend(&refused);
        let name = format!("args.{}", member_name(&field.name));
        context.calls(tool).possible(&all).then_some(name)
    })
}

fn is_amount(field: &Field) -> bool {
    match field.ty.required() {
        Ty::Money { .. } => true,
        Ty::Decimal { .. } | Ty::Int => {
            let mut words = field.name.split(|c: char| !c.is_ascii_alphanumeric());
            words.any(|word| WORDS.contains(&word.to_ascii_lowercase().as_str()))
        }
        _ => false,
    }
}

/// Whether a value at the place is compared with another value.
fn compares(cond: &Cond, place: &Place) -> bool {
    match cond {
        Cond::Const(_) | Cond::Atom(_) => false,
        Cond::Relation(relation) => {
            let mut found = false;
            relation.each_place(&mut |other| found |= other == place);
            found
        }
        Cond::Not(inner) => compares(inner, place),
        Cond::And(parts) | Cond::Or(parts) => parts.iter().any(|part| compares(part, place)),
        Cond::Any { body, .. } => compares(body, place),
    }
}
