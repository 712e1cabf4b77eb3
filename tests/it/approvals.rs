//! Approvals with names: each asks for what it stands for, written out.

use gait::compile::{self, Pin, Purpose, Text, Texts};
use gait::domain::ApprovalSpec;
use proptest::prelude::*;

const HEAD: &str = "default block code none\ncontext { fact identity from intent context.identity\n fact delegation from intent delegation }\n\
    role finance { \"ann\", \"bob\", \"cid\" }\nrole others { \"ann\", \"dan\" }\ntool t { n: Int }\n";

/// What the rule of a policy asks for.
fn asked(imports: &str, rest: &str, texts: &Texts) -> Vec<ApprovalSpec> {
    let text = format!("gaitpol 1\npolicy p\n{imports}\n{HEAD}{rest}\n");
    let report = compile::check_with("p.gaitpol", &text, texts, Purpose::Author);
    let errors: Vec<_> = report.diagnostics.iter().filter(|d| d.is_error()).collect();
    assert!(errors.is_empty(), "{text}\n{errors:#?}");
    report.checked.unwrap().package().rules[0].approvals.clone()
}

fn rule(asks: &str) -> String {
    format!("rule r on t when args.n > 1 require_approval {asks}")
}

/// Clauses, with the role written as `R`.
fn clauses() -> impl Strategy<Value = String> {
    let pick = |words: &'static [&'static str]| prop::sample::select(words);
    (
        pick(&["count 1", "count 2", "count 2 distinct"]),
        pick(&[
            "",
            "excluding requester",
            "excluding chain",
            "excluding requester, chain",
        ]),
        pick(&["", "expires 15m", "expires 1h"]),
        pick(&["", "single_use"]),
        pick(&["", "bind args", "bind policy, args"]),
    )
        .prop_map(|(count, excluding, expires, once, bind)| {
            format!("{bind} {once} from R {excluding} {count} {expires}")
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn a_name_asks_for_what_it_stands_for(one in clauses(), other in clauses()) {
        let own = Texts::default();
        let of = |clauses: &str, role: &str| clauses.replace('R', role);
        let written = |clauses: &str, role: &str| asked("", &rule(&format!("{{ {} }}", of(clauses, role))), &own);
        let fixed = format!("approval a {{ {} }}\n", of(&one, "finance"));
        let taking = format!("approval b(who: role) {{ {} }}\n", of(&other, "who"));
        let finance = written(&one, "finance");
        prop_assert_eq!(&asked("", &format!("{fixed}{}", rule("a")), &own), &finance);
        for role in ["finance", "others"] {
            let others = written(&other, role);
            prop_assert_eq!(&asked("", &format!("{taking}{}", rule(&format!("b({role})"))), &own), &others);
            let mut both = [finance.clone(), others].concat();
            both.sort();
            both.dedup();
            for named in [format!("a, b({role})"), format!("b({role}), a")] {
                prop_assert_eq!(&asked("", &format!("{fixed}{taking}{}", rule(&named)), &own), &both);
            }
            // A parameter hides a role of the policy, and a module's names are the module's.
            let hiding = format!("approval b(finance: role) {{ {} }}\n", of(&other, "finance"));
            let digest = String::new();
            let pin = Pin { locked: Some(digest.clone()), digest };
            let module = Text { text: format!("gaitpol 1\n{fixed}{hiding}"), pin };
            let mut texts = Texts::default();
            texts.files.insert("m.gaitpol".into(), Ok(module));
            let imported = rule(&format!("m.a, m.b({role})"));
            prop_assert_eq!(&asked("import \"m.gaitpol\" as m", &imported, &texts), &both);
            let picked = rule(&format!("b({role}), a"));
            prop_assert_eq!(&asked("import \"m.gaitpol\" { a, b }", &picked, &texts), &both);
        }
    }
}
